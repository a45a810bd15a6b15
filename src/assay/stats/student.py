"""What a value and its estimated standard error say: t inferences, plain and on the log scale."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, isfinite, log

from assay.core.errors import DataError

from .arrays import WRONG, tail_of
from .margin import Margin


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentT:
    """A value whose standard error was estimated.

    Raises DataError A202 for a standard error of zero: that is no certainty, return ``Undefined``.

    >>> low, high = StudentT(value=0.5, se=0.1, df=4).interval()
    >>> round(low, 3), round(high, 3)
    (0.222, 0.778)

    Not to be trusted when a few groups carry most of the number, or it lies near its bounds.
    """

    value: float
    se: float
    df: float = inf
    method: str = "Student's t"
    low: float = -inf
    """No value below this is possible; intervals are cut there."""

    high: float = inf
    seed_se: float = 0.0
    """The part of ``se`` that comes from seeds, which more groups would not shrink."""

    seed_df: float = inf
    skew: float = 0.0
    """Of the estimate: above 0 the upper end reaches farther, below 0 the lower one."""

    def __post_init__(self) -> None:
        if not (0 < self.se < inf and self.df > 0 and isfinite(self.value)):
            raise DataError(f"No t inference from se {self.se}, df {self.df}", code=WRONG)
        if not self.low <= self.value <= self.high:
            raise DataError(
                f"{self.value} is outside of its bounds [{self.low}, {self.high}]", code=WRONG
            )

    @property
    def margin(self) -> Margin:
        """How far the error reaches, in standard errors."""
        return Margin.of(self.se, self.df, seeds=(self.seed_se, self.seed_df), skew=self.skew)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval, cut at the bounds."""
        tail, margin = tail_of(confidence), self.margin
        low = self.value - margin.reach(tail, side=-1) * self.se
        return max(self.low, low), min(self.high, self.value + margin.reach(tail) * self.se)

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of value >= bound."""
        if bound <= self.low:
            return 0.0
        if bound > self.high:
            return 1.0
        return self.margin.tail((self.value - bound) / self.se, side=-1)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of value <= bound."""
        if bound >= self.high:
            return 0.0
        return self.margin.tail((bound - self.value) / self.se) if bound >= self.low else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogT:
    """A positive ratio, inferred on the log scale.

    >>> low, high = LogT(value=2.0, log_se=0.1, df=19).interval()
    >>> round(low, 3), round(high, 3)
    (1.622, 2.466)

    Not to be trusted when either total may be zero: resample then, and give a lower bound only.
    """

    value: float
    log_se: float
    """Standard error of the logarithm of ``value``."""

    df: float = inf
    method: str = "log-scale t"
    seed_se: float = 0.0
    """The part of ``log_se`` that comes from seeds, which more groups would not shrink."""

    seed_df: float = inf
    skew: float = 0.0
    """Of the logarithm, as in ``StudentT``."""

    def __post_init__(self) -> None:
        if not (0 < self.value < inf and 0 < self.log_se < inf and self.df > 0):
            raise DataError(f"No log inference from {self.value}, {self.log_se}", code=WRONG)

    @property
    def se(self) -> float:
        """The standard error of the ratio itself, to first order."""
        return self.value * self.log_se

    @property
    def margin(self) -> Margin:
        """How far the error of the logarithm reaches, in standard errors."""
        return Margin.of(self.log_se, self.df, seeds=(self.seed_se, self.seed_df), skew=self.skew)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval."""
        tail, margin = tail_of(confidence), self.margin
        down, up = (margin.reach(tail, side=side) * self.log_se for side in (-1, 1))
        # Beyond what a float can hold.
        low = self.value * exp(-down) if down <= 600 else 0.0
        return low, self.value * exp(up) if up <= 600 else inf

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of ratio >= bound."""
        if bound <= 0:
            return 0.0
        return self.margin.tail(self._distance(bound), side=-1) if bound < inf else 1.0

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of ratio <= bound."""
        if bound <= 0:
            return 1.0
        return self.margin.tail(-self._distance(bound)) if bound < inf else 0.0

    def _distance(self, bound: float) -> float:
        # A quotient would underflow where a difference of logarithms does not.
        return (log(self.value) - log(bound)) / self.log_se
