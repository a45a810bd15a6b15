"""``assay front``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter

from .failures import usage
from .fitting import starred, table
from .page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from ..core.front import Front, Point
    from ..core.metric import Estimate
    from ..publish.results import Results

Flag: TypeAlias = Annotated[bool, Parameter(negative="")]
LOOKS = {"on": Style.GOOD, "beaten": Style.BAD, "unresolved": Style.UNSURE}


def front(
    run: Path,
    /,
    *,
    on: str | None = None,
    task: str | None = None,
    prices: str | None = None,
    legacy: Flag = False,
) -> Page:
    """Show which systems nothing else is shown to beat, and what each one gives up.

    Args:
        run: A run's folder.
        on: Metrics with commas between them (accuracy,usd_per_1k); without it, the fronts of the
            plan.
        task: Only this task.
        prices: Another price table: a name (`assay ls prices`) or a .yaml file.
        legacy: Also show the value score of single-shot-eval; docs/statistics.md says why not.
    """
    from ..analysis.volume import break_evens
    from ..publish.fronts import front_facts
    from ..publish.run import Run
    from ..publish.stopped import require_one_look

    loaded = Run.load(run)
    require_one_look(loaded, "fronts")
    results = loaded.results_at(prices) if prices else loaded.results
    fronts = _drawn(results, on, task)
    lines: list[Line] = []
    for drawn in fronts:
        lines += _front(drawn, legacy=legacy)
    if not fronts:
        lines = ["The plan names no front; name one here: --on accuracy,usd_per_1k", ""]
    even = [one for case in results.cases.values() for one in break_evens(case, results.prices)]
    lines += [f"{one.says[0].upper()}{one.says[1:]}." for one in even]
    lines.append(faint(results.prices.says()))
    facts = {
        "run": str(loaded.path),
        "prices": results.prices.says(),
        "fronts": [front_facts(f, legacy=legacy) for f in fronts],
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


def _drawn(results: Results, on: str | None, task: str | None) -> list[Front]:
    """Return the fronts of the plan, or one on these metrics for every task that is asked for."""
    from ..analysis.case import TIMED
    from ..analysis.fronts import draw_front
    from ..analysis.metrics import QUANTILES
    from ..engine.overrides import nearest

    if task is not None and task not in results.cases:
        raise usage(f"no task is called {task!r}", nearest(task, list(results.cases)))
    if on is None:
        return [f for f in results.fronts if task in (None, f.task)]
    names = [name.strip() for name in on.split(",") if name.strip()]
    cases = [case for name, case in results.cases.items() if task in (None, name)]
    for case in cases:
        for name in names:
            if not case.knows(name):
                known = [*case.metrics, *TIMED, *QUANTILES]
                raise usage(f"no metric of {case.task} is called {name!r}", nearest(name, known))
    if not names:
        raise usage("--on names no metric", "for example --on accuracy,usd_per_1k")
    return [draw_front(case, names) for case in cases]


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
    lines: list[Line] = [strong(f"{drawn.task}: {goals}")]
    lines += [*table(rows), *star] if drawn.points else []
    lines += _mixtures(drawn)
    lines += _tradeoffs(drawn, legacy=legacy)
    if leads := leader_words(drawn):
        lines += ["", leads]
    lines += _worth(drawn)
    small = [volume_words(drawn), *notes_of(drawn).values()]
    said = [faint(words) for words in small if words]
    return [*lines, *([""] if drawn.points and said else []), *said, ""]


def _by(point: Point) -> str:
    from ..publish.fronts import ahead_of

    if others := ahead_of(point):
        return others
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
    from ..publish.fronts import worth_of

    if not drawn.worth:
        return []
    of, told = worth_of(drawn)
    return ["", strong(f"The one to ask, by what {of} would be worth to you"), *table(list(told))]
