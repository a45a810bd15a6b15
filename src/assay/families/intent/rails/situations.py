"""Situations to judge: on the limit of every rule, with something missing, and in several steps.

Covered: every rule on every action that it concerns, on four sides of its limit (at it, a last unit
inside, a last unit over, far over); every fact taken away; random requests of two to four steps,
with "all", "half", "it", percentages and dollars.  Not covered: what a real wallet holds; the shares
of allowed and blocked situations are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from ..draws import Draws
from .held_edges import HELD
from .said_edges import SAID
from .sides import EVERY, SIDES
from .situation import ASSETS, DEBT, VENUES, Scene, scene, text, whole

Made = Mapping[str, Any]
EDGES = {**SAID, **HELD}
"""Each rule: how a situation is put on its limit, and for which actions."""

OFTEN = {"capacity": 4, "ltv": 4, "health": 4}
"""Rules with the most arithmetic in them, and two actions only."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """One kind of situation."""

    name: str
    make: Callable[[Draws], Made]

    @property
    def tags(self) -> frozenset[str]:
        """The parts of its name."""
        return frozenset(self.name.split("/"))


def strata() -> tuple[Stratum, ...]:
    """Return every kind of situation, in a fixed order that begins with a bit of everything.

    >>> [one.name for one in strata()][:2]
    ['action/borrow_asset/at', 'steps/0']
    """
    limits = [
        Stratum(f"{rule}/{action}/{side}", _on_limit(rule, action, side))
        for side in SIDES
        for rule, (_, actions) in EDGES.items()
        for action in actions
        for _ in range(OFTEN.get(rule, 1))
    ]
    lacks = [
        Stratum(f"missing/{action}/{k}", _lacking(action)) for action in EVERY for k in "abcdef"
    ]
    stories = [Stratum(f"steps/{number}", story) for number in range(100)]
    return tuple(_mixed(limits, [*stories, *lacks]))


def _mixed(many: list[Stratum], few: list[Stratum]) -> Iterator[Stratum]:
    """Yield the few evenly among the many."""
    due = Fraction(len(few), len(many))
    done = 0
    for place, one in enumerate(many, start=1):
        yield one
        while done < place * due:
            yield few[done]
            done += 1


def _on_limit(rule: str, action: str, side: str) -> Callable[[Draws], Made]:
    place, _ = EDGES[rule]

    def make(draws: Draws) -> Made:
        made = scene(action, draws)
        place(made, next(known for known in SIDES if known == side))
        return made.json()

    return make


# --- something is missing -------------------------------------------------------------------

_SECTIONS = (
    *("chain", "assets", "wallet", "allowances", "positions", "markets", "prices", "staked"),
    *("rewards", "quotes", "used_today_usd"),
)
_LINES = ("liquidity", "supplied", "supply_cap", "borrowed", "borrow_cap")


def _lacking(action: str) -> Callable[[Draws], Made]:
    def make(draws: Draws) -> Made:
        made = scene(action, draws)
        if draws.unit() < 0.5:
            made.slots["chain"] = draws.one_of(("Ethereum", "Base", "Solana"))
        taken = list(_removable(made))
        holder, key = draws.one_of(taken)
        del holder[key]
        return made.json()

    return make


def _removable(made: Scene) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what can be taken away: a section, an entry, a line, a slot."""
    context = made.context
    for section in _SECTIONS:
        if section in context:
            yield context, section
    for asset in (made.asset, DEBT):
        yield context["prices"], asset
        yield context["prices"][asset], "reference"
    yield context["assets"], made.asset
    for role in made.slots:
        yield made.slots, role
    if "markets" in context:
        reserves = context["markets"][made.venue]["reserves"]
        yield context["markets"], made.venue
        yield context["positions"], made.venue
        yield reserves, made.asset
        yield from ((reserves[made.asset], line) for line in _LINES)


_ITS: Sequence[Any] = (
    *("previous", "previous", "previous", "rest"),
    *({"value": part, "unit": "previous"} for part in ("half", "third", "all")),
)
"""Of what the step before brought, or left."""


# --- several steps --------------------------------------------------------------------------


