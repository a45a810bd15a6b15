"""The truth about a situation, found out a second time: other numbers, another way, no shared code.

The rules compute in decimals, on balances that a ledger carries from step to step, and compare
products.  Here everything is a fraction; a balance is the sum of all events since the beginning,
added up whenever it is asked for; and a limit on a position is turned into the largest amount that
keeps it, in closed form.  It reads the JSON of a situation, not the documents of the rails.

Not to be trusted when the specification itself (``docs/families/rails.md``) is wrong: both read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from .oracle_checks import ORDER, PAYS, broken
from .oracle_view import History, View


@dataclass(frozen=True, slots=True)
class Truth:
    """What should happen."""

    reason: str
    """Empty where the steps may be carried out."""

    step: int
    """From 1; 0 where nothing is blocked."""

    broken: frozenset[str]
    """Every rule that the blocked step breaks, and ``missing:...``."""

    after: Mapping[tuple[str, str, str], Fraction] = field(default_factory=dict)
    """Where the steps may be carried out: every balance behind them, by kind, venue and asset."""


def truth_of(situation: Mapping[str, Any]) -> Truth:
    """Return what should happen to a situation: ``steps``, ``context`` and ``policy`` as JSON.

    >>> truth_of({"steps": [], "context": {}, "policy": {}}).reason
    'missing:steps'
    """
    if not situation["steps"]:
        return Truth("missing:steps", 0, frozenset({"missing:steps"}))
    context, policy = situation["context"], situation["policy"]
    used = context.get("used_today_usd")
    view = View(
        context=context,
        policy=policy,
        history=History(list(_opening(context))),
        used=None if used is None else Fraction(used),
        step=situation["steps"][0],
    )
    for number, step in enumerate(situation["steps"], start=1):
        view = replace(view, step=step)
        found = dict(broken(view))
        if found:
            first = next(rule for rule in ORDER if rule in found)
            return Truth(found[first], number, frozenset(found.values()))
        view = _carried_out(view)
    named = {event[:3] for event in view.history.events}
    return Truth("", 0, frozenset(), {place: view.history.total(*place) for place in named})


def _opening(context: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Fraction]]:
    places: list[tuple[str, str, Mapping[str, Any]]] = [("wallet", "", context.get("wallet", {}))]
    for kind in ("staked", "rewards", "allowances"):
        places += [(kind, place, held) for place, held in context.get(kind, {}).items()]
    for place, held in context.get("positions", {}).items():
        places += [("collateral", place, held["collateral"]), ("debt", place, held["debts"])]
    for place, market in context.get("markets", {}).items():
        for kind in ("liquidity", "supplied", "borrowed"):
            listed = market["reserves"].items()
            places.append((kind, place, {a: line[kind] for a, line in listed if kind in line}))
    for kind, place, held in places:
        for asset, amount in held.items():
            if amount != "unlimited":
                yield kind, place, asset, Fraction(amount)


def _carried_out(view: View) -> View:
    """Write down what the step does, and return what the next one sees."""
    if view.action == "claim_rewards":
        return _claimed(view)
    venue, write = view.name("venue"), view.history.events.append
    asset, amount = view.name("asset"), view.amount()
    dollars, after, rest = amount * view.usd(asset), (asset, amount), _left(view)
    if view.action == "swap_asset":
        after = (view.name("to_asset"), Fraction(view.offer()["expected"]))
        write(("wallet", "", *after))
        write(("outside", venue, after[0], -after[1]))
    free = view.context.get("allowances", {}).get(venue, {}).get(asset) == "unlimited"
    if view.action in PAYS and not free and not view.context["assets"][asset].get("native"):
        write(("allowances", venue, asset, -amount))
    for kind, sign in EFFECTS[view.action].items():
        known = kind not in ("liquidity", "supplied", "borrowed")
        if known or asset in view.history.assets(kind, venue):
            write((kind, "" if kind == "wallet" else venue, asset, sign * amount))
    used = None if view.used is None else view.used + dollars
    return replace(view, previous=after, rest=rest, used=used)


def _left(view: View) -> tuple[str, Fraction] | None:
    """Return what the step leaves of what it takes its amount from."""
    slot = view.slot("amount")
    if slot is None or (view.action == "borrow_asset" and not {"previous", "rest"} & set(slot)):
        return None
    if "previous" in slot:
        before = view.previous
    elif "rest" in slot:
        before = view.rest
    else:
        before = (view.name("asset"), view.whole())
    return before and (before[0], before[1] - view.amount())


def _claimed(view: View) -> View:
    venue, write = view.name("venue"), view.history.events.append
    claimed = [a for a in sorted(view.history.assets("rewards", venue)) if view.claims(a)]
    brought = [(asset, view.history.total("rewards", venue, asset)) for asset in claimed]
    for asset, units in brought:
        write(("rewards", venue, asset, -units))
        write(("wallet", "", asset, units))
    return replace(view, previous=brought[0] if len(brought) == 1 else None, rest=None)


EFFECTS: Mapping[str, Mapping[str, int]] = {
    "deposit_asset": {"wallet": -1, "collateral": 1, "liquidity": 1, "supplied": 1},
    "withdraw_asset": {"wallet": 1, "collateral": -1, "liquidity": -1, "supplied": -1},
    "borrow_asset": {"wallet": 1, "debt": 1, "liquidity": -1, "borrowed": 1},
    "repay_asset": {"wallet": -1, "debt": -1, "liquidity": 1, "borrowed": -1},
    "stake_asset": {"wallet": -1, "staked": 1},
    "unstake_asset": {"wallet": 1, "staked": -1},
    "swap_asset": {"wallet": -1, "outside": 1},
}
