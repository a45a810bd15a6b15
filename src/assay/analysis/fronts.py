"""Which systems nothing else is shown to beat, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from ..core.errors import PlanError
from ..core.front import Front, Point, Standing
from ..core.metric import Better, Estimate
from ..stats import frontier, hull
from ..stats.quotient import is_census
from .case import Case
from .drawn import Drawn, expected
from .metrics import undirected
from .mixing import linear
from .reach import beaten_by_mixture, hull_gaps, hypervolume, mixture_of, reaches
from .redraws import redraw
from .rivals import standing
from .tradeoffs import DOLLARS, tradeoffs, worths

ALPHA = 0.05


def draw_front(case: Case, objectives: Sequence[str]) -> Front:
    """Draw the front of the measured systems under test on some objectives.

    Where none is measured, of the reported ones: the two never stand on one front.

    *On*: not behind any other system's point estimates on every objective.  *Beaten*: some other
    system is shown to be better on every objective at once (intersection-union, Bonferroni over
    pairs).  *Unresolved*: behind on the points, but not shown to be.

    Groups and time blocks are resampled together for all systems; the front and the hull are drawn
    anew each time.  A metric that is named twice counts once.  Raises ``PlanError`` A103 where none is.
    """
    objectives = tuple(dict.fromkeys([objectives] if isinstance(objectives, str) else objectives))
    if not objectives:
        hint = "name at least one, as accuracy and usd_per_1k"
        raise PlanError(f"a front of {case.task} names no metric", hint=hint, code="A103")
    named = tuple((o, case.better(o)) for o in objectives)
    for objective, better in named:
        if better is Better.NONE:
            raise undirected(objective, "fronts")
    systems = tuple(
        s
        for s in case.rivals
        if case.origins[s] is standing(case)
        and all(case.estimate(s, o).value is not None for o in objectives)
    )
    if not systems:
        return Front(
            task=case.task, objectives=named, points=(), notes=(_missing(case, objectives),)
        )
    benefit, cost, mixing = _axes(case, systems, named)
    priced = all(case.estimate(s, DOLLARS).value is not None for s in systems)
    extra = ([benefit] if benefit else []) + ([DOLLARS] if priced else [])
    drawn = Drawn(
        case=case,
        systems=systems,
        objectives=named,
        values=np.array(
            [[case.estimate(s, o).value for o in objectives] for s in systems], dtype=np.float64
        ),
        redraws=redraw(case, systems, [*objectives, *extra]),
    )
    points, lp = _points(drawn, benefit, cost)
    volume, reference = hypervolume(drawn)
    best = benefit or case.headline.name
    compared = priced and best in drawn.redraws.draws and best in case.metrics
    return Front(
        task=case.task,
        objectives=named,
        points=points,
        benefit=benefit,
        cost=cost,
        hull=reaches(drawn, benefit, cost) if benefit and cost else (),
        hypervolume=volume,
        reference=reference,
        tradeoffs=tradeoffs(case, points, best, drawn.redraws) if compared else (),
        worth=worths(case, systems, best) if compared and benefit else (),
        notes=(*mixing, *lp, *_held(drawn)),
    )


def _missing(case: Case, objectives: Sequence[str]) -> str:
    """Say which number no system has, and why, where it is the same for all."""
    for objective in objectives:
        found = [case.estimate(s, objective) for s in case.rivals]
        methods = {each.method.removeprefix("undefined: ") for each in found}
        if all(each.value is None for each in found):
            why = f": {methods.pop()}" if len(methods) == 1 else ""
            return f"no system stands on it, because none has a number for {objective}{why}"
    return "no system stands on it, because none has a number for each of these"


def _axes(
    case: Case, systems: Sequence[str], named: Sequence[tuple[str, Better]]
) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Return the benefit and the cost that a hull is drawn in, and why there is none."""
    why = {name: linear(case, systems, name) for name, _ in named}
    notes = [f"no mixtures on {name}: {reason}" for name, reason in why.items() if reason]
    mixing = [(name, better) for name, better in named if not why[name]]
    benefit = next((n for n, b in mixing if b is Better.HIGHER), None)
    cost = next((n for n, b in mixing if b is Better.LOWER), None)
    if benefit is None or cost is None:
        if not notes:
            notes.append("no hull: it takes one objective to raise and one to lower")
        return benefit, None, tuple(notes)
    return benefit, cost, tuple(notes)


