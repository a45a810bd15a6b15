"""Which ranks systems may have: bands that hold for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, finite, tail_of
from .tails import t_tails

Ranks: TypeAlias = npt.NDArray[np.int64]

_NOTHING = 1e-12
"""Of two variances together: a difference that varies less does not vary."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankBands:
    """The ranks that each system may have; 1 is the best."""

    best: Ranks
    """Shape [systems]: 1 + how many are shown to be better."""

    worst: Ranks
    """Shape [systems]: all of them less how many are shown to be worse."""

    confidence: float
    """That every band holds the true rank of its system; systems that are equal share their ranks."""


def rank_bands(
    values: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    df: npt.ArrayLike = inf,
    confidence: float = 0.95,
) -> RankBands:
    """Return the ranks that systems may have, largest value first, all at once.

    ``values`` has shape [systems]; ``covariance`` that of their errors, shape [systems, systems], or the
    variances alone, shape [systems], where the systems were measured apart.  ``df`` is how many degrees of
    freedom the variances have, one number or one a system; of a pair the fewer count.  Every ordered pair
    is a hypothesis, "this one is at most as good as that one", tested one-sided, with Holm over all of
    them: the chance of any wrong order is at most 1 - ``confidence``, whatever depends on what.  A pair whose
    difference does not vary is not told apart: no variation is no certainty.

    Raises DataError A202 for shapes that differ, NaN, a variance below 0 or a confidence outside of (0, 1).
    Source: Mogstad, Romano, Shaikh and Wilhelm 2024 (bands from simultaneous one-sided tests of all
    differences), with Holm 1979 in the place of the bootstrapped maximum.

    >>> found = rank_bands([0.9, 0.5, 0.49], [0.0004, 0.0004, 0.0004])
    >>> found.best.tolist(), found.worst.tolist()
    ([1, 2, 2], [1, 3, 3])

    Not to be trusted when the values are far from normal: few groups, or shares near 0 or 1.
    """
    seen = finite("values", values)
    spread = finite("covariance", covariance, ndim=np.ndim(covariance) or 1)
    m = seen.size
    if spread.shape not in {(m,), (m, m)}:
        raise DataError(f"{m} values, and errors of shape {spread.shape}", code=WRONG)
    own = spread if spread.ndim == 1 else np.diag(spread)
    if (own < 0).any():
        raise DataError("A variance is below 0", code=WRONG)
    degrees = np.broadcast_to(np.asarray(df, dtype=np.float64), (m,))
    if not (degrees > 0).all():
        raise DataError("Degrees of freedom are above 0", code=WRONG)
    alpha = 2 * tail_of(confidence)
    ahead, behind = np.nonzero(seen[:, None] > seen[None, :])
    together = own[ahead] + own[behind]
    variance = together - (2 * spread[ahead, behind] if spread.ndim == 2 else 0.0)
    varies = variance > _NOTHING * together
    ahead, behind, variance = ahead[varies], behind[varies], variance[varies]
    tails = t_tails(
        (seen[ahead] - seen[behind]) / np.sqrt(variance),
        np.minimum(degrees[ahead], degrees[behind]),
    )
    shown = that_stand(tails, hypotheses=m * (m - 1), alpha=alpha)
    return RankBands(
        best=1 + np.bincount(behind[shown], minlength=m).astype(np.int64),
        worst=m - np.bincount(ahead[shown], minlength=m).astype(np.int64),
        confidence=confidence,
    )


def ranks(values: npt.ArrayLike) -> Ranks:
    """Return 1 + how many are larger, of each; equal values share the better rank.

    ``values`` has shape [systems], or [draws, systems] for many rankings at once.

    >>> ranks([0.3, 0.9, 0.3]).tolist()
    [2, 1, 2]
    """
    seen = np.asarray(values, dtype=np.float64)
    ordered = np.sort(seen, axis=-1)
    if seen.ndim == 1:
        return 1 + seen.size - np.searchsorted(ordered, seen, side="right").astype(np.int64)
    found = [
        row.size - np.searchsorted(o, row, side="right")
        for row, o in zip(seen, ordered, strict=True)
    ]
    return 1 + np.array(found, dtype=np.int64).reshape(seen.shape)


def that_stand(pvalues: npt.ArrayLike, *, hypotheses: int, alpha: float) -> npt.NDArray[np.bool_]:
    """Return which p-values stand after Holm, of so many hypotheses; those that are not given have none.

    ``pvalues`` has shape [given].  As ``multiple.holm``, for many at once.
    Source: Holm 1979.

    >>> that_stand([0.001, 0.2, 0.012], hypotheses=4, alpha=0.05).tolist()
    [True, False, True]
    """
    tails = np.asarray(pvalues, dtype=np.float64)
    order = np.argsort(tails, kind="stable")
    stands = tails[order] <= alpha / (hypotheses - np.arange(tails.size))
    shown = np.zeros(tails.size, dtype=np.bool_)
    shown[order[: stands.size if stands.all() else int(np.argmin(stands))]] = True
    return shown
