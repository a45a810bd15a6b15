"""Which systems nothing else is shown to beat, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from math import isfinite

import numpy as np

from ..core.front import Front, Mixture, Point, Reach, Standing
from ..core.metric import Better, Estimate, Origin
from ..stats import frontier, hull
from ..stats.inference import Census, Resampled
from ..store.columns import Floats
from .case import Case
from .metrics import QUANTILES
from .mixing import linear
from .redraws import Redraws, bracketed, redraw
from .tradeoffs import DOLLARS, tradeoffs, worths

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Point estimates and resamples of the systems on a front."""

    case: Case
    systems: tuple[str, ...]
    objectives: tuple[tuple[str, Better], ...]
    values: Floats
    """Shape [systems, objectives]."""

    redraws: Redraws

    @property
    def better(self) -> list[Better]:
        return [better for _, better in self.objectives]

    def column(self, metric: str) -> Floats:
        return self.values[:, [name for name, _ in self.objectives].index(metric)]

    @property
    def moves(self) -> bool:
        """Whether the resamples differ at all."""
        draws = [self.redraws.draws[name] for name, _ in self.objectives]
        return any((np.nanmax(d, axis=0) > np.nanmin(d, axis=0)).any() for d in draws if d.size)


def draw_front(case: Case, objectives: Sequence[str]) -> Front:
    """Draw the front of the measured systems under test on some objectives.

    *On*: not behind any other system's point estimates on every objective.  *Beaten*: some other
    system is shown to be better on every objective at once (intersection-union, Bonferroni over
    pairs).  *Unresolved*: behind on the points, but not shown to be.

    Groups and time blocks are resampled together for all systems; the front and the hull are drawn
    anew each time.
    """
    named = tuple((o, case.better(o)) for o in objectives)
    systems = tuple(
        s
        for s in case.rivals
        if case.origins[s] is Origin.MEASURED
        and all(case.estimate(s, o).value is not None for o in objectives)
    )
    if not systems:
        return Front(task=case.task, objectives=named, points=())
    benefit, cost, mixing = _axes(case, systems, named)
    priced = all(s in case.timed for s in systems)
    extra = ([benefit] if benefit else []) + ([DOLLARS] if priced else [])
    drawn = _Drawn(
        case=case,
        systems=systems,
        objectives=named,
        values=np.array(
            [[case.estimate(s, o).value for o in objectives] for s in systems], dtype=np.float64
        ),
        redraws=redraw(case, systems, [*objectives, *extra]),
    )
    points, lp = _points(drawn, benefit, cost)
    volume, reference = _hypervolume(drawn)
    best = benefit or case.headline.name
    compared = priced and best in drawn.redraws.draws and best in case.metrics
    return Front(
        task=case.task,
        objectives=named,
        points=points,
        benefit=benefit,
        cost=cost,
        hull=_reaches(drawn, benefit, cost) if benefit and cost else (),
        hypervolume=volume,
        reference=reference,
        tradeoffs=tradeoffs(case, points, best, drawn.redraws) if compared else (),
        worth=worths(case, systems, best, drawn.redraws) if compared and benefit else (),
        notes=(*mixing, *lp, *_held(drawn)),
    )


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


def _held(drawn: _Drawn) -> tuple[str, ...]:
    held = sorted(drawn.redraws.fixed & {name for name, _ in drawn.objectives})
    notes = []
    if held:
        few = "fewer than 20 time blocks or three processes"
        notes.append(f"held as measured in every resample: {', '.join(held)} ({few})")
    if not drawn.moves:
        notes.append("no resample differs from another: nothing is known of how sure this is")
    return tuple(notes)


def _points(
    drawn: _Drawn, benefit: str | None, cost: str | None
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
    hull_gaps: list[Estimate | None] = [None] * len(systems)
    if benefit and cost:
        shape = hull.upper_hull(drawn.column(cost), drawn.column(benefit))
        hull_gaps = _hull_gaps(drawn, benefit, cost)
    mixed, lp = _beaten_by_mixture(drawn)
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
                hull_gap=hull_gaps[i],
                on_hull=bool(shape is not None and shape.on_hull[i]),
                mixture=_named(shape.mixtures.get(i), drawn, cost, i) if shape and cost else None,
                mixture_beats=None if mixed is None else i in mixed,
            )
        )
    return tuple(points), lp


def _named(found: hull.Mixture | None, drawn: _Drawn, cost: str, index: int) -> Mixture | None:
    if found is None:
        return None
    own = float(drawn.column(cost)[index])
    return Mixture(
        left=drawn.systems[found.left],
        right=drawn.systems[found.right],
        share_right=found.share_right,
        gain=found.gap,
        saving=found.saving / own if own > 0 else 0.0,
    )


def _standing(drawn: _Drawn) -> tuple[list[float | None], list[Estimate | None]]:
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
        _expected(drawn.case.estimate(s, name), below[:, i], "front")
        for i, s in enumerate(drawn.systems)
    ]


