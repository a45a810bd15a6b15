"""Which systems nothing else is shown to beat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from ..core.front import Front, Point, Standing
from ..core.metric import Better, Origin
from ..stats import frontier, hull
from ..stats.inference import Census
from ..store.columns import Floats
from .case import Case

ALPHA = 0.05


def draw_front(case: Case, objectives: Sequence[str]) -> Front:
    """Draw the front of the measured systems under test on some objectives.

    *On*: not behind any other system's point estimates on every objective.  *Beaten*: some other
    system is shown to be better on every objective at once (intersection-union, Bonferroni over
    pairs).  *Unresolved*: behind on the points, but not shown to be.
    """
    systems = [
        s
        for s in case.rivals
        if case.origins[s] is Origin.MEASURED
        and all(case.estimate(s, o).value is not None for o in objectives)
    ]
    better = [case.better(o) for o in objectives]
    values = np.array(
        [[case.estimate(s, o).value for o in objectives] for s in systems], dtype=np.float64
    ).reshape(len(systems), len(objectives))
    on = frontier.non_dominated(values, better)
    beaten: dict[str, list[str]] = {s: [] for s in systems}
    pairs = max(len(systems) * (len(systems) - 1), 1)
    for one, other in permutations(systems, 2):
        if _is_shown_to_beat(case, one, other, objectives, ALPHA / pairs):
            beaten[other].append(one)
    vertices = _hull(values, objectives, better)
    points = []
    for i, system in enumerate(systems):
        if beaten[system]:
            standing = Standing.BEATEN
        else:
            standing = Standing.ON if on[i] else Standing.UNRESOLVED
        points.append(
            Point(
                system=system,
                at={o: case.estimate(system, o) for o in objectives},
                standing=standing,
                beaten_by=tuple(beaten[system]),
                on_hull=i in vertices,
            )
        )
    return Front(
        task=case.task,
        objectives=tuple(zip(objectives, better, strict=True)),
        points=tuple(points),
    )


def _is_shown_to_beat(
    case: Case, one: str, other: str, objectives: Sequence[str], alpha: float
) -> bool:
    for objective in objectives:
        inference = case.difference(one, other, objective)
        higher = case.better(objective) is Better.HIGHER
        same = 1.0 if case.contrast(objective).value == "ratio" else 0.0
        if isinstance(inference, Census):
            return False  # it speaks of these questions only, and a standing does not
        p = inference.p_at_least(same) if higher else inference.p_at_most(same)
        value = inference.value
        if p is None or value is None or p > alpha or value == same:
            return False
    return bool(objectives)


def _hull(values: Floats, objectives: Sequence[str], better: Sequence[Better]) -> set[int]:
    """Return which systems no mixture of two others beats, on a benefit and a cost."""
    if len(objectives) < 2 or better[0] is not Better.HIGHER or better[1] is not Better.LOWER:
        return set()
    return set(hull.upper_hull(values[:, 1], values[:, 0]).vertices)