def _held(drawn: Drawn) -> tuple[str, ...]:
    held = sorted(drawn.redraws.fixed & {name for name, _ in drawn.objectives})
    notes = []
    if held:
        few = "fewer than 20 time blocks or three processes"
        notes.append(f"held as measured in every resample: {', '.join(held)} ({few})")
    if not drawn.moves:
        notes.append("no resample differs from another: nothing is known of how sure this is")
    return tuple(notes)


def _points(
    drawn: Drawn, benefit: str | None, cost: str | None
) -> tuple[tuple[Point, ...], tuple[str, ...]]:
    case, systems, better = drawn.case, drawn.systems, drawn.better
    names = [name for name, _ in drawn.objectives]
    behind = frontier.dominators(drawn.values, better)
    beaten: dict[str, list[str]] = {s: [] for s in systems}
    pairs = max(len(systems) * (len(systems) - 1), 1)
    for one, other in permutations(systems, 2):
        if _is_shown_to_beat(case, one, other, names, ALPHA / pairs):
            beaten[other].append(one)
    frequency, gaps = _standing(drawn)
    shape = None
    below: list[Estimate | None] = [None] * len(systems)
    if benefit and cost:
        shape = hull.upper_hull(drawn.column(cost), drawn.column(benefit))
        below = hull_gaps(drawn, benefit, cost)
    mixed, lp = beaten_by_mixture(drawn)
    points = []
    for i, system in enumerate(systems):
        if beaten[system]:
            standing = Standing.BEATEN
        else:
            standing = Standing.UNRESOLVED if behind[i] else Standing.ON
        points.append(
            Point(
                system=system,
                at={o: case.estimate(system, o) for o in names},
                standing=standing,
                beaten_by=tuple(beaten[system]),
                behind=tuple(systems[k] for k in behind[i]),
                frequency=frequency[i],
                gap=gaps[i],
                hull_gap=below[i],
                on_hull=bool(shape is not None and shape.on_hull[i]),
                mixture=mixture_of(shape.mixtures.get(i), drawn, cost, i)
                if shape and cost
                else None,
                mixture_beats=None if mixed is None else i in mixed,
            )
        )
    return tuple(points), lp


def _standing(drawn: Drawn) -> tuple[list[float | None], list[Estimate | None]]:
    """Return how often each system stands on the resampled front, and how far below it is."""
    nothing: list[float | None] = [None] * len(drawn.systems)
    if not drawn.moves:
        return nothing, [None] * len(drawn.systems)
    draws = np.stack([drawn.redraws.draws[name] for name, _ in drawn.objectives], axis=2)
    sign = frontier.signs(drawn.better)
    up = draws * sign
    # A resample without a value on some objective stands nowhere and beats nobody.
    gone = np.isnan(up).any(axis=2)
    worst = np.nanmin(up, axis=(0, 1)) - 1.0
    up[gone] = worst
    stands = frontier.non_dominated(up, [Better.HIGHER] * len(sign)) & ~gone
    frequency = [float(share) for share in stands.mean(axis=0)]
    below = np.zeros(up.shape[:2])
    for rival in range(up.shape[1]):
        other = up[:, rival : rival + 1]
        covers = (other[..., 1:] >= up[..., 1:]).all(axis=2)
        below = np.where(covers, np.maximum(below, other[..., 0] - up[..., 0]), below)
    below[gone] = np.nan
    name = drawn.objectives[0][0]
    return list(frequency), [
        expected(drawn.case.estimate(s, name), below[:, i], "front")
        for i, s in enumerate(drawn.systems)
    ]


def _is_shown_to_beat(
    case: Case, one: str, other: str, objectives: Sequence[str], alpha: float
) -> bool:
    p = p_of_beating(case, one, other, objectives)
    return p is not None and p <= alpha


def p_of_beating(case: Case, one: str, other: str, objectives: Sequence[str]) -> float | None:
    """Return the p-value of "``one`` is better on every objective": the largest of one-sided ones.

    None where it is not ahead on some, or some number speaks of these questions only.

    Source: the intersection-union test, Berger 1982.
    """
    largest = None
    for objective in objectives:
        inference = case.difference(one, other, objective)
        higher = case.better(objective) is Better.HIGHER
        same = 1.0 if case.contrast(objective).value == "ratio" else 0.0
        if is_census(inference):
            return None  # it speaks of these questions only, and a standing does not
        p = inference.p_at_least(same) if higher else inference.p_at_most(same)
        value = inference.value
        if p is None or value is None or value == same:
            return None
        largest = p if largest is None else max(largest, p)
    return largest
