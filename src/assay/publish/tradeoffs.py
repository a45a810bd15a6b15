"""The section of a report on accuracy and cost: fronts, trade-offs, what a right answer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..analysis.case import Case
from ..core.front import Front, Point, Tradeoff
from ..core.metric import Estimate
from . import browser, figures
from .document import Block, Figure, Fold, Inline, Items, Para, Row, Span, Table, cell, heading
from .fronts import (
    BEST,
    ahead_of,
    below,
    leader_words,
    mixture_words,
    notes_of,
    often,
    rounded,
    tail,
    volume_words,
    worth_of,
)
from .words import Scale, label


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the section stands, and what it has in common with the others."""

    index: int
    """The task's place in the run."""

    colours: Mapping[str, str]
    ship: str | None
    file: str
    """Of the figure."""


def accuracy_and_cost(case: Case, fronts: list[Front], place: Place) -> list[Block]:
    """Return every front of the task: the first one drawn, all as tables."""
    blocks: list[Block] = []
    if len(fronts[0].objectives) > 1:
        first = fronts[0]
        (up, _), (across, _) = first.objectives[:2]
        up, across = first.benefit or up, first.cost or across
        says = (
            f"{label(up).capitalize()} against {label(across)} on {case.task}, with 95 % intervals"
        )
        if first.hull:
            says += "; the dashed line is what mixtures reach, with its 95 % band"
        drawing = figures.front(first, place.colours, file=place.file, says=f"{says}.")
        blocks.append(Figure(drawing))
    blocks += _one(case, fronts[0], place)
    for one in fronts[1:]:
        named = ", ".join(label(name) for name, _ in one.objectives)
        blocks.append(Fold(f"The front of {named}", tuple(_one(case, one, place))))
    compared = next((f for f in fronts if f.tradeoffs), None)
    if compared:
        blocks += [Para(words)] if (words := leader_words(compared)) else []
        title = f"Every system against {compared.tradeoffs[0].against}: gaps, ratios, dollars"
        blocks.append(Fold(title, _tradeoffs(compared, place)))
    worth = next((f for f in fronts if f.worth), None)
    if worth:
        blocks += _worth(worth)
    notes = {said for f in fronts for said in notes_of(f).values()}
    blocks += [Para(" ".join(sorted(notes)), "note")] if notes else []
    return blocks


def _one(case: Case, made: Front, place: Place) -> list[Block]:
    names = [name for name, _ in made.objectives]
    best = list(figures.STANDS)
    up = names[0]
    points = sorted(made.points, key=lambda p: (best.index(p.standing), -(p.at[up].value or 0)))
    rows = []
    for point in points:
        cells = (
            cell(point.at[n], href=browser.behind(place.index, point.system, n)) for n in names
        )
        how = Span(figures.STANDS[point.standing], point.standing.value, note=_by(point))
        kind = "chosen" if point.system == place.ship else ""
        sure = Span(often(point.frequency), "plain", note=f"{below(point.gap)} below it")
        rows.append(Row((Span(point.system, "name"), how, sure, *cells), kind))
    table = Table(
        says="On the front: no other system is ahead on every point estimate. Beaten: another one "
        "is shown to be better on all of them at once. Unresolved: behind, but not shown to be. "
        "The share of resamples in which a system stands on the front is no probability that it "
        f"does; how far it lies below the front is in {label(up)}, others being no dearer.",
        header=(
            "system",
            "stands",
            Span("stands on it in", note="expected distance"),
            *(heading(case.metrics.get(n), n) for n in names),
        ),
        rows=tuple(rows),
    )
    blocks: list[Block] = [table]
    mixed = [
        (Span(p.system, "name"), f": instead, {mixture_words(p.mixture, made.benefit)} ",
         Span(f"(below the hull by {below(p.hull_gap)})", "muted"))
        for p in points
        if p.mixture is not None and made.benefit
    ]  # fmt: skip
    if mixed:
        blocks.append(Items(tuple(mixed)))
    if volume := volume_words(made):
        blocks.append(Para(volume, "note"))
    return blocks


def _by(point: Point) -> str:
    if others := ahead_of(point):
        return others
    if point.mixture_beats:
        return "a mixture beats it"
    return "no mixture beats it" if point.on_hull else ""


def _tradeoffs(made: Front, place: Place) -> tuple[Table, Table]:
    """Return two tables: one would be wider than a page."""
    against = made.tradeoffs[0].against
    up = label(made.benefit or made.objectives[0][0])
    priced = any(t.usd_per_million_tokens.value is not None for t in made.tradeoffs)
    ratios, own = [], []
    for t in made.tradeoffs:
        name, kind = Span(t.system, "name"), "chosen" if t.system == place.ship else ""
        compared = (
            _ratio(t.gap, Scale.CHANGE),
            _ratio(t.cost_ratio, Scale.TIMES),
            _ratio(t.latency_ratio, Scale.TIMES),
        )
        ratios.append(Row((name, *compared), kind))
        cells: list[Inline] = [
            _per_dollar(t),
            *((cell(t.usd_per_million_tokens),) if priced else ()),
            cell(t.p50),
            cell(t.p99) if t.p99.value is not None else Span(tail(t.p99), "muted"),
        ]
        own.append(Row((name, *cells), kind))
    tokens = ("dollars per million tokens",) if priced else ()
    return (
        Table(
            says=f"Against {against}, the most {up}: the difference on the same questions, and "
            "cost and mean latency as multiples of its.",
            header=("system", f"{up}, against {against}", "cost", "latency"),
            rows=tuple(ratios),
        ),
        Table(
            says="What a dollar buys, and how long one waits. Latencies are of questions asked "
            "one at a time.",
            header=(
                "system",
                "right answers per dollar",
                *tokens,
                "median latency",
                "99th percentile",
            ),
            rows=tuple(own),
        ),
    )


def _ratio(estimate: Estimate | None, scale: Scale) -> Span:
    return Span(BEST, "muted") if estimate is None else cell(estimate, scale=scale)


def _per_dollar(tradeoff: Tradeoff) -> Span:
    if tradeoff.right_per_usd.value is None:
        return cell(tradeoff.right_per_usd)
    main, _, rest = rounded(tradeoff.right_per_usd).partition(" ")
    leads = "" if tradeoff.leads is None else f"; first in {often(tradeoff.leads)}"
    return Span(main, "cell", note=f"{rest}{leads}")


def _worth(made: Front) -> list[Block]:
    of, told = worth_of(made)
    rows = tuple(
        (Span(system, "name"), f" is the one to ask {value} for {of}") for system, value in told
    )
    says = (
        "What a right answer is worth to you decides which system to ask. Below the first of these "
        "values no system earns more than the best control, which costs nothing. A wrong answer is "
        "taken to cost nothing; dollars are those of the prices below."
    )
    return [Para(says), Items(rows)]
