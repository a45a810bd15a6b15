"""Rules about what is there: balances, positions, allowances, liquidity, caps."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from .exact import show
from .ledger import Kind
from .orders import approved
from .rule import Rule, at_most
from .ruling import Block, Missing, Pass, Ruling
from .sight import Sight

PAYING = frozenset({"deposit_asset", "swap_asset", "repay_asset", "stake_asset"})
_HOLDS = {
    "withdraw_asset": Kind.COLLATERAL,
    "repay_asset": Kind.DEBT,
    "unstake_asset": Kind.STAKED,
}


def balance(sight: Sight) -> Ruling:
    """The wallet holds what the step pays."""
    return _covered("balance", sight, Kind.WALLET, "in the wallet")


def position(sight: Sight) -> Ruling:
    """The venue holds, or is owed, what the step takes from it."""
    if sight.step.action != "claim_rewards":
        kind = _HOLDS[sight.step.action]
        return _covered("position", sight, kind, f"{kind.value} at {sight.venue}")
    found = sight.rewards()
    outcome = Pass if found else Block
    numbers = {moved.asset: show(moved.amount) for moved in found}
    return outcome(rule="position", says="rewards to claim", numbers=numbers, limit="above 0")


def _covered(rule: str, sight: Sight, kind: Kind, where: str) -> Pass | Block:
    has = sight.holding(kind, sight.asset)
    numbers = {"amount": show(sight.amount()), "has": show(has), "asset": sight.asset}
    says = f"{sight.asset} {where}"
    return at_most(rule, sight.amount(), has, says=says, numbers=numbers)


def allowance(sight: Sight) -> Ruling:
    """The venue may take what the step pays; a chain's own coin needs no allowance."""
    if sight.facts(sight.asset).native:
        return Pass(rule="allowance", says=f"{sight.asset} needs none", limit="none needed")
    allowed = sight.holding(Kind.ALLOWANCE, sight.asset)
    if approved(sight, sight.asset):
        return Pass(rule="allowance", says="without limit", limit="unlimited")
    numbers = {"amount": show(sight.amount()), "allowed": show(allowed), "asset": sight.asset}
    says = f"{sight.asset} that {sight.venue} may take"
    return at_most("allowance", sight.amount(), allowed, says=says, numbers=numbers)


def liquidity(sight: Sight) -> Ruling:
    """The market can pay out what the step takes."""
    free = sight.pool(Kind.LIQUIDITY, sight.asset)
    numbers = {"amount": show(sight.amount()), "free": show(free), "asset": sight.asset}
    says = f"{sight.asset} that lies in {sight.venue}"
    return at_most("liquidity", sight.amount(), free, says=says, numbers=numbers)


def supply_cap(sight: Sight) -> Ruling:
    """The market takes that much more of the asset."""
    return _capped("supply_cap", sight, Kind.SUPPLIED, sight.reserve(sight.asset).supply_cap)


def borrow_cap(sight: Sight) -> Ruling:
    """The market lends that much more of the asset."""
    return _capped("borrow_cap", sight, Kind.BORROWED, sight.reserve(sight.asset).borrow_cap)


def _capped(
    rule: str, sight: Sight, kind: Kind, cap: Decimal | Literal["none"] | None
) -> Pass | Block:
    if cap is None:
        raise Missing(rule, f"markets.{sight.venue}.reserves.{sight.asset}.{rule}")
    if cap == "none":
        return Pass(rule=rule, says="the market has none", limit="none")
    after = sight.pool(kind, sight.asset) + sight.amount()
    numbers = {"after": show(after), "asset": sight.asset}
    return at_most(
        rule, after, cap, says=f"{sight.asset} {kind.value} at {sight.venue}", numbers=numbers
    )


def collateral(sight: Sight) -> Ruling:
    """What a loan is said to be against is collateral at the venue."""
    if sight.step.value("collateral") is None:
        return Pass(rule="collateral", says="none is named", limit="any")
    named = sight.word("collateral")
    backing = sight.collateral_after()
    kind = Pass if named in backing else Block
    numbers = {"collateral": named, "has": show(backing.get(named, Decimal(0)))}
    return kind(rule="collateral", says=f"{named} at {sight.venue}", numbers=numbers, limit="> 0")


RULES = (
    Rule(id="balance", says="the wallet holds it", actions=PAYING, of=balance),
    Rule(
        id="position",
        says="the venue holds it, or is owed it",
        actions=frozenset({*_HOLDS, "claim_rewards"}),
        of=position,
    ),
    Rule(id="allowance", says="the venue may take it", actions=PAYING, of=allowance),
    Rule(
        id="liquidity",
        says="the market can pay it out",
        actions=frozenset({"borrow_asset", "withdraw_asset"}),
        of=liquidity,
    ),
    Rule(
        id="supply_cap",
        says="the market takes that much",
        actions=frozenset({"deposit_asset"}),
        of=supply_cap,
    ),
    Rule(
        id="borrow_cap",
        says="the market lends that much",
        actions=frozenset({"borrow_asset"}),
        of=borrow_cap,
    ),
    Rule(
        id="collateral",
        says="what the loan is against is there",
        actions=frozenset({"borrow_asset"}),
        of=collateral,
    ),
)
