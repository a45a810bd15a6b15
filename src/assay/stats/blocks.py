"""Quantiles of values that come in blocks, which may be slow or fast together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from . import order
from .arrays import WRONG, Floats, codes, finite, level, same_shape, tail_of, totals
from .inference import Inference, Undefined
from .jackknife import Totals, spread
from .tails import binomial_at_least, binomial_at_most, t_quantile, t_tail

ONE_BLOCK = Undefined("one block holds everything")

_MANY = 20
"""Blocks from which on the design effect is believed where a quantile is barely reached."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockQuantile:
    """Infer a quantile from ranks, counting as many values as the blocks are worth.

    Of two p-values the larger holds: the binomial one of order statistics at ``n_eff`` values, and
    the t one, which knows that the worth of the blocks was estimated.
    Source: Woodruff 1952 (the share below, inverted), with Kish's effective size.

    >>> values = np.arange(1.0, 101.0)
    >>> BlockQuantile(q=0.5, values=values, n_eff=100.0, df=19).interval()
    (40.0, 61.0)
    >>> BlockQuantile(q=0.5, values=values, n_eff=25.0, df=19).interval()
    (29.0, 72.0)

    Not to be trusted when there are fewer than about 20 blocks, or a slow block holds most of what
    lies beyond the quantile.
    """

    q: float
    values: Floats = field(repr=False)
    """Sorted, shape [n]."""

    n_eff: float
    """Independent values that would say as much."""

    df: float
    method: str = "order statistics in blocks"

    @property
    def value(self) -> float:
        """The sample quantile, interpolated as numpy does by default."""
        return float(np.quantile(self.values, self.q))

    @property
    def se(self) -> None:
        """None: ranks have no standard error."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return two order statistics; an end that the sample does not reach is infinite."""
        tail, n = tail_of(confidence), self.values.size
        # As many values may lie below the low end, and above the high one, as pass the test.
        below = _most(lambda k: self._p_above(k) <= tail, n)
        above = _most(lambda k: self._p_below(n - k) <= tail, n)
        if below < 0 and above < 0:
            return None
        low = float(self.values[below]) if below >= 0 else -inf
        return low, float(self.values[n - 1 - above]) if above >= 0 else inf

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of quantile >= bound."""
        return self._p_above(int(np.searchsorted(self.values, bound, side="left")))

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of quantile <= bound."""
        return self._p_below(int(np.searchsorted(self.values, bound, side="right")))

    def _p_above(self, below: int) -> float:
        """Return how surely the quantile lies above a point with ``below`` values below it."""
        share = below / self.values.size
        exact = binomial_at_most(share * self.n_eff, self.n_eff, self.q)
        return max(exact, t_tail(-self._score(share), self.df))

    def _p_below(self, within: int) -> float:
        share = within / self.values.size
        exact = binomial_at_least(share * self.n_eff, self.n_eff, self.q)
        return max(exact, t_tail(self._score(share), self.df))

    def _score(self, share: float) -> float:
        return (share - self.q) * sqrt(self.n_eff / (self.q * (1 - self.q)))


def quantile(
    values: npt.ArrayLike, q: float, *, blocks: npt.ArrayLike, confidence: float = 0.95
) -> Inference:
    """Infer a quantile of values of shape [n] that come in ``blocks`` (integer codes).

    The design effect D of "is at most the quantile" is estimated between blocks; n / D values are
    counted, D at least 1.  Blocks of one value each: ``order.quantile``.  Undefined where n / D is
    too small for a two-sided interval at ``confidence`` (below 20 blocks: where as many values as
    blocks would be), and where all values are equal, as there.

    Raises DataError A202 for shapes that differ, NaN, or ``q`` or ``confidence`` outside of (0, 1).
    Source: Woodruff 1952; jackknife over blocks, Student's t.

    >>> slow = [1.0, 1.1, 1.2] * 10 + [2.0, 2.1, 2.2] * 10
    >>> quantile(slow, 0.5, blocks=np.repeat(np.arange(20), 3)).method
    'order statistics, n=60 in 20 blocks, worth 19 values, t with 19 df'

    Not to be trusted when there are fewer than about 20 blocks, or blocks are alike in turn (a slow
    hour): then the hours are the blocks.
    """
    level("q", q)
    found, (block, n_blocks) = finite("values", values), codes("blocks", blocks)
    same_shape(values=found, blocks=block)
    if found.size == n_blocks:
        return order.quantile(found, q, confidence=confidence)
    if n_blocks == 1:
        return ONE_BLOCK
    n = found.size
    worth, df = _worth(found, q, block, n_blocks)
    beyond = t_quantile(tail_of(confidence), df)
    reached = min(tail_of(confidence) ** (1 / worth), worth / (worth + beyond**2))
    if n_blocks < _MANY:
        # How alike so few blocks are is hardly known: count them as if all in one were one value.
        reached = min(reached, tail_of(confidence) ** (1 / n_blocks))
    said = f"{n} values in {n_blocks} blocks, worth {worth:.3g},"
    if reached < 0.5:
        return Undefined(f"{said} reach no quantile")
    if not 1 - reached <= q <= reached:
        tenths = int(1000 * reached)
        return Undefined(
            f"{said} reach p{(tenths if q > 0.5 else 1000 - tenths) / 10:g} "
            f"at {100 * confidence:g}% confidence, not p{100 * q:g}"
        )
    if np.ptp(found) == 0:
        return order.ALL_EQUAL
    return BlockQuantile(
        q=q,
        values=np.sort(found),
        n_eff=worth,
        df=df,
        method=f"order statistics, n={n} in {n_blocks} blocks, worth {worth:.3g} values, "
        f"t with {df:.3g} df",
    )


def _worth(
    values: Floats, q: float, block: npt.NDArray[np.intp], n_blocks: int
) -> tuple[float, float]:
    """Return how many independent values the blocks are worth, and the degrees of freedom."""
    sizes = np.bincount(block, minlength=n_blocks).astype(np.float64)
    within = (values <= np.quantile(values, q)).astype(np.float64)
    sums = Totals(numerator=totals(within, block, n_blocks), denominator=sizes)
    shifts, df = sums.shifts(), max(sums.effective_groups() - 1, 1.0)
    if shifts is None:
        raise DataError("One block holds everything", code=WRONG)
    effect = max(spread(shifts, df=df).variance * values.size / (q * (1 - q)), 1.0)
    return values.size / effect, df


def _most(holds: Callable[[int], bool], n: int) -> int:
    """Return the largest of 0 .. n - 1 where ``holds``, which turns false once; -1 for none."""
    return bisect_left(range(n), True, key=lambda k: not holds(k)) - 1