def _hull_gaps(drawn: _Drawn, benefit: str, cost: str) -> list[Estimate | None]:
    if not drawn.moves:
        return [None] * len(drawn.systems)
    x, y = drawn.redraws.draws[cost], drawn.redraws.draws[benefit]
    whole = ~(np.isnan(x) | np.isnan(y)).any(axis=1)
    below = hull.gaps_below(x[whole], y[whole])
    return [
        _expected(drawn.case.estimate(s, benefit), below[:, i], "hull")
        for i, s in enumerate(drawn.systems)
    ]


def _reaches(drawn: _Drawn, benefit: str, cost: str) -> tuple[Reach, ...]:
    """Return the hull at many costs: chords on a linear axis are curves on a logarithmic one."""
    x, y = drawn.column(cost), drawn.column(benefit)
    shape = hull.upper_hull(x, y)
    corners = [*x[list(shape.vertices)].tolist(), float(x.max())]
    space = np.geomspace if corners[0] > 0 else np.linspace
    steps = [space(a, b, 16) for a, b in pairwise(corners) if b > a]
    at = np.unique(np.r_[corners, *steps])
    (line,) = hull.heights(x[None, :], y[None, :], at)
    costs, benefits = drawn.redraws.draws[cost], drawn.redraws.draws[benefit]
    whole = ~(np.isnan(costs) | np.isnan(benefits)).any(axis=1)
    draws = hull.heights(costs[whole], benefits[whole], at)
    found = []
    for k, height in enumerate(line):
        # A resample that reaches nothing at this cost is below everything: no lower end is known.
        ends = Resampled(value=float(height), draws=draws[:, k]).interval() if drawn.moves else None
        low, high = ends or (None, None)
        found.append(Reach(cost=float(at[k]), benefit=float(height), low=low, high=high))
    return tuple(found)


def _expected(base: Estimate, draws: Floats, what: str) -> Estimate:
    """Return the mean of non-negative draws with a percentile interval."""
    drawn = draws[~np.isnan(draws)]
    if not drawn.any():
        why = f"on the {what} in each of {drawn.size:,} resamples"
        return replace(base, value=0.0 if drawn.size else None, low=None, high=None, method=why)
    mean = float(drawn.mean())
    said = f"mean distance below the {what}, {drawn.size:,} paired resamples"
    return bracketed(base, Resampled(value=mean, draws=draws, method=said))


def _beaten_by_mixture(drawn: _Drawn) -> tuple[set[int] | None, tuple[str, ...]]:
    """Return which systems a mixture beats on three objectives or more, or why none is sought."""
    if len(drawn.objectives) < 3:
        return None, ()
    stuck = [n for n, _ in drawn.objectives if linear(drawn.case, drawn.systems, n)]
    if stuck:
        which = f"all {len(drawn.objectives)} objectives"
        why = f"{', '.join(stuck)} does not mix linearly"
        return None, (f"beaten by a mixture on {which}: not applicable, {why}",)
    return set(hull.beaten_by_mixture(drawn.values, drawn.better)), ()


def _hypervolume(drawn: _Drawn) -> tuple[Estimate | None, dict[str, float]]:
    """Return the share of the box that lies below the front, and the box's worst corner."""
    corners = [_corner(drawn, name, better) for name, better in drawn.objectives]
    box = np.array(corners).T
    reference = {n: c[0] for (n, _), c in zip(drawn.objectives, corners, strict=True)}
    if len(corners) < 2 or (box[0] == box[1]).any():
        return None, reference
    value = hull.hypervolume(drawn.values, drawn.better, box=box)
    base = drawn.case.estimate(drawn.systems[0], drawn.objectives[0][0])
    made = replace(base, metric="hypervolume", value=value, low=None, high=None)
    if not drawn.moves:
        return replace(made, method="no resample differs from another"), reference
    draws = np.stack([drawn.redraws.draws[name] for name, _ in drawn.objectives], axis=2)
    whole = draws[~np.isnan(draws).any(axis=(1, 2))]
    volumes = np.array([hull.hypervolume(each, drawn.better, box=box) for each in whole])
    said = f"percentile bootstrap, {len(volumes):,} paired resamples"
    return bracketed(made, Resampled(value=value, draws=volumes, method=said)), reference


def _corner(drawn: _Drawn, name: str, better: Better) -> tuple[float, float]:
    """Return the worst and the best value: the metric's bounds, or a tenth beyond what was seen."""
    low, high = (0.0, float("inf")) if name in QUANTILES else drawn.case.metric(name).bounds
    seen = drawn.column(name)
    margin = 0.1 * (float(np.ptp(seen)) or abs(float(seen[0])) or 1.0)
    low = low if isfinite(low) else float(seen.min()) - margin
    high = high if isfinite(high) else float(seen.max()) + margin
    return (low, high) if better is Better.HIGHER else (high, low)


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
