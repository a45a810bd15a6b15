"""Limits of what is said and quoted: names, amounts, prices, offers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from .sides import EVERY, KEPT, MOVING, TINY, Place, Side, beyond
from .situation import ASSETS, DEBT, VENUES, Scene, text, whole


def _action(scene: Scene, side: Side) -> None:
    if side not in KEPT:
        scene.steps[0]["action"] = scene.draws.one_of(
            ("mint_asset", "swap_assets", "transfer_asset", "Deposit_Asset", "approve", "")
        )


def _asset(scene: Scene, side: Side) -> None:
    match side:
        case "over":
            scene.policy["assets"] = [n for n in ASSETS if n != scene.asset]
            scene.policy["risk"].pop(scene.asset, None)
        case "far" if scene.action == "swap_asset" and scene.draws.unit() < 0.5:
            scene.slots["to_asset"] = scene.draws.one_of(("PEPE", "dai", "USDC.e"))
        case "far":
            scene.slots["asset"] = scene.draws.one_of(("PEPE", "eth", "USDC.e"))
        case _:
            pass


def _venue(scene: Scene, side: Side) -> None:
    if side == "over":
        del scene.policy["venues"][scene.venue]
    elif side == "far":
        scene.slots["venue"] = scene.draws.one_of(("Aave", "ponzi", "aave ", "uniswap-v9"))


def _support(scene: Scene, side: Side) -> None:
    allowed = scene.policy["venues"][scene.venue]
    if side == "over":
        allowed.remove(scene.action)
    elif side == "far":
        other = [n for n, actions in VENUES.items() if scene.action not in actions]
        scene.slots["venue"] = scene.draws.one_of(other)
    elif side == "at":
        scene.policy["venues"][scene.venue] = [scene.action]


def _chain(scene: Scene, side: Side) -> None:
    match side:
        case "at":
            scene.slots["chain"] = "Ethereum"
        case "over":
            scene.slots["chain"] = "Base"
        case "far" if scene.draws.unit() < 0.5:
            scene.context["chain"] = "Solana"
        case "far":
            scene.slots["chain"] = "Solana"
        case _:
            pass


def _pair(scene: Scene, side: Side) -> None:
    if side not in KEPT:
        scene.slots["to_asset"] = scene.asset
        scene.context["quotes"][0]["buy"] = scene.asset
        scene.context["quotes"][0]["expected"] = scene.slots["amount"]["value"]


def _amount(scene: Scene, side: Side) -> None:
    if scene.action == "claim_rewards":
        said = "all" if side == "at" else scene.draws.one_of(("5", "half", "-1"))
        scene.slots.update({} if side == "inside" else {"amount": said})
        return
    digits = ASSETS[scene.asset][0]
    match side:
        case "at":
            scene.policy["tx_usd"]["min"] = "0"
            scene.set_amount(scene.unit)
        case "inside":
            scene.set_amount(scene.amount + scene.unit)
        case "over":
            scene.set_amount(scene.amount + Fraction(1, 10 ** (digits + 1)))
        case _:
            said = scene.draws.one_of(
                ("0", "-5", "NaN", "Infinity", "1" + "0" * 40, "", "1,5", "x")
            )
            scene.slots["amount"] = {"value": said, "unit": scene.asset}


def _oracle_age(scene: Scene, side: Side) -> None:
    price = scene.context["prices"][scene.draws.one_of(_priced(scene))]
    dated = price if scene.draws.unit() < 0.6 else price["reference"]
    _date(scene, dated, side, scene.policy["price_age_max_s"])


def _quote_age(scene: Scene, side: Side) -> None:
    _date(scene, scene.context["quotes"][0], side, scene.policy["quote_age_max_s"])


def _date(scene: Scene, dated: dict[str, str], side: Side, most_s: int) -> None:
    now, micro = datetime.fromisoformat(scene.context["now"]), timedelta(microseconds=1)
    most, future = timedelta(seconds=most_s), scene.draws.unit() < 0.3
    age = {
        "at": timedelta(0) if future else most,
        "inside": micro if future else most - micro,
        "over": -micro if future else most + micro,
        "far": -most if future else most * whole(scene.draws, 2, 50),
    }[side]
    dated["at"] = (now - age).isoformat()


def _priced(scene: Scene) -> list[str]:
    """Return assets whose price decides about the step."""
    found = [scene.asset]
    if scene.action == "swap_asset":
        found.append(scene.slots["to_asset"])
    if scene.action in ("borrow_asset", "withdraw_asset"):
        found += [*scene.position["collateral"], *scene.position["debts"]]
    return sorted(set(found))


def _oracle_deviation(scene: Scene, side: Side) -> None:
    price = scene.context["prices"][scene.draws.one_of(_priced(scene))]
    second = Fraction(price["usd"])
    most = Fraction(scene.policy["deviation_max"])
    apart = beyond(scene, side, most, TINY, low=False)
    apart = apart if scene.draws.unit() < 0.5 else -apart
    price["reference"]["usd"] = text(second)
    price["usd"] = text(second * (1 + apart))
    if scene.action != "claim_rewards":
        scene.requote()


def _slippage(scene: Scene, side: Side) -> None:
    most = Fraction(scene.policy["slippage_max"])
    asked = beyond(scene, side, most, Fraction(1, 10**6), low=False)
    units = scene.draws.one_of((("percent", 100), ("bps", 10_000)))
    scene.slots["slippage"] = {"value": text(asked * units[1]), "unit": units[0]}
    if side == "far" and scene.draws.unit() < 0.3:
        scene.slots["slippage"] = {"value": scene.draws.one_of(("0.5", "-1")), "unit": ""}


def _quote(scene: Scene, side: Side) -> None:
    tolerance = Fraction(scene.policy["slippage_max"])
    if scene.draws.unit() < 0.5:  # the step's own, stricter tolerance
        tolerance = tolerance * whole(scene.draws, 1, 9) / 10
        scene.slots["slippage"] = {"value": text(tolerance * 100), "unit": "percent"}
    # Against a dollar a unit, so that the limit itself can be written down.
    bought = "USDC" if scene.asset == DEBT else DEBT
    scene.context["prices"][bought]["usd"] = scene.context["prices"][bought]["reference"]["usd"] = (
        "1"
    )
    scene.slots["to_asset"] = scene.context["quotes"][0]["buy"] = bought
    worth = scene.usd * (1 - tolerance)
    expected = beyond(scene, side, worth, TINY, low=True)
    scene.context["quotes"][0]["expected"] = text(expected)


SAID: Mapping[str, tuple[Place, tuple[str, ...]]] = {
    "action": (_action, EVERY),
    "asset": (_asset, MOVING),
    "venue": (_venue, EVERY),
    "support": (_support, EVERY),
    "chain": (_chain, EVERY),
    "pair": (_pair, ("swap_asset",)),
    "amount": (_amount, EVERY),
    "oracle_age": (_oracle_age, MOVING),
    "oracle_deviation": (_oracle_deviation, MOVING),
    "slippage": (_slippage, ("swap_asset",)),
    "quote_age": (_quote_age, ("swap_asset",)),
    "quote": (_quote, ("swap_asset",)),
}
"""Each rule: how a situation is put on its limit, and for which actions."""
