"""Two systems by real-valued outcomes, one sample per group: t, Welch, sign flips."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor, inf, nextafter, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape, tail_of
from .inference import Inference, StudentT, Undefined
from .jackknife import Spread, together

NOTHING = Undefined("no sample was asked of both")
ONE_SAMPLE = Undefined("one sample has no spread")
NO_SPREAD = Undefined("every sample gave the same number")

EXACT_UP_TO = 16
"""With so many differences all 2 ** n sign flips are enumerated."""

_ROUNDING = 1e-12


def paired_t(first: npt.ArrayLike, second: npt.ArrayLike) -> Inference:
    """Infer mean of ``first`` minus mean of ``second`` on the same samples.

    Arrays of shape [samples], in one order.  Undefined for fewer than two samples, and where all
    differences are equal.

    Raises DataError A202 for shapes that differ, NaN or infinity.
    Source: Student 1908.

    >>> low, high = paired_t([2.0, 3.0, 5.0], [1.0, 2.5, 2.0]).interval()
    >>> round(low, 2), round(high, 2)
    (-1.79, 4.79)

    Not to be trusted when samples come in groups (use ``clusters.paired``), or a few differences
    are far larger than all others.
    """
    gaps = differences(first, second)
    if gaps.size < 2:
        return ONE_SAMPLE if gaps.size else NOTHING
    spread = _variance(gaps)
    if spread == 0:
        return NO_SPREAD
    n = gaps.size
    return StudentT(
        value=float(gaps.mean()), se=sqrt(spread / n), df=n - 1, method=f"paired t, {n} samples"
    )


def welch(first: npt.ArrayLike, second: npt.ArrayLike) -> Inference:
    """Infer mean of ``first`` minus mean of ``second`` on different samples.

    Arrays of shape [samples], one each.  Undefined for fewer than two samples of either, and where
    neither varies.

    Raises DataError A202 for NaN or infinity.
    Source: Welch 1947.

    >>> welch([2.0, 3.0, 5.0], [1.0, 2.5, 2.0, 2.0]).method
    'Welch t, 3 and 4 samples, 2.51 df'

    Not to be trusted on the same samples: it throws the pairing away, use ``paired_t``.
    """
    a, b = finite("first", first), finite("second", second)
    if min(a.size, b.size) < 2:
        return ONE_SAMPLE if a.size and b.size else NOTHING
    parts = [Spread(variance=_variance(x) / x.size, df=x.size - 1) for x in (a, b)]
    spread = together(*parts)
    if spread.variance == 0:
        return NO_SPREAD
    return StudentT(
        value=float(a.mean() - b.mean()),
        se=spread.se,
        df=spread.df,
        method=f"Welch t, {a.size} and {b.size} samples, {spread.df:.3g} df",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignFlip:
    """Infer the centre of symmetric differences by turning their signs.

    Under "the centre is b", each difference less b is as likely to be positive as negative.  Turned
    signs give a mean at least as large as the one seen exactly when the turned differences average
    at most b.  So the means of subsets are all there is to know, and the interval is read off them.
    Source: Fisher 1935; Hartigan 1969.

    >>> SignFlip(value=2.0, means=np.sort([1.0, 2.0, 3.0, 1.5, 2.0, 2.5, 2.0])).p_at_least(0.0)
    0.125
    """

    value: float
    means: Floats = field(repr=False)
    """Mean of the differences in each subset, sorted; the empty subset counts everywhere."""

    method: str = "sign flips"
    se: float | None = None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the centres that are not rejected, None where the subsets are too few."""
        rank = floor(tail_of(confidence) * (self.means.size + 1) + 1e-9)
        if rank < 1:
            return None
        # A bound on a subset's mean is not rejected: the end lies a hair outside of it.
        low, high = float(self.means[rank - 1]), float(self.means[-rank])
        return nextafter(low, -inf), nextafter(high, inf)

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of centre >= bound."""
        within = int(np.searchsorted(self.means, bound, side="right"))
        return (1 + within) / (self.means.size + 1)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of centre <= bound."""
        within = self.means.size - int(np.searchsorted(self.means, bound, side="left"))
        return (1 + within) / (self.means.size + 1)


