"""What running a plan would mean, on one screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..publish.words import Scale, seconds, spell
from .page import Line, Page, Span, Style, columns, faint, strong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.forecast import Forecast, Load
    from ..engine.sight import Sight

UNKNOWN = "unknown until it has run once"


def outlook_page(forecast: Forecast, sights: Sequence[Sight]) -> Page:
    """Return the forecast of a plan and what its claims could show."""
    lines: list[Line] = [(strong(forecast.name), f"  {forecast.says}"), ""]
    lines += _load_lines(forecast)
    lines += _total_lines(forecast)
    if sights:
        rows = [
            (s.claim.id, faint(_counted(s)), Span(s.says, Style.BAD if s.hopeless else Style.PLAIN))
            for s in sights
        ]
        lines += ["", strong("What the claims could show"), *columns(rows)]
    return Page(lines=lines, facts=_facts(forecast, sights))


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
    return [strong("What is asked"), *columns(rows), ""]


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


def _facts(forecast: Forecast, sights: Sequence[Sight]) -> dict[str, Any]:
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
        "loads": [
            {**asdict(load), "asking_s": load.asking_s, "timing_s": load.timing_s}
            for load in forecast.loads
        ],
        "claims": [
            {
                "id": s.claim.id,
                "samples": s.n,
                "groups": s.n_groups,
                "shown_from": s.shown_from,
                "hopeless": s.hopeless,
                "says": s.says,
            }
            for s in sights
        ],
    }
