"""What resamples of few groups say: percentiles are then too narrow and too coarse to stand alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from .arrays import Floats
from .inference import Inference, LogT, Resampled, StudentT, Undefined, exponential

FEW = 200
"""Groups below which Student's t has a say beside the percentiles."""

FEWEST = 8
"""Groups below which too few intervals held in simulation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FewGroups:
    """Infer from percentiles and from the spread of the same draws: whichever says less counts.

    Beyond the last draw percentiles are silent, and the spread alone decides.

    >>> draws = np.arange(1.0, 1000.0)
    >>> found = FewGroups(percentiles=Resampled(value=500.0, draws=draws, df=9.0),
    ...                   spread=StudentT(value=500.0, se=300.0, df=9.0))
    >>> [round(end) for end in found.interval()]
    [-179, 1179]

    Not to be trusted when values have a long tail, or the statistic is an extreme.
    """

    percentiles: Resampled
    spread: StudentT | LogT

    @property
    def value(self) -> float:
        """The point estimate."""
        return self.percentiles.value

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"{self.percentiles.method}, or t with {self.spread.df:.3g} df where that is wider"

    @property
    def se(self) -> float:
        """The standard deviation of the draws, made larger for few groups."""
        return self.spread.se

    @property
    def _bounds(self) -> tuple[float, float]:
        if isinstance(self.spread, LogT):
            return 0.0, inf
        return self.spread.low, self.spread.high

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval that holds both."""
        ends, (low, high) = self.percentiles.interval(confidence), self._bounds
        if ends is None:
            draws = self.percentiles.draws
            ends = (
                (low, high) if np.isnan(draws).any() else (float(draws.min()), float(draws.max()))
            )
        wide = self.spread.interval(confidence)
        return max(low, min(ends[0], wide[0])), min(high, max(ends[1], wide[1]))

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of value >= bound."""
        if bound <= self._bounds[0]:
            return 0.0
        beyond = bool((self.percentiles.draws >= bound).all())
        drawn = 0.0 if beyond else self.percentiles.p_at_least(bound)
        return max(drawn, self.spread.p_at_least(bound))

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of value <= bound."""
        if bound >= self._bounds[1]:
            return 0.0
        beyond = bool((self.percentiles.draws <= bound).all())
        drawn = 0.0 if beyond else self.percentiles.p_at_most(bound)
        return max(drawn, self.spread.p_at_most(bound))


def steadied(found: Inference, *, bounds: tuple[float, float] = (-inf, inf)) -> Inference:
    """Let the spread of the draws have a say beside their percentiles where groups are few.

    Below 200 groups (of one size: Kish's number): the wider of the widened percentiles and of
    Student's t with the variance of the draws times G / (G - 1), its longer tail moved by their
    skewness, cut at ``bounds``.  Below 8, and where over a tenth of the resamples have no value:
    undefined.  What was not resampled, or has more groups, is returned as is.

    Source: Efron 1979 for the variance; Hall 1992 for the skewness; Hesterberg 2015 on why
    percentiles are too narrow.

    >>> found = Resampled(value=2.5, draws=np.linspace(1.0, 4.0, 999), df=9.0)
    >>> isinstance(steadied(found), FewGroups)
    True
    >>> steadied(Resampled(value=2.5, draws=np.linspace(1.0, 4.0, 999), df=2.0)).method
    'undefined: the groups are worth 3 of one size, and resampling takes 8'

    Not to be trusted when values have a long tail, or the statistic is an extreme.
    """
    if not isinstance(found, Resampled) or found.df + 1 >= FEW:
        return found
    worth = found.df + 1
    if worth < FEWEST - 1e-9:
        return too_few(worth)
    lost = int(np.isnan(found.draws).sum())
    if lost > 0.1 * found.draws.size or found.se is None:
        return Undefined(f"{lost} of {found.draws.size} resamples have no value")
    spread = StudentT(
        value=found.value,
        se=found.se * sqrt(worth / found.df),
        df=found.df,
        low=float(bounds[0]),
        high=float(bounds[1]),
        skew=leaning(found.draws),
    )
    return FewGroups(percentiles=found, spread=spread)


def leaning(draws: Floats) -> float:
    """Return the skewness of draws, which is that of the estimate; within -1 and 1.

    >>> leaning(np.array([0.0, 0.0, 0.0, 4.0])) > 0
    True
    """
    drawn = draws[~np.isnan(draws)]
    drawn = drawn - drawn.mean()
    square = float(np.mean(drawn * drawn))
    if square <= 0:
        return 0.0
    third = float(np.mean(drawn * drawn * drawn))
    return float(min(max(third / square**1.5, -1.0), 1.0))


def too_few(worth: float) -> Undefined:
    """Return why there is nothing to say."""
    return Undefined(f"the groups are worth {worth:.3g} of one size, and resampling takes {FEWEST}")


def power_of_e(found: Inference) -> Inference:
    """Turn what is known of a logarithm into what is known of the number, as ``exponential`` does.

    >>> power_of_e(StudentT(value=0.0, se=0.1, df=9)).value
    1.0
    """
    if not isinstance(found, FewGroups):
        return exponential(found)
    drawn, spread = exponential(found.percentiles), exponential(found.spread)
    if isinstance(drawn, Resampled) and isinstance(spread, LogT):
        return FewGroups(percentiles=drawn, spread=spread)
    return Undefined("no logarithm")
