"""What is said of a sheet, in plain values for programs."""

from __future__ import annotations

from typing import Any

from assay.estimates import facts as estimate_facts

from .scoring import Category, Scored, Unmeasured
from .sensitivity import NEAR
from .sheet import Ranked, Sheet
from .telling import DISPLAY, is_documented, over


def facts(sheet: Sheet) -> dict[str, Any]:
    """Return everything as plain values; what is not measured is null, with its reason."""
    places = {name: ranked for ranked in sheet.ranked for name in ranked.systems}
    return {
        "says": DISPLAY,
        "weights": dict(sheet.weights),
        "documented": is_documented(sheet.weights),
        "renormalised": sheet.renormalise,
        "edge": sheet.speeds.says or None,
        "systems": [_system_facts(sheet, one, places.get(one.system)) for one in sheet.scored],
        "tasks": [
            {
                "task": m.task,
                "category": m.of.category,
                "name": m.of.name,
                "chance": m.chance,
                "n": m.n,
                "groups": m.n_groups,
            }
            for m in sheet.gathered.members
        ],
        "left_out": dict(sheet.gathered.left_out),
        "sensitivity": [_order_facts(one) for one in sheet.ranked if len(one.systems) > 1],
    }


def _system_facts(sheet: Sheet, one: Scored, ranked: Ranked | None) -> dict[str, Any]:
    entry = sheet.entry(one.system)
    found: dict[str, Any] = {
        "system": one.system,
        "control": entry.control,
        "origin": entry.origin,
        "score": None if one.total is None else estimate_facts(one.total),
        "weights": dict(one.weights),
        "renormalised": bool(one.weights) and bool(over(sheet, one)),
        "missing": list(one.missing),
        "categories": {k: _category_facts(one.system, c) for k, c in one.categories.items()},
        "rank": None,
    }
    if ranked is not None:
        at = ranked.systems.index(one.system)
        found["rank"] = {
            "value": ranked.ranks[one.system],
            "best": int(ranked.bands.best[at]),
            "worst": int(ranked.bands.worst[at]),
            "of": len(ranked.systems),
            "confidence": ranked.bands.confidence,
        }
    return found


def _category_facts(system: str, found: Category) -> dict[str, Any]:
    if isinstance(found, Unmeasured):
        return {"score": None, "why": found.why}
    return {
        "score": estimate_facts(found.found),
        "above_chance": estimate_facts(found.raw),
        "tasks": {
            part.member.task: {
                "value": part.member.values[system],
                "worth": part.member.worth[system],
                "counts": part.counts,
            }
            for part in found.parts
        },
    }


def _order_facts(ranked: Ranked) -> dict[str, Any]:
    order = ranked.order
    swap = order.swap
    return {
        "systems": list(ranked.systems),
        "categories": list(ranked.weights),
        "ranks": {
            said: dict(zip(ranked.systems, each, strict=True))
            for said, each in order.orders.items()
        },
        "first_near": dict(zip(ranked.systems, order.first_near, strict=True)),
        "first_any": dict(zip(ranked.systems, order.first_any, strict=True)),
        "concentration": NEAR,
        "swap": None
        if swap is None
        else {
            "first": swap.first,
            "second": swap.second,
            "moved": swap.moved,
            "takes": dict(swap.takes),
            "gives": swap.gives,
        },
    }
