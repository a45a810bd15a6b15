"""Numbers of confidence in many resamples at once: sorted once, then sums of counts along the order.

Each function takes ``confidence`` and ``right`` (0 or 1) of shape [answers], and ``groups``, the
group of each as a code; it returns a function from counts of shape [resamples, groups] to values of
shape [resamples], NaN where there is none, which are those of ``selective`` and ``calibration`` with
the counts as weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Codes, Floats, finite, same_shape, totals
from .luck import Distance, luck
from .ordered import Curve, Ordered, Whole
from .resamples import Counts, Prepared, Resamples, every
from .tails import harmonic_numbers


def aurc(confidence: npt.ArrayLike, right: npt.ArrayLike, *, groups: Codes) -> Prepared:
    """Return ``selective.aurc`` of many resamples.

    >>> area = aurc([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0], groups=np.arange(4))
    >>> area(np.array([[1, 1, 1, 1]], dtype=np.int16)).round(4).tolist()
    [0.2083]
    """
    order, harmonics = Ordered.of(confidence, right, groups), _Harmonics()

    def values(_: Counts, accepted: Whole, wrong: Floats) -> Floats:
        before, after = (accepted.take(at, axis=1) for at in (order.starts, order.ends))
        everything = accepted[:, -1]
        harmonic = harmonics.up_to(int(everything.max(initial=0)))
        height, rise = harmonic.take(after), harmonic.take(before)
        np.subtract(height, rise, out=rise)
        # Where nothing was drawn nothing is wrong, whatever it is divided by.
        within = np.maximum(np.subtract(after, before, out=after), 1, out=after)
        rate = np.divide(wrong, within)
        rate *= before
        rate *= rise
        # Summed by parts: only blocks that hold a wrong answer are left.
        np.subtract(1.0, height, out=height)
        height *= wrong
        area = height.sum(axis=1)
        area -= rate.sum(axis=1)
        area += wrong.sum(axis=1) * harmonic[everything]
        return _over(area, everything.astype(np.float64))

    return Curve(order, values)


def accuracy_at(
    confidence: npt.ArrayLike,
    right: npt.ArrayLike,
    *,
    groups: Codes,
    asked: npt.ArrayLike,
    share: float,
) -> Prepared:
    """Return ``selective.accuracy_at`` of many resamples, for a ``share`` of everything asked.

    ``asked`` has shape [groups]: how many questions each group holds.

    >>> half = accuracy_at([0.9, 0.8, 0.7], [1, 0, 0], groups=np.arange(3), asked=np.ones(3), share=1/3)
    >>> half(np.array([[1, 1, 1], [0, 3, 0]], dtype=np.int16)).tolist()
    [1.0, 0.0]
    """
    order = Ordered.of(confidence, right, groups, everywhere=True)
    each = finite("asked", asked)
    size = len(order.places) - 1
    wrong_before = np.searchsorted(order.starts, np.arange(size + 1))

    def values(drawn: Counts, accepted: Whole, wrong: Floats) -> Floats:
        wanted = share * (drawn @ each)
        errors = np.concatenate([np.zeros((len(drawn), 1)), np.cumsum(wrong, axis=1)], axis=1)
        # The first block that reaches what is wanted is the one that is cut.
        cut = np.array(
            [np.searchsorted(a, w - 1e-9) for a, w in zip(accepted, wanted, strict=True)]
        )
        row, held = np.arange(len(drawn)), (wanted > 0) & (cut <= size)
        cut = np.clip(cut, 1, max(size, 1))
        if not size:
            return np.full(len(drawn), np.nan)
        before, after = accepted[row, cut - 1], accepted[row, cut]
        first, last = wrong_before[cut - 1], wrong_before[cut]
        here = errors[row, last] - errors[row, first]
        taken = np.divide(
            wanted - before, after - before, out=np.zeros(len(drawn)), where=after > before
        )
        lost = errors[row, first] + np.clip(taken, 0.0, 1.0) * here
        found = 1.0 - _over(lost, wanted)
        return np.where(held, found, np.nan)

    return Curve(order, values)


def auroc(confidence: npt.ArrayLike, right: npt.ArrayLike, *, groups: Codes) -> Prepared:
    """Return ``selective.auroc`` of many resamples.

    >>> area = auroc([0.9, 0.8, 0.8, 0.3], [1, 1, 0, 1], groups=np.arange(4))
    >>> area(np.array([[1, 1, 1, 1], [4, 0, 0, 0]], dtype=np.int16)).tolist()
    [0.5, nan]
    """
    order = Ordered.of(confidence, right, groups)

    def values(drawn: Counts, accepted: Whole, wrong: Floats) -> Floats:
        errors = np.cumsum(wrong, axis=1)
        after = accepted.take(order.ends, axis=1)
        correct = after - errors
        here = after - accepted.take(order.starts, axis=1) - wrong
        pairs = errors[:, -1:] if wrong.shape[1] else np.zeros((len(drawn), 1))
        good = accepted[:, -1] - pairs[:, 0]
        return _over((wrong * (correct - here / 2)).sum(axis=1), pairs[:, 0] * good)

    return Curve(order, values)


def best_aurc(right: npt.ArrayLike, *, groups: Codes) -> Prepared:
    """Return, of many resamples, the area of a confidence that knows which answers are right.

    >>> best_aurc([1, 0], groups=np.arange(2))(np.array([[1, 1]], dtype=np.int16)).tolist()
    [0.25]
    """
    correct = finite("right", right)
    n = int(groups.max(initial=-1)) + 1
    by_group = np.stack([totals(correct, groups, n), totals(1 - correct, groups, n)], axis=1)
    harmonics = _Harmonics()

    def values(drawn: Counts) -> Floats:
        good, bad = (drawn[:, :n] @ by_group).T.astype(np.int64)
        harmonic = harmonics.up_to(int((good + bad).max(initial=0)))
        area = bad - good * (harmonic[good + bad] - harmonic[good])
        return _over(area, (good + bad).astype(np.float64))

    return values


def calibration_error(
    confidence: npt.ArrayLike, right: npt.ArrayLike, *, groups: Codes, edges: npt.ArrayLike
) -> Distance:
    """Return ``calibration.reliability(...).error`` of many resamples: two matrix products.

    >>> far = calibration_error([0.6, 0.8, 0.9], [1, 1, 0], groups=np.arange(3), edges=[0.5, 0.75])
    >>> far(np.array([[1, 1, 1]], dtype=np.int16)).round(2).tolist()
    [0.37]
    """
    sure, correct = finite("confidence", confidence), finite("right", right)
    same_shape(confidence=sure, right=correct, groups=groups)
    inner = finite("edges", edges)
    bins, n = inner.size + 1, int(groups.max(initial=-1)) + 1
    bin_of = np.searchsorted(inner, sure, side="right").astype(np.intp)
    apart = totals(correct - sure, bin_of + bins * groups, bins * n).reshape(n, bins)
    held = totals(np.ones(sure.shape), groups, n)
    answered = held > 0
    alone = totals(sure * (1 - sure), bin_of, bins)
    added = luck(apart[answered], alone=alone, answers=held[answered])

    def values(drawn: Counts) -> Floats:
        times = drawn[:, :n].astype(np.float64)
        return _over(np.abs(times @ apart).sum(axis=1), times @ held)

    return Distance(of=values, added=added)


def less(first: Prepared, second: Prepared) -> Prepared:
    """Return the first number less the second, resample by resample.

    >>> less(lambda d: d[:, 0] * 1.0, lambda d: d[:, 1] * 1.0)(np.array([[3, 1]])).tolist()
    [2.0]
    """
    apart = _Both(first, second, np.subtract)
    if isinstance(first, Distance) and isinstance(second, Distance):
        return Distance(of=apart, added=first.added, taken=second.added)
    return apart


def log_less(first: Prepared, second: Prepared) -> Prepared:
    """Return the logarithm of the first number over the second; NaN unless both are positive.

    >>> ratio = log_less(lambda d: d[:, 0] * 1.0, lambda d: d[:, 1] * 1.0)
    >>> ratio(np.array([[3, 3], [0, 1]])).tolist()
    [0.0, nan]
    """
    return _Both(first, second, _log_ratio)


def _log_ratio(one: Floats, two: Floats) -> Floats:
    found = np.full(one.shape, np.nan)
    positive = (one > 0) & (two > 0)
    found[positive] = np.log(one[positive]) - np.log(two[positive])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    """Two numbers of the same resamples, made one; either is worked out by itself."""

    first: Prepared
    second: Prepared
    join: Callable[[Floats, Floats], Floats]

    def __call__(self, drawn: Counts, /) -> Floats:
        return self.join(self.first(drawn), self.second(drawn))

    def every(self, drawn: Resamples, records: int) -> Floats:
        return self.join(*(every(of, drawn, records) for of in (self.first, self.second)))


class _Harmonics:
    """Harmonic numbers, kept: a table of them costs more than what is looked up in it."""

    def __init__(self) -> None:
        self._known = harmonic_numbers(0)

    def up_to(self, most: int) -> Floats:
        if most >= self._known.size:
            self._known = harmonic_numbers(2 * most)
        return self._known


def _over(above: npt.NDArray[np.generic], below: Floats) -> Floats:
    found = np.full(below.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found
