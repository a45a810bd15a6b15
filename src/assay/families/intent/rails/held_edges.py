"""Limits of what is held and owed: balances, positions, markets, a user's day."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from .sides import MOVING, PAYING, RISKY, TINY, Place, Side, beyond
from .situation import ASSETS, DEBT, Scene, text, whole


def _balance(scene: Scene, side: Side) -> None:
    held = beyond(scene, side, scene.amount, scene.unit, low=True)
    scene.context["wallet"][scene.asset] = text(held)


def _position(scene: Scene, side: Side) -> None:
    if scene.action == "claim_rewards":
        there = {"at": "0.000000000000000001", "inside": "7"}.get(side, "0")
        scene.context["rewards"] = {scene.venue: {scene.asset: there}}
        if side == "far":
            scene.context["rewards"] = {"elsewhere": {scene.asset: "5"}}
        return
    held = text(beyond(scene, side, scene.amount, scene.unit, low=True))
    match scene.action:
        case "unstake_asset":
            scene.context["staked"][scene.venue][scene.asset] = held
        case "repay_asset":
            scene.position["debts"][scene.asset] = held
        case _:
            scene.position["collateral"][scene.asset] = held
            scene.position["debts"].clear()


def _allowance(scene: Scene, side: Side) -> None:
    if scene.asset == "ETH":  # needs none, so that it does not matter
        scene.context["allowances"] = {scene.venue: {}}
        return
    allowed = beyond(scene, side, scene.amount, scene.unit, low=True)
    scene.context["allowances"] = {scene.venue: {scene.asset: text(allowed)}}


def _liquidity(scene: Scene, side: Side) -> None:
    free = beyond(scene, side, scene.amount, scene.unit, low=True)
    scene.reserve(scene.asset)["liquidity"] = text(free)


def _supply_cap(scene: Scene, side: Side) -> None:
    _cap(scene, side, "supplied", "supply_cap")


def _borrow_cap(scene: Scene, side: Side) -> None:
    _cap(scene, side, "borrowed", "borrow_cap")


def _cap(scene: Scene, side: Side, kind: str, cap: str) -> None:
    line = scene.reserve(scene.asset)
    after = Fraction(line[kind]) + scene.amount
    line[cap] = text(beyond(scene, side, after, scene.unit, low=True))


def _collateral(scene: Scene, side: Side) -> None:
    held = next(iter(scene.position["collateral"]))
    scene.slots["collateral"] = held
    others = [name for name in ASSETS if name not in (held, DEBT)]
    match side:
        case "over":
            other = scene.draws.one_of(others)
            scene.slots["collateral"] = other
            scene.position["collateral"][other] = "0"
        case "far" if scene.draws.unit() < 0.5:
            scene.slots["collateral"] = scene.draws.one_of(others)
        case "far":  # there, but it backs nothing
            other = scene.draws.one_of(others)
            scene.slots["collateral"] = other
            scene.position["collateral"][other] = "3"
            scene.reserve(other).update(ltv_max="0", liquidation_threshold="0")
            scene.policy["risk"].pop(other, None)
        case _:
            pass


def _capacity(scene: Scene, side: Side) -> None:
    scene.policy.update(ltv_max="1", hf_min="1")
    _indebt(scene, side, _power(scene, "ltv_max"))


def _ltv(scene: Scene, side: Side) -> None:
    most = Fraction(whole(scene.draws, 25, 45), 100)
    scene.policy.update(ltv_max=text(most), hf_min="1")
    _indebt(scene, side, most * _power(scene, ""))


def _health(scene: Scene, side: Side) -> None:
    least = scene.draws.one_of((Fraction(5, 4), Fraction(8, 5), Fraction(2), Fraction(5, 2)))
    scene.policy.update(ltv_max="1", hf_min=text(least))
    _indebt(scene, side, _power(scene, "liquidation_threshold") / least)


def _power(scene: Scene, what: str) -> Fraction:
    """Return the dollars of collateral after the step, each weighed with a share."""
    total = Fraction(0)
    for name, held in scene.position["collateral"].items():
        takes = scene.action == "withdraw_asset" and name == scene.asset
        units = Fraction(held) - (scene.amount if takes else 0)
        weight = Fraction(1)
        if what:
            weight = Fraction(scene.reserve(name)[what])
            house = scene.policy["risk"].get(name)
            weight = weight if house is None else min(weight, Fraction(house[what]))
        total += units * scene.price(name) * weight
    return total


def _indebt(scene: Scene, side: Side, most: Fraction) -> None:
    """Give the user so much debt at a dollar a unit that the step ends on a limit."""
    adds = scene.usd if scene.action == "borrow_asset" else Fraction(0)
    if side == "far":
        debt = most * whole(scene.draws, 101, 300) / 100
    else:
        debt = beyond(scene, side, most, TINY, low=False)
    scene.position["debts"] = {DEBT: text(max(debt - adds, Fraction(0)))}


def _tx_min(scene: Scene, side: Side) -> None:
    least = beyond(scene, side, scene.usd, TINY, low=False)
    scene.policy.update(tx_usd={"min": text(least), "max": "none"}, day_usd_max="none")


def _tx_max(scene: Scene, side: Side) -> None:
    most = beyond(scene, side, scene.usd, TINY, low=True)
    scene.policy["tx_usd"] = {"min": "0", "max": text(most)}


def _day_max(scene: Scene, side: Side) -> None:
    after = scene.usd + Fraction(scene.context["used_today_usd"])
    most = beyond(scene, side, after, TINY, low=True)
    scene.policy.update(tx_usd={"min": "0", "max": "none"}, day_usd_max=text(most))


HELD: Mapping[str, tuple[Place, tuple[str, ...]]] = {
    "balance": (_balance, PAYING),
    "position": (_position, ("withdraw_asset", "repay_asset", "unstake_asset", "claim_rewards")),
    "allowance": (_allowance, PAYING),
    "liquidity": (_liquidity, RISKY),
    "supply_cap": (_supply_cap, ("deposit_asset",)),
    "borrow_cap": (_borrow_cap, ("borrow_asset",)),
    "collateral": (_collateral, ("borrow_asset",)),
    "capacity": (_capacity, RISKY),
    "ltv": (_ltv, RISKY),
    "health": (_health, RISKY),
    "tx_min": (_tx_min, MOVING),
    "tx_max": (_tx_max, MOVING),
    "day_max": (_day_max, MOVING),
}
"""Each rule: how a situation is put on its limit, and for which actions."""
