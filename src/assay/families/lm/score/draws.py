"""A number in every resample, as it is and smoothed, and the interval that both of them give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np

from assay import Estimate
from assay.estimates import from_draws

from .members import Floats

RESAMPLES = 4_000


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """The same resamples three times, each of shape [resamples]; NaN where one has no value."""

    plain: Floats
    """As they are: they do not vary where everything is right, or wrong."""

    smoothed: Floats
    """With a group more that is right and one that is wrong: they vary, and lean to the middle."""

    wide: Floats
    """The smoothed ones, as far from their mean as they would be had they not been drawn in: for variances."""

    @classmethod
    def of(cls, plain: Floats, smoothed: Floats, *, groups: float) -> Draws:
        """Return them, of so many groups of one size: two more draw in a resample by ``groups / (groups + 2)``.

        A resample also varies less than a sample, by ``(groups - 1) / groups``.
        """
        middle = np.nanmean(smoothed)
        factor = (groups + 2) / groups * sqrt(groups / max(groups - 1, 1.0))
        return cls(plain, smoothed, middle + factor * (smoothed - middle))

    def map(self, of: Callable[[Floats], Floats]) -> Draws:
        """Return all of them, changed."""
        return Draws(of(self.plain), of(self.smoothed), of(self.wide))

    def times(self, other: Draws) -> Draws:
        """Return the product, resample by resample."""
        return Draws(
            self.plain * other.plain, self.smoothed * other.smoothed, self.wide * other.wide
        )

    @property
    def variance(self) -> float:
        """Of the wide ones."""
        return float(np.nanvar(self.wide))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a number rests on."""

    n: int
    groups: int
    df: float
    """Groups of one size, less one."""


NOTHING = Draws(np.zeros(RESAMPLES), np.zeros(RESAMPLES), np.zeros(RESAMPLES))


def total(parts: Sequence[tuple[float, Draws]]) -> Draws:
    """Return the sum of numbers, each times a factor."""
    found = NOTHING
    for factor, draws in parts:
        found = Draws(
            found.plain + factor * draws.plain,
            found.smoothed + factor * draws.smoothed,
            found.wide + factor * draws.wide,
        )
    return found


def degrees(parts: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of independent parts of (variance, df); ``inf`` for none.

    Source: Satterthwaite 1946.

    >>> degrees([(1.0, 4.0), (1.0, 4.0)])
    8.0
    """
    whole = sum(variance for variance, _ in parts)
    below = sum(variance**2 / df for variance, df in parts)
    return inf if not below else max(whole**2 / below, 1.0)


def bracket(name: str, value: float, low: Draws, high: Draws, *, size: Size) -> Estimate:
    """Return a number with the interval that reaches as far as the plain or the smoothed resamples.

    The lower end is that of ``low``, the upper that of ``high``: they differ where something is cut.  The plain ones
    are widened for few groups; either alone would leave out the truth, one where nothing varies, the other
    where it is near a bound.  Simulated in ``docs/families/lm.md``.
    """
    plain, smoothed = (
        (
            from_draws(name, value, a, n=size.n, groups=size.groups, df=df),
            from_draws(name, value, b, n=size.n, groups=size.groups, df=df),
        )
        for a, b, df in (
            (low.plain, high.plain, size.df),
            (low.smoothed, high.smoothed, inf),
        )
    )
    lows = [one.low for one in (plain[0], smoothed[0])]
    highs = [one.high for one in (plain[1], smoothed[1])]
    known_low = [x for x in lows if x is not None]
    known_high = [x for x in highs if x is not None]
    whole = len(known_low) == len(known_high) == 2
    return replace(
        plain[0],
        low=min(*known_low, value) if whole else None,
        high=max(*known_high, value) if whole else None,
        method=f"percentile bootstrap, joint and smoothed, {RESAMPLES:,} resamples",
    )
