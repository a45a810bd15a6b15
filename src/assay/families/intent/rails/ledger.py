"""A simulated ledger: accounts that only change by double entry, and never in place.

Covered: tokens move from one account to another, none appears or is lost; nothing goes below zero.
Not covered: interest, fees, gas, and the receipts (aTokens, stETH) that real venues hand out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple

from assay import DataError

from .context import Context
from .exact import EXACT, show


class Kind(StrEnum):
    """What an account holds."""

    WALLET = "wallet"
    LIQUIDITY = "liquidity"
    """Tokens that lie in a lending market."""
    STAKED = "staked"
    REWARD = "reward"
    OUTSIDE = "outside"
    """The other side of swaps; below zero is what it has paid out."""
    COLLATERAL = "collateral"
    """What a lending market owes the user.  No tokens: a claim on them, as all below."""
    DEBT = "debt"
    SUPPLIED = "supplied"
    """What a lending market owes everybody."""
    BORROWED = "borrowed"
    ALLOWANCE = "allowance"


TOKENS = (Kind.WALLET, Kind.LIQUIDITY, Kind.STAKED, Kind.REWARD, Kind.OUTSIDE)
"""Accounts of tokens: their sum is the same before and after every step, asset by asset."""

MAY_BE_UNKNOWN = (Kind.LIQUIDITY, Kind.SUPPLIED, Kind.BORROWED)
"""Where the context does not say, nothing is known after a step either."""


class Account(NamedTuple):
    """Where something stands; ``place`` is a venue, and empty for the wallet."""

    kind: Kind
    place: str
    asset: str


class Posting(NamedTuple):
    """One account and by how much it changes."""

    account: Account
    change: Decimal


class Moved(NamedTuple):
    """An amount of an asset."""

    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A step with every word resolved into a number: what is carried out."""

    action: str
    venue: str
    moves: tuple[Moved, ...]
    """What leaves the account that the action takes from; several only for rewards."""

    yields: Moved | None = None
    """What a swap brings."""

    approved: bool = True
    """False where the venue takes by an allowance, which is used up."""

    usd: Decimal = Decimal(0)
    """What counts towards the user's day."""

    rest: Moved | None = None
    """What it leaves of that which it takes a part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Every balance at one moment.

    >>> eth = Account(Kind.WALLET, "", "ETH")
    >>> before = State(balances={eth: Decimal(3)})
    >>> stake = Order(action="stake_asset", venue="lido", moves=(Moved("ETH", Decimal(2)),))
    >>> before.apply(stake).balance(eth), before.balance(eth)
    (Decimal('1'), Decimal('3'))
    """

    balances: Mapping[Account, Decimal]
    used_usd: Decimal | None = None
    last: Moved | None = None
    """What "it" is in the next step; None where that is not one thing."""

    rest: Moved | None = None
    """What "the rest" is in the next step."""

    @classmethod
    def of(cls, context: Context) -> State:
        """Return the opening balances of a context."""
        return cls(balances=dict(_opening(context)), used_usd=context.used_today_usd)

    def balance(self, account: Account) -> Decimal:
        """Return a balance; an account that was never named is empty."""
        return self.balances.get(account, Decimal(0))

    def known(self, account: Account) -> Decimal | None:
        """Return a balance, None where nobody has said what it is."""
        return self.balances.get(account)

    def apply(self, order: Order) -> State:
        """Return the state after an order.

        Raises ``DataError`` A200 when an account would go below zero: a ledger does not overdraw,
        whatever was decided before.
        """
        with localcontext(EXACT):
            balances = dict(self.balances)
            for account, change in postings(order):
                if account.kind in MAY_BE_UNKNOWN and account not in balances:
                    continue
                after = balances.get(account, Decimal(0)) + change
                if after < 0 and account.kind is not Kind.OUTSIDE:
                    raise DataError(
                        f"{order.action} of {show(abs(change))} {account.asset} leaves "
                        f"{account.kind.value} {account.place} below zero",
                        where="ledger",
                        hint="judge the steps first; nothing was carried out",
                    )
                balances[account] = after
            used = None if self.used_usd is None else self.used_usd + order.usd
        last = order.yields or (order.moves[0] if len(order.moves) == 1 else None)
        return replace(self, balances=balances, used_usd=used, last=last, rest=order.rest)

    def total(self, asset: str) -> Decimal:
        """Return all tokens of an asset, wherever they lie: no step changes it."""
        with localcontext(EXACT):
            return sum(
                (v for a, v in self.balances.items() if a.asset == asset and a.kind in TOKENS),
                Decimal(0),
            )


