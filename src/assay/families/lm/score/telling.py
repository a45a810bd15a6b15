"""What is said of a sheet, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from assay import Estimate

from ..edge.profiles import QUIET
from ..harness.categories import CATEGORIES
from .draws import RESAMPLES
from .members import DOCUMENTED
from .scoring import Measured, Part, Scored, Unmeasured
from .sensitivity import Swap
from .sheet import Ranked, Sheet

Line: TypeAlias = "str | tuple[str, ...]"

DISPLAY = "a display, not a claim"
BAR = 20


def lines(sheet: Sheet) -> Iterator[Line]:
    """Yield what people read: the table, each system, and how the order hangs on the weights."""
    yield f"Score, 0 to 100: {DISPLAY}. What has to be decided stands as a claim in a plan."
    yield f"Weights: {_weights(sheet.weights)}"
    yield (
        f"In brackets: 95 %, from {RESAMPLES:,} resamples of the same samples for all systems; "
        "ranks hold for all of them at once"
    )
    if sheet.speeds.says:
        yield f"Edge: {sheet.speeds.says}"
    yield ""
    yield from _table(sheet)
    for one in sheet.scored:
        if not sheet.entry(one.system).control:
            yield ""
            yield from _system(sheet, one)
    for ranked in sheet.ranked:
        if len(ranked.systems) > 1 and len(ranked.weights) > 1:
            yield ""
            yield from _order(ranked)
    if notes := [*_notes(sheet)]:
        yield ""
        yield from notes


def _table(sheet: Sheet) -> Iterator[Line]:
    places = {name: ranked for ranked in sheet.ranked for name in ranked.systems}
    yield "system", "score", "", "rank", ""
    for one in sheet.scored:
        entry = sheet.entry(one.system)
        name = f"{one.system} (control)" if entry.control else one.system
        if entry.origin != "measured":
            name += f" ({entry.origin})"
        if one.total is None:
            if not entry.control:
                yield name, "none", "", "", f"not measured: {', '.join(_missing(sheet, one))}"
            continue
        ranked = places.get(one.system)
        rank = "" if ranked is None else _rank(ranked, one.system)
        said = [over(sheet, one), _unsure(one)]
        said += [] if entry.control else [_no_better(sheet, one)]
        yield name, _ends(one.total), _bar(one.total.value), rank, "; ".join(filter(None, said))


def _missing(sheet: Sheet, one: Scored) -> list[str]:
    """Return what keeps a system from having a number."""
    return [name for name in one.missing if sheet.weights[name] > 0]


def over(sheet: Sheet, one: Scored) -> str:
    """Say over what a number was renormalised; nothing where it was not, or there is none."""
    whole, points = sum(sheet.weights.values()), sum(sheet.weights[k] for k in one.weights)
    if not one.weights or points >= whole * (1 - 1e-12):
        return ""
    return f"renormalised: {points:g} of {whole:g} points ({', '.join(one.weights)})"


def _unsure(one: Scored) -> str:
    """Say which category keeps a score from having an interval."""
    if one.total is None or one.total.low is not None:
        return ""
    found = [(k, one.categories[k]) for k in one.weights]
    named = [k for k, each in found if isinstance(each, Measured) and each.found.low is None]
    return ": ".join(filter(None, ("too few groups for an interval", ", ".join(named))))


def _no_better(sheet: Sheet, one: Scored) -> str:
    """Say which control does as well, over the same categories."""
    controls = [
        other
        for other in sheet.scored
        if sheet.entry(other.system).control and other.weights == one.weights
    ]
    best = max(controls, key=_number, default=None)
    return f"no better than {best.system}" if best and _number(best) >= _number(one) else ""


def _number(one: Scored) -> float:
    return -1.0 if one.total is None or one.total.value is None else one.total.value


def _rank(ranked: Ranked, system: str) -> str:
    if len(ranked.systems) == 1:
        return ""
    at = ranked.systems.index(system)
    best, worst = int(ranked.bands.best[at]), int(ranked.bands.worst[at])
    return f"{ranked.ranks[system]} [{best}, {worst}] of {len(ranked.systems)}"


def _system(sheet: Sheet, one: Scored) -> Iterator[Line]:
    said = over(sheet, one)
    yield f"{one.system}, {said}" if said else one.system
    yield "  category", "weight", "score", "", "below it its tasks, in points above chance"
    for name, found in one.categories.items():
        weight = f"{sheet.weights[name]:g}"
        if isinstance(found, Unmeasured):
            if sheet.weights[name] > 0:
                yield f"  {name}", weight, "not measured", "", found.why
            continue
        notes = (
            _below(found),
            _like_control(sheet, name, found),
            _few(found),
            _without(name, found),
        )
        said = "; ".join(filter(None, notes))
        yield f"  {name}", weight, _ends(found.found), _bar(found.found.value), said
        for part in found.parts:
            yield f"    {part.member.task}", "", f"{100 * part.counts:+.1f}", "", _part(part, one)


def _like_control(sheet: Sheet, name: str, found: Measured) -> str:
    """Say which control does as well in a category."""
    best, most = "", found.raw.value or 0.0
    for other in sheet.scored:
        theirs = other.categories[name]
        if sheet.entry(other.system).control and isinstance(theirs, Measured):
            value = theirs.raw.value or 0.0
            if value >= most:
                best, most = other.system, value
    return f"no better than {best}" if best else ""


def _below(found: Measured) -> str:
    below = (found.raw.value or 0.0) < 0
    return f"below chance: {_ends(found.raw)}, counts 0" if below else ""


def _few(found: Measured) -> str:
    """Say why a category has no interval."""
    if found.found.low is not None or not found.parts:
        return ""
    fewest = min((part.member for part in found.parts), key=lambda m: (m.df, m.task))
    return f"too few groups for an interval: {fewest.n_groups} in {fewest.task}"


def _without(name: str, found: Measured) -> str:
    """Say which documented tasks a category lacks."""
    there = {part.member.of.name for part in found.parts}
    gone = [task for task in CATEGORIES.get(name, ()) if task not in there]
    return f"without {', '.join(gone)}" if gone else ""


def _part(part: Part, one: Scored) -> str:
    member = part.member
    value = member.values[one.system]
    asked = f" of {member.n:,}"
    named = f"{member.says}, " if member.says else ""
    if member.chance is None:
        kept = member.worth[one.system]
        return f"{named}{member.metric} {100 * value:.1f} %{asked}: {100 * kept:.1f} % harmless, times skill"
    return (
        f"{named}{member.metric} {100 * value:.1f} %{asked}, {100 * member.chance:.3g} % by chance"
    )


def _order(ranked: Ranked) -> Iterator[Line]:
    order = ranked.order
    yield "Ranks under other weights, of the scores as they stand:"
    yield ("  weights", *ranked.systems)
    for said, each in order.orders.items():
        yield (f"  {said}", *map(str, each))
    yield ("  first, weights near", *(f"{100 * share:.0f} %" for share in order.first_near))
    yield ("  first, any weights", *(f"{100 * share:.0f} %" for share in order.first_any))
    if order.swap is not None:
        yield _swap(order.swap)


def _swap(swap: Swap) -> str:
    if swap.moved is None:
        return f"No weights put {swap.second} before {swap.first}."
    taken = ", ".join(f"{points:.1f} from {name}" for name, points in swap.takes.items())
    return (
        f"{swap.second} draws level with {swap.first} when {swap.moved:.1f} points of 100 move to "
        f"{swap.gives} ({taken})."
    )


def _notes(sheet: Sheet) -> Iterator[Line]:
    tested = [one for one in sheet.scored if not sheet.entry(one.system).control]
    if any(one.total is None for one in tested) and not sheet.renormalise:
        yield (
            "A category that is missing leaves no number; --renormalise scores what is there, and "
            "--weights may leave one out (edge=0)"
        )
    if len(sheet.ranked) > 1:
        yield "Systems that were scored over other categories are ranked apart"
    for task, why in sheet.gathered.left_out.items():
        yield f"Not in the score: {task} ({why})"
    for name, share in sheet.speeds.shares.items():
        if share < QUIET:
            yield f"Edge of {name}: it had {share:.2f} of its cores, and an idle machine is faster"
    for name in sheet.speeds.unmatched:
        yield f"No system of these runs: {name} of --edge"


def _weights(weights: Mapping[str, float]) -> str:
    said = ", ".join(f"{name} {value:g}" for name, value in weights.items())
    return f"{said} ({'as documented' if is_documented(weights) else 'yours'})"


def is_documented(weights: Mapping[str, float]) -> bool:
    """Whether weights are the documented ones, whatever they add up to."""
    total = sum(weights.values()) / sum(DOCUMENTED.values())
    return all(abs(weights[k] - total * v) <= 1e-9 * total * 100 for k, v in DOCUMENTED.items())


def _ends(found: Estimate) -> str:
    if found.value is None:
        return "undefined"
    if found.low is None or found.high is None:
        return f"{found.value:.1f} (no interval)"
    return f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]"


def _bar(value: float | None) -> str:
    full = round(BAR * min(max(value or 0.0, 0.0), 100.0) / 100)
    return "█" * full + "·" * (BAR - full)