def sign_flip(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    flips: int = 9_999,
) -> Inference:
    """Infer the centre of ``first`` minus ``second`` on the same samples by sign flips.

    Up to 16 samples: all 2 ** n flips, exact, and ``rng`` is not used.  Beyond: ``flips`` random
    ones, and the one that was seen is counted with them, so that no p-value is 0.  Undefined for
    fewer than two samples, and where all differences are equal.

    Raises DataError A202 for shapes that differ, NaN or infinity, or no flip.
    Source: Fisher 1935; Phipson and Smyth 2010 for the + 1.

    >>> found = sign_flip([3, 1, 4, 2, 5, 3], [1, 0, 2, 2, 2, 2], rng=np.random.default_rng(0))
    >>> found.method, found.p_at_least(0)
    ('sign flips, all 64', 0.03125)

    Not to be trusted when differences are skewed: it then speaks of a centre that is not the mean;
    or when samples come in groups: sum within groups first.
    """
    gaps = differences(first, second)
    if gaps.size < 2:
        return ONE_SAMPLE if gaps.size else NOTHING
    if _variance(gaps) == 0:
        return NO_SPREAD
    if flips < 1:
        raise DataError(f"Nothing to flip: {flips} times", code=WRONG)
    n, se = gaps.size, sqrt(_variance(gaps) / gaps.size)
    # In order, and turned one way: neither the order of records nor that of the systems matters.
    ordered, turned = np.sort(gaps), np.sort(-gaps)
    sign = 1.0 if ordered.tolist() >= turned.tolist() else -1.0
    ordered = ordered if sign > 0 else turned
    if n <= EXACT_UP_TO:
        means, said = _all_subsets(ordered), f"all {2**n:,}"
    else:
        means, said = _some_subsets(ordered, flips, rng), f"{flips:,} at random"
    value = sign * float(ordered.mean())
    return SignFlip(value=value, means=np.sort(sign * means), method=f"sign flips, {said}", se=se)


def differences(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    """Return ``first`` minus ``second``; what is mere rounding is zero.

    Raises DataError A202 for shapes that differ, NaN or infinity.

    >>> differences([0.1 + 0.2], [0.3]).tolist()
    [0.0]
    """
    a, b = finite("first", first), finite("second", second)
    same_shape(first=a, second=b)
    gaps = a - b
    scale = np.maximum(np.abs(a), np.abs(b))
    return np.where(np.abs(gaps) <= _ROUNDING * scale, 0.0, gaps)


def _variance(values: Floats) -> float:
    """Return the sample variance; 0 where the values differ by rounding only."""
    spread = float(np.ptp(values))
    if spread <= _ROUNDING * float(np.abs(values).max(initial=0.0)):
        return 0.0
    return float(values.var(ddof=1))


def _all_subsets(gaps: Floats) -> Floats:
    sums, sizes = np.zeros(1), np.zeros(1)
    for gap in gaps.tolist():
        sums, sizes = np.r_[sums, sums + gap], np.r_[sizes, sizes + 1]
    return _means(sums[1:], sizes[1:])


def _some_subsets(gaps: Floats, flips: int, rng: np.random.Generator) -> Floats:
    sums, sizes = [], []
    rows = max(1, 1_000_000 // gaps.size)
    for start in range(0, flips, rows):
        turned = rng.random((min(rows, flips - start), gaps.size)) < 0.5
        # Nothing turned is the flip that was seen: it counts everywhere, as the empty subset does.
        turned = turned[turned.any(axis=1)]
        sums.append(turned @ gaps)
        sizes.append(turned.sum(axis=1).astype(np.float64))
    return _means(np.concatenate(sums), np.concatenate(sizes))


def _means(sums: Floats, sizes: Floats) -> Floats:
    # Rounded to twelve digits of the largest: equal means must be equal for ties to count.
    means = sums / sizes
    most = float(np.abs(means).max(initial=0.0))
    digits = 12 - int(np.floor(np.log10(most))) - 1 if most > 0 else 0
    return np.round(means, min(max(digits, -300), 300))
