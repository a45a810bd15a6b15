"""Which points nothing else is better than, alone or in mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError
from assay.core.metric import Better

from .arrays import WRONG, Floats, finite, same_shape

_ROUNDING = 1e-12


def non_dominated(points: npt.ArrayLike, better: Sequence[Better]) -> npt.NDArray[np.bool_]:
    """Return which points no other is at least as good as everywhere, and better somewhere.

    ``points`` has shape [..., systems, objectives], ``better`` one direction per objective; the
    result has shape [..., systems].  Equal points stay or go together.  With resamples as the
    first dimension, the mean over it is the resampling frequency of standing on the front.

    Raises DataError A202 for NaN or infinity (a system without a number stands on no front), or
    another number of objectives.
    Source: Pareto.

    >>> non_dominated([[0.9, 1.0], [0.8, 2.0], [0.8, 0.5]], [Better.HIGHER, Better.LOWER]).tolist()
    [True, False, True]

    Not to be trusted as a standing: the points are estimates.
    """
    at = np.asarray(points, dtype=np.float64)
    if at.ndim < 2 or at.shape[-1] != len(better):
        raise DataError(f"Points {at.shape} for {len(better)} objectives", code=WRONG)
    if not np.isfinite(at).all():
        raise DataError("A point has no finite place on some objective", code=WRONG)
    up = at * np.array([1.0 if each is Better.HIGHER else -1.0 for each in better])
    beaten = np.zeros(up.shape[:-1], dtype=np.bool_)
    for rival in range(up.shape[-2]):
        other = up[..., rival : rival + 1, :]
        beaten |= (other >= up).all(axis=-1) & (other > up).any(axis=-1)
    return ~beaten


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

    on_hull: npt.NDArray[np.bool_]
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
    chain: list[int] = []
    for index in np.lexsort((-y, x)):
        if chain and y[index] <= y[chain[-1]]:
            continue
        while len(chain) > 1 and _turns_left(x, y, (chain[-2], chain[-1], int(index))):
            chain.pop()
        chain.append(int(index))
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


def _turns_left(x: Floats, y: Floats, corner: tuple[int, int, int]) -> bool:
    """Whether the middle point lies on or under the line between the outer two."""
    a, b, c = corner
    return bool((x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) >= 0)


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
