"""What mixtures of systems reach, and how sure that is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import isfinite

import numpy as np

from ..core.front import Mixture, Reach
from ..core.metric import Better, Estimate
from ..stats import hull
from ..stats.inference import Resampled
from .drawn import Drawn, expected
from .metrics import QUANTILES
from .mixing import linear
from .redraws import bracketed


def mixture_of(found: hull.Mixture | None, drawn: Drawn, cost: str, index: int) -> Mixture | None:
    """Return a mixture by the names of its systems; None on the hull."""
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


def hull_gaps(drawn: Drawn, benefit: str, cost: str) -> list[Estimate | None]:
    """Return how far each system lies below the resampled hull."""
    if not drawn.moves:
        return [None] * len(drawn.systems)
    x, y = drawn.redraws.draws[cost], drawn.redraws.draws[benefit]
    whole = ~(np.isnan(x) | np.isnan(y)).any(axis=1)
    below = hull.gaps_below(x[whole], y[whole])
    return [
        expected(drawn.case.estimate(s, benefit), below[:, i], "hull")
        for i, s in enumerate(drawn.systems)
    ]


def reaches(drawn: Drawn, benefit: str, cost: str) -> tuple[Reach, ...]:
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


def beaten_by_mixture(drawn: Drawn) -> tuple[set[int] | None, tuple[str, ...]]:
    """Return which systems a mixture beats on three objectives or more, or why none is sought."""
    if len(drawn.objectives) < 3:
        return None, ()
    stuck = [n for n, _ in drawn.objectives if linear(drawn.case, drawn.systems, n)]
    if stuck:
        which = f"all {len(drawn.objectives)} objectives"
        why = f"{', '.join(stuck)} does not mix linearly"
        return None, (f"beaten by a mixture on {which}: not applicable, {why}",)
    return set(hull.beaten_by_mixture(drawn.values, drawn.better)), ()


def hypervolume(drawn: Drawn) -> tuple[Estimate | None, dict[str, float]]:
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


def _corner(drawn: Drawn, name: str, better: Better) -> tuple[float, float]:
    """Return the worst and the best value: the metric's bounds, or a tenth beyond what was seen."""
    low, high = (0.0, float("inf")) if name in QUANTILES else drawn.case.metric(name).bounds
    seen = drawn.column(name)
    margin = 0.1 * (float(np.ptp(seen)) or abs(float(seen[0])) or 1.0)
    low = low if isfinite(low) else float(seen.min()) - margin
    high = high if isfinite(high) else float(seen.max()) + margin
    return (low, high) if better is Better.HIGHER else (high, low)
