"""``assay front``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter

from .fitting import starred, table
from .page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from ..core.front import Front, Point
    from ..core.metric import Estimate

Flag: TypeAlias = Annotated[bool, Parameter(negative="")]
LOOKS = {"on": Style.GOOD, "beaten": Style.BAD, "unresolved": Style.UNSURE}


def front(run: Path, /, *, prices: str | None = None, legacy: Flag = False) -> Page:
    """Show which systems nothing else is shown to beat, and what each one gives up.

    Args:
        run: A run's folder.
        prices: Another price table: a name (`assay ls prices`) or a .yaml file.
        legacy: Also show the value score of single-shot-eval; docs/statistics.md says why not.
    """
    from ..analysis.volume import break_evens
    from ..publish.fronts import front_facts
    from ..publish.run import Run

    loaded = Run.load(run)
    results = loaded.results_at(prices) if prices else loaded.results
    lines: list[Line] = []
    for drawn in results.fronts:
        lines += _front(drawn, legacy=legacy)
    if not results.fronts:
        lines = ["The plan draws no front; add `fronts: [[accuracy, usd_per_1k]]` to it.", ""]
    even = [one for case in results.cases.values() for one in break_evens(case, results.prices)]
    lines += [f"{one.says[0].upper()}{one.says[1:]}." for one in even]
    lines.append(faint(results.prices.says()))
    facts = {
        "run": str(loaded.path),
        "prices": results.prices.says(),
        "fronts": [front_facts(f, legacy=legacy) for f in results.fronts],
        "break_even": [
            {
                "system": one.system,
                "against": one.against,
                "per_day": one.per_day,
                "capacity": one.capacity,
            }
            for one in even
        ],
    }
    return Page(lines=lines, facts=facts)


def _front(drawn: Front, *, legacy: bool) -> list[Line]:
    from ..publish.fronts import below, leader_words, notes_of, often, volume_words
    from ..publish.words import label, value_and_ends

    names = [name for name, _ in drawn.objectives]
    head = ("", "", *map(label, names), "on the front in", f"below it by ({label(names[0])})", "")
    rows: list[tuple[str | Span, ...]] = [tuple(map(faint, head))]
    for point in drawn.points:
        standing = Span(point.standing.value, LOOKS[point.standing.value])
        values = (value_and_ends(point.at[name]) for name in names)
        sure = often(point.frequency), below(point.gap)
        rows.append((standing, point.system, *values, *sure, _by(point)))
    goals = ", ".join(f"{better.value} {name}" for name, better in drawn.objectives)
    rows, star = starred(rows)
    lines: list[Line] = [strong(f"{drawn.task}: {goals}"), *table(rows), *star]
    lines += _mixtures(drawn)
    lines += _tradeoffs(drawn, legacy=legacy)
    if leads := leader_words(drawn):
        lines += ["", leads]
    lines += _worth(drawn)
    small = [volume_words(drawn), *notes_of(drawn).values()]
    return [*lines, "", *(faint(words) for words in small if words), ""]


def _by(point: Point) -> str:
    if point.beaten_by:
        return f"by {', '.join(point.beaten_by)}"
    if point.behind:
        return f"behind {', '.join(point.behind)}"
    return "a mixture beats it" if point.mixture_beats else ""


def _mixtures(drawn: Front) -> list[Line]:
    from ..publish.fronts import below, mixture_words

    rows: list[tuple[str | Span, ...]] = [
        (p.system, f"{mixture_words(p.mixture, drawn.benefit)} (below the hull by {below(p.hull_gap)})")
        for p in drawn.points
        if p.mixture is not None and drawn.benefit is not None
    ]  # fmt: skip
    return ["", strong("What does better"), *table(rows)] if rows else []


def _tradeoffs(drawn: Front, *, legacy: bool) -> list[Line]:
    from ..publish.fronts import LEGACY, rounded, score_words, tail
    from ..publish.words import Scale, label, value_and_ends

    if not drawn.tradeoffs:
        return []
    against = drawn.tradeoffs[0].against
    up = label(drawn.benefit or drawn.objectives[0][0])
    tokens = any(t.usd_per_million_tokens.value is not None for t in drawn.tradeoffs)
    ratios: list[tuple[str | Span, ...]] = [tuple(map(faint, ("", up, "cost", "latency")))]
    ratios += [
        (
            t.system,
            _against(t.gap, Scale.CHANGE),
            _against(t.cost_ratio, Scale.TIMES),
            _against(t.latency_ratio, Scale.TIMES),
        )
        for t in drawn.tradeoffs
    ]
    head = ["", "p50", "p99", *(["dollars per million tokens"] if tokens else [])]
    head += ["right answers per dollar", *([LEGACY] if legacy else [])]
    own: list[tuple[str | Span, ...]] = [tuple(map(faint, head))]
    for t in drawn.tradeoffs:
        cells = [t.system, value_and_ends(t.p50), tail(t.p99)]
        cells += [value_and_ends(t.usd_per_million_tokens)] if tokens else []
        own.append((*cells, rounded(t.right_per_usd), *([score_words(t)] if legacy else [])))
    ratios, star = starred(ratios)
    own, star_too = starred(own)
    return [
        "",
        strong(f"Against {against}, the most {up}"),
        *table(ratios),
        *star,
        "",
        strong("Each by itself"),
        *table(own),
        *star_too,
    ]


def _against(estimate: Estimate | None, scale: object) -> str:
    from ..publish.fronts import BEST
    from ..publish.words import Scale, value_and_ends

    assert isinstance(scale, Scale)
    return BEST if estimate is None else value_and_ends(estimate, scale)


def _worth(drawn: Front) -> list[Line]:
    from ..publish.fronts import worth_words

    if not drawn.worth:
        return []
    rows: list[tuple[str | Span, ...]] = [(w.system, worth_words(w)) for w in drawn.worth]
    return ["", strong("Worth most to ask, if a right answer is worth"), *table(rows)]
