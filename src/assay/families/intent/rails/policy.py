"""What a user or a house allows: lists, limits, and how fresh and how agreed a price must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from .documents import Amount, Cap, Document, Name, Names, Share, read_document

Action = Literal[
    "deposit_asset",
    "withdraw_asset",
    "swap_asset",
    "borrow_asset",
    "repay_asset",
    "stake_asset",
    "unstake_asset",
    "claim_rewards",
]
ACTIONS: tuple[str, ...] = get_args(Action)
_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


class Risk(Document):
    """House parameters of one collateral; the stricter of these and the market's hold."""

    ltv_max: Share
    """Of the collateral's value, how much may be borrowed against it."""

    liquidation_threshold: Share

    @model_validator(mode="after")
    def _is_consistent(self) -> Risk:
        if self.ltv_max > self.liquidation_threshold:
            raise ValueError(
                f"ltv_max {self.ltv_max} is above liquidation_threshold "
                f"{self.liquidation_threshold}: a loan could be liquidated the moment it is taken"
            )
        return self


class Range(Document):
    """What one action may move, in dollars."""

    min: Amount
    max: Cap

    @model_validator(mode="after")
    def _is_consistent(self) -> Range:
        if self.max != "none" and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}: nothing could pass")
        return self


class Policy(Document):
    """The limits that rails hold every step to.  All are required: no limit is said, not left out.

    Raises ``ValidationError`` (``DataError`` from ``read_policy``) where limits contradict each
    other: a minimum above a maximum, a loan-to-value above a liquidation threshold, a health factor
    below 1, a parameter for an asset that is not allowed.
    """

    schema_: Literal[1] = Field(alias="schema")
    assets: Names = Field(min_length=1)
    """Symbols that may be touched at all."""

    venues: dict[Name, Annotated[tuple[Action, ...], _TUPLE]] = Field(min_length=1)
    """Venue to the actions that may be done there."""

    chains: Names = Field(min_length=1)
    ltv_max: Share
    """Debt over the value of the collateral, after a borrowing or a withdrawal."""

    hf_min: Amount = Field(ge=1)
    """Health factor, after a borrowing or a withdrawal.  Below 1 a position is liquidated."""

    risk: dict[Name, Risk] = Field(default_factory=dict)
    price_age_max_s: int = Field(ge=0, le=10**9)
    deviation_max: Share
    """Between a price and its second source, as a share of the second."""

    slippage_max: Share
    """Also the tolerance of a swap that names none."""

    quote_age_max_s: int = Field(ge=0, le=10**9)
    tx_usd: Range
    day_usd_max: Cap
    """Of everything moved within one day, what was done before today's request included."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Policy:
        for what, names in (("assets", self.assets), ("chains", self.chains)):
            if len(set(names)) < len(names):
                raise ValueError(f"a name stands twice in {what}")
        if stray := sorted(set(self.risk) - set(self.assets)):
            raise ValueError(f"risk has parameters for {stray[0]}, which assets does not allow")
        if self.day_usd_max != "none" and self.tx_usd.min > self.day_usd_max:
            raise ValueError(
                f"tx_usd.min {self.tx_usd.min} is above day_usd_max {self.day_usd_max}: "
                "nothing could pass"
            )
        return self


def read_policy(given: bytes | str | Mapping[str, Any]) -> Policy:
    """Return a policy from JSON text, or from values that were JSON.

    Raises ``DataError`` A200, with the JSON path and a hint, for a document that is wrong or
    contradicts itself.  Schema: ``docs/schemas/policy.json``.

    >>> read_policy('{"schema": 1, "hf_min": 0.9}')
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A200 the policy cannot be used: the key is missing (and 10 more)
      at: $.assets
      try: add the key
    """
    return read_document(Policy, given, what="policy")
