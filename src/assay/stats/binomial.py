"""Intervals and bounds for one share of independent samples."""

from __future__ import annotations

from assay.core.errors import DataError

from .arrays import WRONG, tail_of
from .inference import Exact, Score, Undefined
from .tails import beta_quantile

NOTHING = Undefined("nothing was asked")


def wilson(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float] | Undefined:
    """Return Wilson's score interval for ``k`` of ``n``; undefined where n is 0.

    Raises DataError A202 unless 0 <= k <= n.
    Source: Wilson 1927.

    >>> low, high = wilson(7, 10)
    >>> round(low, 3), round(high, 3)
    (0.397, 0.892)

    Not to be trusted when samples come in groups: use ``clusters.share``.
    """
    if _is_nothing(k, n):
        return NOTHING
    return Score(share=k / n, n_eff=n).interval(confidence)


def clopper_pearson(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float] | Undefined:
    """Return the exact interval, which covers at least ``confidence``; undefined where n is 0.

    Raises DataError A202 unless 0 <= k <= n.
    Source: Clopper and Pearson 1934.

    >>> low, high = clopper_pearson(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.3085)

    Not to be trusted when samples come in groups: count groups.
    """
    return NOTHING if _is_nothing(k, n) else Exact(k, n).interval(confidence)


def jeffreys(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float] | Undefined:
    """Return the equal-tailed interval of Beta(k + 1/2, n - k + 1/2), closed at 0 and n.

    Raises DataError A202 unless 0 <= k <= n.
    Source: Brown, Cai and DasGupta 2001.

    >>> low, high = jeffreys(7, 10)
    >>> round(low, 3), round(high, 3)
    (0.394, 0.907)

    Not to be trusted when samples come in groups: use ``clusters.share``.
    """
    if _is_nothing(k, n):
        return NOTHING
    tail, a, b = tail_of(confidence), k + 0.5, n - k + 0.5
    low = 0.0 if k == 0 else beta_quantile(tail, a, b)
    high = 1.0 if k == n else 1 - beta_quantile(tail, b, a)
    return low, high


def upper_bound(k: int, n: int, *, confidence: float = 0.95) -> float | Undefined:
    """Return the one-sided exact upper bound: "at most x".  Zero events: 1 - (1 - c) ** (1 / n).

    Raises DataError A202 unless 0 <= k <= n.
    Source: Clopper and Pearson 1934.

    >>> round(upper_bound(0, 3), 2)
    0.63

    Not to be trusted when samples come in groups: count groups.
    """
    if _is_nothing(k, n):
        return NOTHING
    tail = tail_of(confidence, sides=1)
    return 1.0 if k == n else 1 - beta_quantile(tail, n - k, k + 1)


def lower_bound(k: int, n: int, *, confidence: float = 0.95) -> float | Undefined:
    """Return the one-sided exact lower bound: "at least x".

    Raises DataError A202 unless 0 <= k <= n.
    Source: Clopper and Pearson 1934.

    >>> round(lower_bound(3, 3), 2)
    0.37

    Not to be trusted when samples come in groups: count groups.
    """
    if _is_nothing(k, n):
        return NOTHING
    return 0.0 if k == 0 else beta_quantile(tail_of(confidence, sides=1), k, n - k + 1)


def _is_nothing(k: int, n: int) -> bool:
    if not 0 <= k <= n:
        raise DataError(f"{k} of {n} is not a share", code=WRONG)
    return n == 0
