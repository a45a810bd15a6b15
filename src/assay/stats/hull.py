"""What mixtures of systems reach: the convex front on a linear cost axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import numpy.typing as npt

from assay.core.metric import Better

from .arrays import Floats, finite, same_shape
from .frontier import Flags, checked, signs

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """How a mixture of two systems serves a third one's purpose."""

    left: int
    """Index of the cheaper system."""

    right: int
    """Index of the dearer one; equal to ``left`` where one system alone is enough."""

    share_right: float
    """Share of samples to send to ``right``, so that the cost is the third one's."""

    gap: float
    """Accuracy of the mixture, at the third one's cost, minus the third one's."""

    saving: float
    """Cost that the hull saves at the third one's accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hull:
    """The convex front: what can be reached by sending each sample to one of the systems."""

    vertices: tuple[int, ...]
    """Indices, cheapest first; slopes between them fall."""

    on_hull: Flags
    """Vertices, their equals, and points on the line between two."""

    mixtures: dict[int, Mixture]
    """For every other point: what does better."""


def upper_hull(cost: npt.ArrayLike, accuracy: npt.ArrayLike) -> Hull:
    """Return the upper left convex hull of systems, shape [systems] each, on a linear cost axis.

    Raises DataError A202 for shapes that differ, NaN or infinity.
    Source: Kapoor et al. 2024 (mixtures); monotone chain, Andrew 1979.

    >>> hull = upper_hull([1.0, 2.0, 3.0], [0.5, 0.6, 0.9])
    >>> hull.vertices, hull.on_hull.tolist()
    ((0, 2), [True, False, True])
    >>> round(hull.mixtures[1].share_right, 3), round(hull.mixtures[1].gap, 3)
    (0.5, 0.1)

    Not to be trusted for tail latency, which does not mix linearly, or as a standing: the points
    are estimates.
    """
    x, y = finite("cost", cost), finite("accuracy", accuracy)
    same_shape(cost=x, accuracy=y)
    chain = _chain(x.tolist(), y.tolist())
    mixtures = {}
    on_hull = np.zeros(x.shape, dtype=np.bool_)
    for index in range(x.size):
        mixture = _mixture(x, y, chain, index)
        scale = max(abs(y[index]), float(np.ptp(y)))
        on_hull[index] = index in chain or (
            mixture.gap <= _ROUNDING * scale and mixture.saving <= _ROUNDING * abs(x[index])
        )
        if not on_hull[index]:
            mixtures[index] = mixture
    return Hull(vertices=tuple(chain), on_hull=on_hull, mixtures=mixtures)


def gaps_below(cost: Floats, accuracy: Floats) -> Floats:
    """Return how far every point lies below the hull of its own resample, at its own cost.

    Both have shape [resamples, systems], and so has the result; on the hull it is 0.

    Source: as ``upper_hull``.

    >>> gaps_below(np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 0.6, 0.9]])).round(3).tolist()
    [[0.0, 0.1, 0.0]]

    Not to be trusted for tail latency, which does not mix linearly.
    """
    found = np.zeros(cost.shape)
    for row, (x, y) in enumerate(zip(cost.tolist(), accuracy.tolist(), strict=True)):
        chain = _chain(x, y)
        reached = np.interp(cost[row], [x[i] for i in chain], [y[i] for i in chain])
        found[row] = np.maximum(reached - accuracy[row], 0.0)
    return np.where(found > _ROUNDING, found, 0.0)


def heights(cost: Floats, accuracy: Floats, at: Floats) -> Floats:
    """Return what the hull of every resample reaches at some costs, shape [resamples, costs].

    ``cost`` and ``accuracy`` have shape [resamples, systems].  NaN below the cheapest vertex.

    Source: as ``upper_hull``.

    >>> heights(np.array([[1.0, 3.0]]), np.array([[0.5, 0.9]]), np.array([0.5, 2.0])).round(3)
    array([[nan, 0.7]])

    Not to be trusted for tail latency, which does not mix linearly.
    """
    found = np.empty((len(cost), at.size))
    for row, (x, y) in enumerate(zip(cost.tolist(), accuracy.tolist(), strict=True)):
        chain = _chain(x, y)
        found[row] = np.interp(at, [x[i] for i in chain], [y[i] for i in chain], left=np.nan)
    return found


def switches(cost: Floats, accuracy: Floats, *, free: float = 0.0) -> list[tuple[int, float]]:
    """Return from which value per right answer on each system is the best one to ask.

    Of ``value * accuracy - cost`` the largest wins; ``free`` is the accuracy of what costs nothing.
    Cost is per sample, shape [systems] as accuracy.  The result is in order of the value: each
    system is best from its value to the next one's, the last without end.

    Source: the slopes of the convex front, as ``upper_hull``.

    >>> [(i, round(v, 3)) for i, v in switches(np.array([1.0, 3.0]), np.array([0.5, 0.9]))]
    [(0, 2.0), (1, 5.0)]

    Not to be trusted where a wrong answer costs more than no answer.
    """
    x, y = [0.0, *cost.tolist()], [free, *accuracy.tolist()]
    chain = _chain(x, y)
    found = []
    for before, after in pairwise(chain):
        found.append((after - 1, (x[after] - x[before]) / (y[after] - y[before])))
    if chain and chain[0] != 0:  # a system that costs nothing, and is better than nothing
        found.insert(0, (chain[0] - 1, 0.0))
    return found


def beaten_by_mixture(points: npt.ArrayLike, better: Sequence[Better]) -> dict[int, Floats]:
    """Return the points that some mixture of all beats, each with the shares of that mixture.

    ``points`` has shape [systems, objectives], any number of objectives; shares have shape
    [systems] and add to 1.  A point is beaten where a mixture is nowhere worse and, added over the
    objectives scaled to their range, better by more than a millionth (the solver's tolerance).

    Raises DataError A202 as ``frontier.non_dominated`` does.
    Source: Kapoor et al. 2024; a linear programme for each point, solved by HiGHS.

    >>> up, down = Better.HIGHER, Better.LOWER
    >>> found = beaten_by_mixture([[0.5, 1.0], [0.6, 2.0], [0.9, 3.0]], [up, down])
    >>> list(found), bool(found[1].sum().round(9) == 1)
    ([1], True)

    Not to be trusted for objectives that do not mix linearly: quantiles, shares of what a system
    chose to answer.
    """
    from scipy.optimize import linprog

    up = checked(points, better) * signs(better)
    n, objectives = up.shape
    spans = np.ptp(up, axis=0) if n else np.ones(objectives)
    scaled = (up - up.min(axis=0)) / np.where(spans > 0, spans, 1.0) if n else up
    found = {}
    for index in range(n):
        # Shares first, then by how much each objective is better.
        solved = linprog(
            np.r_[np.zeros(n), -np.ones(objectives)],
            A_eq=np.block(
                [
                    [scaled.T, -np.eye(objectives)],
                    [np.ones((1, n)), np.zeros((1, objectives))],
                ]
            ),
            b_eq=np.r_[scaled[index], 1.0],
            bounds=(0, None),
            method="highs",
        )
        if solved.success and -solved.fun > 1e-6:
            shares = np.clip(solved.x[:n], 0.0, 1.0)
            found[index] = shares / shares.sum()
    return found


def hypervolume(points: npt.ArrayLike, better: Sequence[Better], *, box: Floats) -> float:
    """Return the share of a box that is dominated by at least one point.

    ``box`` has shape [2, objectives]: the reference point, which is the worst corner, and the best
    one.  Points beyond the reference add nothing; beyond the best corner the share may pass 1.

    Raises DataError A202 as ``frontier.non_dominated`` does.
    Source: Zitzler and Thiele 1998; moocore.

    >>> box = np.array([[0.0, 4.0], [1.0, 0.0]])
    >>> hypervolume([[0.5, 1.0], [1.0, 3.0]], [Better.HIGHER, Better.LOWER], box=box)
    0.5

    Not to be trusted across runs with other boxes: another reference point is another number.
    """
    import moocore

    up = checked(points, better) * signs(better)
    worst, best = box * signs(better)
    sides = best - worst
    if not (sides > 0).all():
        return 0.0
    scaled = (up - worst) / sides
    inside = scaled[(scaled > 0).all(axis=1)]
    if not inside.size:
        return 0.0
    return float(moocore.hypervolume(inside, ref=np.zeros(len(better)), maximise=True))


def _chain(x: Sequence[float], y: Sequence[float]) -> list[int]:
    """Return the vertices of the upper left hull, cheapest first."""
    chain: list[int] = []
    best = -inf
    for index in sorted(range(len(x)), key=lambda i: (x[i], -y[i])):
        if y[index] <= best:
            continue
        best = y[index]
        while len(chain) > 1:
            a, b = chain[-2:]
            # Whether b lies on or under the line between a and the new point.
            if (x[b] - x[a]) * (y[index] - y[a]) < (y[b] - y[a]) * (x[index] - x[a]):
                break
            chain.pop()
        chain.append(index)
    return chain


def _mixture(x: Floats, y: Floats, chain: list[int], index: int) -> Mixture:
    costs, heights = x[chain], y[chain]
    reached = float(np.interp(x[index], costs, heights))
    cheapest = float(np.interp(y[index], heights, costs))
    right = min(int(np.searchsorted(costs, x[index], side="left")), len(chain) - 1)
    left = max(right - 1, 0) if costs[right] > x[index] else right
    width = costs[right] - costs[left]
    return Mixture(
        left=chain[left],
        right=chain[right],
        share_right=float((x[index] - costs[left]) / width) if width > 0 else 1.0,
        gap=reached - float(y[index]),
        saving=float(x[index]) - cheapest,
    )
