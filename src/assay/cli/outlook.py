"""What running a plan would mean, on one screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..publish.words import Scale, seconds, spell
from .fitting import table
from .page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..engine.chances import Sight
    from ..engine.forecast import Forecast, Load
    from ..engine.starved import Starved

UNKNOWN = "unknown until it has run once"


def outlook_page(
    forecast: Forecast,
    sights: Sequence[Sight],
    starved: Sequence[Starved] = (),
    *,
    source: Path | None = None,
    caveats: Sequence[str] = (),
) -> Page:
    """Return the forecast of a plan and what its claims could show."""
    lines: list[Line] = [(strong(forecast.name), f"  {forecast.says}"), ""]
    lines += _load_lines(forecast)
    lines += _total_lines(forecast)
    lines += _look_lines(forecast)
    if sights:
        lines += ["", strong("What the claims could show"), *_sight_lines(sights)]
    lines += _warning_lines(sights, starved)
    for said in caveats:
        lines += ["", Span(f"{said}.", Style.UNSURE)]
    facts = {**_facts(forecast, sights, starved, source), "caveats": list(caveats)}
    return Page(lines=lines, facts=facts)


def _look_lines(forecast: Forecast) -> list[Line]:
    """Say at which groups a run may stop, and that what is said of it is the most."""
    if not forecast.looks:
        return []
    lines: list[Line] = ["", strong("It may stop early: this is the most that it asks")]
    for task, at in forecast.looks.items():
        *early, every = (f"{n:,}" for n in at)
        told = f"after {', '.join(early)} and all {every} groups" if early else f"at all {every}"
        lines.append(f"  {task}: looked at {told}")
    said = "Chances below are those of one look at the end; with several, it takes more groups."
    return [*lines, faint(f"  {said}")]


def _sight_lines(sights: Sequence[Sight]) -> list[Line]:
    rows: list[tuple[str | Span, ...]] = []
    for s in sights:
        told = Span(s.says, Style.BAD if s.hopeless else Style.PLAIN)
        rows.append((s.claim.id, faint(_counted(s)), told))
        rows += [("", "", faint(more)) for more in (s.basis, s.remedy) if more]
    return table(rows)


def _warning_lines(sights: Sequence[Sight], starved: Sequence[Starved]) -> list[Line]:
    """Say last, where it is read, what this plan cannot do whatever the systems answer."""
    lost = [s.claim.id for s in sights if s.hopeless]
    lines: list[Line] = []
    if lost:
        count = f"{len(lost)} of {len(sights)} claims" if len(sights) > 1 else "The claim"
        text = f"{count} cannot be supported by any result of this plan: {', '.join(lost)}."
        lines += ["", Span(text, Style.BAD)]
    for one in starved:
        lines += ["", Span(f"{one.says}.", Style.BAD), faint(f"  {one.remedy}")]
    return lines


def _load_lines(forecast: Forecast) -> list[Line]:
    rows: list[tuple[str | Span, ...]] = [
        tuple(map(faint, ("", "task", "samples", "seeds", "questions", "one at a time", "time")))
    ]
    for load in forecast.loads:
        name = f"{load.system} (control)" if load.control else load.system
        n = f"{load.samples:,} in {load.groups:,} groups"
        cells = (name, load.task, n, str(load.builds), f"{load.questions:,}", f"{load.timed:,}")
        row = (*cells, _time(load))
        rows.append(tuple(map(faint, row)) if load.control else row)
    return [strong("What is asked"), *table(rows), ""]


def _time(load: Load) -> str:
    asking, timing = load.asking_s, load.timing_s
    if asking is None or timing is None:
        return UNKNOWN
    return seconds(asking + timing)


def _total_lines(forecast: Forecast) -> list[Line]:
    total = f"In all {forecast.questions:,} questions, {forecast.workers} processes side by side"
    if forecast.seconds is None or forecast.usd is None:
        tested = [x.system for x in forecast.loads if not x.control and x.pace is None]
        names = ", ".join(dict.fromkeys(tested or forecast.unknown))
        return [f"{total}.", f"Time and dollars: unknown until these have run once: {names}."]
    seen = sorted({load.pace.run for load in forecast.loads if load.pace})
    return [
        f"{total}: about {seconds(forecast.seconds)}, {spell(forecast.usd, Scale.USD)}.",
        faint(f"  as seen in {', '.join(seen)}; {forecast.prices.says()}"),
    ]


def _counted(sight: Sight) -> str:
    if not sight.n_groups:
        return ""
    return f"{sight.n:,} samples in {sight.n_groups:,} groups"


def _facts(
    forecast: Forecast, sights: Sequence[Sight], starved: Sequence[Starved], source: Path | None
) -> dict[str, Any]:
    return {
        "name": forecast.name,
        "says": forecast.says,
        "seeds": forecast.seeds,
        "workers": forecast.workers,
        "questions": forecast.questions,
        "seconds": forecast.seconds,
        "usd": forecast.usd,
        "prices": forecast.prices.says(),
        "unknown": list(forecast.unknown),
        "looks": {task: list(at) for task, at in forecast.looks.items()},
        "loads": [
            {**asdict(load), "asking_s": load.asking_s, "timing_s": load.timing_s}
            for load in forecast.loads
        ],
        "from": None if source is None else str(source),
        "claims": [
            {
                "id": s.claim.id,
                "samples": s.n,
                "groups": s.n_groups,
                "level": s.level,
                "shown_from": s.shown_from,
                "supposed": s.prospect.truth if s.prospect else None,
                "power": s.prospect.power if s.prospect else None,
                "refuted": s.prospect.refuted if s.prospect else None,
                "groups_needed": s.prospect.groups_needed if s.prospect else None,
                "basis": s.basis,
                "hopeless": s.hopeless,
                "remedy": s.remedy,
                "says": s.says,
            }
            for s in sights
        ],
        "thresholds": [{**asdict(one), "says": one.says, "remedy": one.remedy} for one in starved],
    }