def story(draws: Draws) -> Made:
    """Draw a request of two to four steps over a wallet that has a bit of everything."""
    made = scene("borrow_asset", draws)
    context, policy = made.context, made.policy
    policy["tx_usd"] = {"min": "0", "max": "none" if draws.unit() < 0.7 else "2000"}
    policy["day_usd_max"] = "none" if draws.unit() < 0.5 else str(whole(draws, 1000, 20_000))
    policy["ltv_max"] = text(Fraction(whole(draws, 20, 80), 100))

    def worth(asset: str, low: int, high: int) -> str:
        dollars = Fraction(whole(draws, low, high))
        return text(dollars / made.price(asset), min(4, ASSETS[asset][0]))

    context["wallet"] = {asset: worth(asset, 500, 9000) for asset in ASSETS}
    places = [made.venue, "uniswap", "lido", "rocketpool", "curve"]
    context["allowances"] = {
        place: {a: "unlimited" if draws.unit() < 0.7 else worth(a, 0, 3000) for a in ASSETS}
        for place in places
    }
    context["staked"] = {"lido": {"ETH": worth("ETH", 500, 9000), "OP": worth("OP", 500, 6000)}}
    context["rewards"] = {
        made.venue: {"OP": "12.5", "LINK": "0"},
        "lido": {"ETH": "0.01", "OP": "3"},
    }
    context["quotes"] = []
    made.steps.clear()
    for place in range(whole(draws, 2, 4)):
        made.steps.append(_next(made, places, worth, first=place == 0))
    return made.json()


def _next(
    made: Scene, places: list[str], worth: Callable[[str, int, int], str], *, first: bool
) -> dict[str, Any]:
    draws = made.draws
    action = draws.one_of(EVERY)
    there = [place for place in places if action in VENUES[place]]
    venue = draws.one_of(there if draws.unit() < 0.97 else list(VENUES))
    asset = draws.one_of(("ETH", "OP") if "stake" in action else tuple(ASSETS))
    if draws.unit() < 0.9:  # as somebody would who knows what is there
        venue, asset = _sensible(made, action, venue, asset)
    slots: dict[str, Any] = {"venue": venue}
    if action == "claim_rewards":
        return {"action": action, "slots": slots}
    slots["asset"] = asset
    slots["amount"] = {"value": worth(asset, 5, 2500), "unit": asset}
    if action == "swap_asset":
        bought = draws.one_of([name for name in ASSETS if name != asset])
        slots["to_asset"] = bought
        _offer(made, venue, asset, bought, slots["amount"]["value"])
        if draws.unit() < 0.25 and made.context["quotes"]:  # so much is to be bought
            slots["amount"] = {"value": _dearer(made)["expected"], "unit": bought}
        return {"action": action, "slots": slots}
    how = draws.unit()
    if how < 0.15 and (action != "borrow_asset" or how < 0.02):
        slots["amount"] = draws.one_of(("all", "half", "third", "quarter"))
    elif how < 0.25 and action != "borrow_asset":
        slots["amount"] = {
            "value": draws.one_of(("7", "25", "50", "99.9", "100", "101")),
            "unit": "percent",
        }
    elif how < 0.35:
        slots["amount"] = {"value": str(whole(draws, 1, 2500)), "unit": "usd"}
    elif how < 0.6 and not first:
        slots["amount"] = draws.one_of(_ITS)
        slots["asset"] = "previous"
        if slots["amount"] == "previous":
            del slots["asset"]
    return {"action": action, "slots": slots}


def _dearer(made: Scene) -> dict[str, Any]:
    """Let others ask more, or elsewhere less, for what the last quote brings; return that quote."""
    quotes = made.context["quotes"]
    last: dict[str, Any] = quotes[-1]
    other = "curve" if last["venue"] == "uniswap" else "uniswap"
    asked = Fraction(last["amount"])
    for more in ({"amount": text(asked * 2)}, {"amount": text(asked / 2), "venue": other}):
        if not _is_offered(quotes, {**last, **more}):
            quotes.insert(0, {**last, **more})
    return last


def _sensible(made: Scene, action: str, venue: str, asset: str) -> tuple[str, str]:
    match action:
        case "withdraw_asset":
            return made.venue, next(iter(made.position["collateral"]))
        case "repay_asset":
            return made.venue, DEBT
        case "unstake_asset":
            return "lido", asset
        case "claim_rewards" if venue == "curve":
            return "lido", asset
        case _:
            return venue, asset


def _offer(made: Scene, venue: str, sold: str, bought: str, amount: str) -> None:
    quotes, now = made.context["quotes"], datetime.fromisoformat(made.context["now"])
    swap = {"venue": venue, "sell": sold, "buy": bought, "amount": amount}
    if not Fraction(amount) or _is_offered(quotes, swap):
        return
    lost = Fraction(made.policy["slippage_max"]) * whole(made.draws, 0, 120) / 100
    expected = Fraction(amount) * made.price(sold) / made.price(bought) * (1 - lost)
    at = now - timedelta(seconds=whole(made.draws, 0, 40))
    quotes.append({**swap, "expected": text(expected, ASSETS[bought][0]), "at": at.isoformat()})


def _is_offered(quotes: Sequence[Mapping[str, str]], swap: Mapping[str, str]) -> bool:
    """Whether there is a quote for this very swap: a context has at most one."""

    def key(quote: Mapping[str, str]) -> tuple[object, ...]:
        return quote["venue"], quote["sell"], quote["buy"], Fraction(quote["amount"])

    return key(swap) in map(key, quotes)
