"""Rules about the position after the step: what backs the debt, and how far it may fall.

With c the amounts of collateral, d of debt, p the prices, t the liquidation thresholds and l the
loan-to-value limits of the assets (for each the stricter of the market's and the policy's):

* loan-to-value = sum(d p) / sum(c p)
* capacity = sum(c p l): what the market lends against the collateral
* health factor = sum(c p t) / sum(d p)

Sources: Aave v3, ``GenericLogic.calculateUserAccountData`` and ``ValidationLogic.validateBorrow``
(github.com/aave/aave-v3-core); Compound v3, ``isBorrowCollateralized`` and ``isLiquidatable``
(github.com/compound-finance/comet), where l is the borrow and t the liquidate collateral factor.
Aave checks a withdrawal by the health factor only; Compound checks it by the capacity as well.
Covered: cross-collateral positions at one venue.  Not covered: e-mode, isolation mode, accrued
interest, Aave's rounding of the average threshold to basis points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from .exact import show, show_ratio
from .rule import Rule, at_least, at_most
from .ruling import Missing, Pass, Ruling
from .sight import Sight

RISKY = frozenset({"borrow_asset", "withdraw_asset"})
JUDGED = RISKY | {"repay_asset"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A position in dollars."""

    debt: Decimal
    collateral: Decimal
    capacity: Decimal
    """What the market lends against the collateral."""

    backing: Decimal
    """The debt from which on the position can be liquidated."""


def standing(sight: Sight) -> Standing:
    """Return the position after the step."""
    collateral, debts = sight.collateral_after(), sight.debts_after()
    worth = {asset: sight.usd(asset, amount) for asset, amount in collateral.items()}
    return Standing(
        debt=_sum(sight.usd(asset, amount) for asset, amount in debts.items()),
        collateral=_sum(worth.values()),
        capacity=_sum(value * sight.ltv_max(asset) for asset, value in worth.items()),
        backing=_sum(value * sight.threshold(asset) for asset, value in worth.items()),
    )


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


def capacity(sight: Sight) -> Ruling:
    """The market itself would lend that much against the collateral that is left."""
    if sight.step.action == "withdraw_asset" and sight.protocol() == "aave-v3":
        return Pass(rule="capacity", says="a withdrawal is held to the health factor", limit="none")
    if not sight.debts_after():
        return _no_debt("capacity")
    after = standing(sight)
    return at_most(
        "capacity",
        after.debt,
        after.capacity,
        says="dollars of debt, after the step",
        numbers={"debt_usd": show(after.debt), "capacity_usd": show(after.capacity)},
    )


def ltv(sight: Sight) -> Ruling:
    """The debt is a small enough part of the collateral."""
    if sight.step.action == "repay_asset":
        return _informative("ltv", sight)
    if not sight.debts_after():
        return _no_debt("ltv")
    after, most = standing(sight), sight.policy.ltv_max
    # Multiplied out: a quotient would have to be rounded, and a limit is exact.
    ruling = at_most(
        "ltv",
        after.debt,
        most * after.collateral,
        says="loan-to-value after the step",
        numbers=_numbers(after),
    )
    return replace(ruling, limit=f"<= {show(most)}")


def health(sight: Sight) -> Ruling:
    """The position is far enough from liquidation."""
    if sight.step.action == "repay_asset":
        return _informative("health", sight)
    if not sight.debts_after():
        return _no_debt("health")
    after, least = standing(sight), sight.policy.hf_min
    ruling = at_least(
        "health",
        after.backing,
        least * after.debt,
        says="health factor after the step",
        numbers=_numbers(after),
    )
    return replace(ruling, limit=f">= {show(least)}")


def _no_debt(rule: str) -> Pass:
    return Pass(rule=rule, says="no debt is left", numbers={"debt_usd": "0"}, limit="no debt")


def _informative(rule: str, sight: Sight) -> Pass:
    """Say where a repayment leads.  It lowers the debt, and is never refused for what is left."""
    says, limit = "a repayment lowers the debt", "none for a repayment"
    try:
        if not sight.debts_after():
            return _no_debt(rule)
        return Pass(rule=rule, says=says, numbers=_numbers(standing(sight)), limit=limit)
    except Missing as lack:
        says = f"{says}; what is left cannot be computed without {lack.path}"
        return Pass(rule=rule, says=says, limit=limit)


def _numbers(after: Standing) -> Mapping[str, str]:
    ratio = (
        show_ratio(after.debt, after.collateral, up=True) if after.collateral else "no collateral"
    )
    return {
        "ltv": ratio,
        "health": show_ratio(after.backing, after.debt, up=False),
        "debt_usd": show(after.debt),
        "collateral_usd": show(after.collateral),
    }


RULES = (
    Rule(id="capacity", says="the market lends that much", actions=RISKY, of=capacity),
    Rule(id="ltv", says="the debt is a small part of the collateral", actions=JUDGED, of=ltv),
    Rule(id="health", says="the position is far from liquidation", actions=JUDGED, of=health),
)
