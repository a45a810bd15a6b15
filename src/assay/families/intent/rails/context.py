"""What is known when a request is judged: balances, positions, markets, prices, the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from .documents import (
    Allowance,
    Amount,
    Cap,
    Document,
    Instant,
    Name,
    Positive,
    Share,
    read_document,
)


class Asset(Document):
    """A token."""

    decimals: int = Field(ge=0, le=30)
    native: bool = False
    """Whether it is the chain's own coin, which needs no allowance."""


class Reference(Document):
    """The same price from a second source."""

    usd: Positive
    source: Name
    at: Instant


class Price(Document):
    """Dollars for one unit."""

    usd: Positive
    source: Name
    at: Instant
    reference: Reference | None = None

    @model_validator(mode="after")
    def _is_seconded_by_another(self) -> Price:
        if self.reference is not None and self.reference.source == self.source:
            raise ValueError(f"the reference is from {self.source} as well: it confirms nothing")
        return self


class Reserve(Document):
    """One asset of a lending market.  What is absent is unknown, never zero and never unlimited."""

    ltv_max: Share
    """Aave: LTV; Compound: borrow collateral factor."""

    liquidation_threshold: Share
    """Aave: liquidation threshold; Compound: liquidate collateral factor.  0: no collateral."""

    liquidity: Amount | None = None
    """Units that can be taken out now."""

    supplied: Amount | None = None
    supply_cap: Cap | None = None
    borrowed: Amount | None = None
    borrow_cap: Cap | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Reserve:
        if self.ltv_max > self.liquidation_threshold:
            raise ValueError(
                f"ltv_max {self.ltv_max} is above liquidation_threshold "
                f"{self.liquidation_threshold}"
            )
        return self


class Market(Document):
    """A lending market."""

    protocol: Literal["aave-v3", "compound-v3"]
    reserves: dict[Name, Reserve]


class Position(Document):
    """What the user has at one lending market: the whole of it."""

    collateral: dict[Name, Amount]
    debts: dict[Name, Amount]


class Quote(Document):
    """What a venue offers for exactly this amount."""

    venue: Name
    sell: Name
    buy: Name
    amount: Positive
    expected: Amount
    at: Instant


_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Holdings = dict[Name, Amount]


class Context(Document):
    """The facts that rules compute with.

    A section that is absent is unknown, and a rule that needs it blocks.  A section that is there
    is complete: what it does not list is zero.
    """

    schema_: Literal[1] = Field(alias="schema")
    now: Instant
    """The time at which the request is judged, by the caller's clock."""

    chain: Name | None = None
    """The chain that all of this is about."""

    assets: dict[Name, Asset] | None = None
    wallet: Holdings | None = None
    allowances: dict[Name, dict[Name, Allowance]] | None = None
    """Venue to asset to what the venue may take."""

    positions: dict[Name, Position] | None = None
    """By venue.  A venue that is not listed is unknown: its debt may be anything."""

    markets: dict[Name, Market] | None = None
    prices: dict[Name, Price] | None = None
    staked: dict[Name, Holdings] | None = None
    rewards: dict[Name, Holdings] | None = None
    quotes: Annotated[tuple[Quote, ...], _TUPLE] | None = None
    used_today_usd: Amount | None = None
    """What the user has moved today, in dollars."""

    @model_validator(mode="after")
    def _markets_hold_the_positions(self) -> Context:
        for venue, position in (self.positions or {}).items():
            market = (self.markets or {}).get(venue)
            reserves = market.reserves if market is not None else {}
            for held, kind in ((position.collateral, "supplied"), (position.debts, "borrowed")):
                for asset, amount in held.items():
                    total = getattr(reserves.get(asset), kind, None)
                    if total is not None and amount > total:
                        raise ValueError(
                            f"the user has {amount} {asset} {kind} at {venue}, "
                            f"and everybody together {total}"
                        )
        return self

    @model_validator(mode="after")
    def _quotes_are_different(self) -> Context:
        keys = [(q.venue, q.sell, q.buy, q.amount) for q in self.quotes or ()]
        if len(set(keys)) < len(keys):
            raise ValueError("two quotes are for the same swap")
        return self


def read_context(given: bytes | str | Mapping[str, Any]) -> Context:
    """Return a context from JSON text, or from values that were JSON.

    Raises ``DataError`` A200, with the JSON path and a hint, for a document that is wrong or
    contradicts itself.  Schema: ``docs/schemas/context.json``.

    >>> read_context('{"schema": 1, "now": "2026-11-28T12:00:00Z", "wallet": {"ETH": -1}}')
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A200 the context cannot be used: a negative number
      at: $.wallet.ETH
      try: see the schema of context.json
    """
    return read_document(Context, given, what="context")