def postings(order: Order) -> Sequence[Posting]:
    """Return what an order changes, account by account.

    Raises ``DataError`` A200 for an action that is not known.
    """
    found: list[Posting] = []
    for asset, amount in order.moves:
        found += _move(order, asset, amount)
    if order.yields is not None:
        asset, amount = order.yields
        found += [
            Posting(Account(Kind.OUTSIDE, order.venue, asset), -amount),
            Posting(Account(Kind.WALLET, "", asset), amount),
        ]
    return found


def _move(order: Order, asset: str, amount: Decimal) -> Iterator[Posting]:
    def at(kind: Kind, change: Decimal) -> Posting:
        place = "" if kind is Kind.WALLET else order.venue
        return Posting(Account(kind, place, asset), change)

    match order.action:
        case "deposit_asset":
            yield from (at(Kind.WALLET, -amount), at(Kind.LIQUIDITY, amount))
            yield from (at(Kind.COLLATERAL, amount), at(Kind.SUPPLIED, amount))
        case "withdraw_asset":
            yield from (at(Kind.LIQUIDITY, -amount), at(Kind.WALLET, amount))
            yield from (at(Kind.COLLATERAL, -amount), at(Kind.SUPPLIED, -amount))
        case "borrow_asset":
            yield from (at(Kind.LIQUIDITY, -amount), at(Kind.WALLET, amount))
            yield from (at(Kind.DEBT, amount), at(Kind.BORROWED, amount))
        case "repay_asset":
            yield from (at(Kind.WALLET, -amount), at(Kind.LIQUIDITY, amount))
            yield from (at(Kind.DEBT, -amount), at(Kind.BORROWED, -amount))
        case "stake_asset":
            yield from (at(Kind.WALLET, -amount), at(Kind.STAKED, amount))
        case "unstake_asset":
            yield from (at(Kind.STAKED, -amount), at(Kind.WALLET, amount))
        case "claim_rewards":
            yield from (at(Kind.REWARD, -amount), at(Kind.WALLET, amount))
        case "swap_asset":
            yield from (at(Kind.WALLET, -amount), at(Kind.OUTSIDE, amount))
        case _:
            raise DataError(
                f"the ledger knows no action {order.action!r}",
                where="ledger",
                hint="it carries out the actions of the domain defi",
            )
    if not order.approved:
        yield at(Kind.ALLOWANCE, -amount)


def _opening(context: Context) -> Iterator[tuple[Account, Decimal]]:
    for asset, amount in (context.wallet or {}).items():
        yield Account(Kind.WALLET, "", asset), amount
    yield from _holdings(Kind.STAKED, context.staked)
    yield from _holdings(Kind.REWARD, context.rewards)
    yield from _holdings(Kind.ALLOWANCE, context.allowances)
    positions = context.positions or {}
    yield from _holdings(Kind.COLLATERAL, {v: p.collateral for v, p in positions.items()})
    yield from _holdings(Kind.DEBT, {v: p.debts for v, p in positions.items()})
    reserves = {venue: market.reserves for venue, market in (context.markets or {}).items()}
    for kind in MAY_BE_UNKNOWN:
        stated = {
            venue: {asset: getattr(reserve, kind.value) for asset, reserve in there.items()}
            for venue, there in reserves.items()
        }
        yield from _holdings(kind, stated)


def _holdings(
    kind: Kind, stated: Mapping[str, Mapping[str, Decimal | str | None]] | None
) -> Iterator[tuple[Account, Decimal]]:
    """Yield what is a number; "unlimited" and what is not known are none."""
    for venue, holdings in (stated or {}).items():
        for asset, amount in holdings.items():
            if isinstance(amount, Decimal):
                yield Account(kind, venue, asset), amount
