"""Quantiles, with intervals from order statistics, as far as the sample reaches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor, inf
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .arrays import Floats, finite, level, tail_of
from .inference import Inference, Undefined
from .tails import binomial_at_least, binomial_at_most

ALL_EQUAL = Undefined("every value is the same")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderStatistic:
    """Infer a quantile from ranks, whatever the distribution.

    The number of values below the true quantile is binomial, so that order statistics bound it.
    Source: David and Nagaraja 2003, section 7.1.
    """

    q: float
    values: Floats = field(repr=False)
    """Sorted, shape [n]."""

    @property
    def value(self) -> float:
        """The sample quantile, interpolated as numpy does by default."""
        return float(np.quantile(self.values, self.q))

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"order statistics, n={self.values.size}"

    @property
    def se(self) -> None:
        """None: ranks have no standard error."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return two order statistics; an end that the sample does not reach is infinite."""
        tail, n = tail_of(confidence), self.values.size
        least = bisect_right(range(n), tail, key=lambda k: binomial_at_most(k, n, self.q))
        most = bisect_left(range(n + 1), -tail, key=lambda k: -binomial_at_least(k, n, self.q))
        if least < 1 and most > n:
            return None
        low = float(self.values[least - 1]) if least >= 1 else -inf
        high = float(self.values[most - 1]) if most <= n else inf
        return low, high

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of quantile >= bound."""
        below = int(np.searchsorted(self.values, bound, side="left"))
        return binomial_at_most(below, self.values.size, self.q)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of quantile <= bound."""
        within = int(np.searchsorted(self.values, bound, side="right"))
        return binomial_at_least(within, self.values.size, self.q)


class Ranked(Protocol):
    """A quantile that was read off ranks, blocks or no blocks."""

    @property
    def values(self) -> Floats:
        """Sorted, shape [n]."""
        ...

    @property
    def value(self) -> float:
        """The sample quantile."""
        ...

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return two order statistics."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantileRatio:
    """Infer the ratio of two positive quantiles from the ranks of either.

    Half of the error is spent on each: the interval holds whatever the distributions, and however
    the two samples depend on each other.
    Source: David and Nagaraja 2003, section 7.1; Bonferroni.

    >>> slow = OrderStatistic(q=0.5, values=np.arange(101.0, 201.0))
    >>> quick = OrderStatistic(q=0.5, values=np.arange(1.0, 101.0))
    >>> ratio = QuantileRatio(above=slow, below=quick)
    >>> [round(end, 2) for end in ratio.interval()], ratio.p_at_least(1.0) < 1e-6
    ([2.24, 4.15], True)

    Not to be trusted when values come in runs (a warm cache, a slow minute) and either side is an
    ``OrderStatistic``.
    """

    above: Ranked
    below: Ranked

    @property
    def value(self) -> float | None:
        """The ratio of the sample quantiles."""
        below = self.below.value
        return self.above.value / below if below > 0 else None

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"ratio of order statistics, n={self.above.values.size} and {self.below.values.size}"

    @property
    def se(self) -> None:
        """None: ranks have no standard error."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the two-sided interval; None where the ranks do not reach, or reach zero."""
        each = 1 - tail_of(confidence)
        above, below = self.above.interval(each), self.below.interval(each)
        if above is None or below is None or below[0] <= 0:
            return None
        return max(above[0], 0.0) / below[1], above[1] / below[0]

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of "at least bound"."""
        return self._least(lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of "at most bound"."""
        return self._least(lambda ends: ends[1] <= bound)

    def _least(self, supports: Callable[[tuple[float, float]], bool]) -> float:
        """Return the least level whose interval supports a claim: ranks know no closed form."""
        refused, level = 1e-15, 0.5
        for _ in range(60):
            middle = (refused * level) ** 0.5
            ends = self.interval(1 - 2 * middle)
            if ends is not None and supports(ends):
                level = middle
            else:
                refused = middle
            if level - refused < 1e-13 * level:
                break
        return level if level < 0.5 else 1.0


def quantile(values: npt.ArrayLike, q: float, *, confidence: float = 0.95) -> Inference:
    """Infer a quantile of independent values of shape [n].

    Undefined where all values are equal, or ``n`` is too small for a two-sided interval at
    ``confidence``: 100 values reach p96, not p99.

    Raises DataError A202 for NaN, or ``q`` or ``confidence`` outside of (0, 1).
    Source: David and Nagaraja 2003, section 7.1.

    >>> quantile(range(1, 101), 0.5).interval()
    (40.0, 61.0)
    >>> quantile(range(1, 101), 0.99).method
    'undefined: 100 values reach p96.3 at 95% confidence, not p99'

    Not to be trusted when values come in runs (a warm cache, a slow minute): use
    ``blocks.quantile``.
    """
    level("q", q)
    ordered = np.sort(finite("values", values))
    reached = highest_quantile(ordered.size, confidence=confidence)
    if isinstance(reached, Undefined):
        return reached
    if not 1 - reached <= q <= reached:
        tenths = floor(1000 * reached)
        return Undefined(
            f"{ordered.size} values reach p{(tenths if q > 0.5 else 1000 - tenths) / 10:g} "
            f"at {100 * confidence:g}% confidence, not p{100 * q:g}"
        )
    return OrderStatistic(q=q, values=ordered) if ordered[0] < ordered[-1] else ALL_EQUAL


def highest_quantile(n: int, *, confidence: float = 0.95, sides: int = 2) -> float | Undefined:
    """Return the highest quantile whose upper limit ``n`` values can give.

    Undefined where not even the median is reached.

    Raises DataError A202 for ``confidence`` outside of (0, 1).
    Source: the largest value is above the quantile unless all are below it: q ** n <= tail.

    >>> round(highest_quantile(100), 3), round(highest_quantile(299, sides=1), 3)
    (0.964, 0.99)

    Not to be trusted when values come in runs.
    """
    tail = tail_of(confidence, sides=sides)
    reached = tail ** (1 / n) if n > 0 else 0.0
    return float(reached) if reached >= 0.5 else Undefined(f"{n} values reach no quantile")
