"""One number, what supports it, and intervals and p-values that always agree.

``p_at_least(b) <= a`` exactly when the lower end of ``interval(1 - 2 * a)`` is at least ``b``, and
``p_at_most(b) <= a`` exactly when its upper end is at most ``b``.  So Holm can decide claims by
p-values, and the report can print the interval at the level that decided.

* Inference
  x StudentT         a value with an estimated standard error     (``student``)
  x LogT             a ratio of positive totals                   (``student``)
  x Score            a share                                       (``scores``)
  x Exact            a share that was never or always observed     (``scores``)
  x PairedScore      a difference of shares on the same samples    (``discordance``)
  x ZeroDiscordance  a difference that was never observed          (``discordance``)
  x OrderStatistic   a quantile                                    (``order``)
  x QuantileRatio    a ratio of two quantiles                      (``order``)
  x BlockQuantile    a quantile of values in time blocks           (``blocks``)
  x EffectSize       a difference in standard deviations           (``effect``)
  x SignFlip         the centre of paired differences              (``means``)
  x Resampled        anything, by bootstrap
  x BiasCorrected    the same, moved by bias and acceleration      (``bca``)
  x FewGroups        the same, or its spread where that is wider   (``few``)
  x WeightedSum      a mean of shares of strata, with weights      (``strata``)
  x Away             how far a number is from a centre             (``away``)
  x Gap              a difference, of any two                      (``away``)
  x Envelope         whichever of several is least favourable
  x Census           exactly these records: nothing is inferred
  x Undefined        no number, and why
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import exp, floor, inf, sqrt
from typing import Protocol, runtime_checkable

import numpy as np

from .arrays import Floats, tail_of
from .discordance import PairedScore, ZeroDiscordance
from .scores import RARE, Exact, Score
from .student import LogT, StudentT
from .tails import normal_below, normal_quantile, t_quantile, t_tail

__all__ = [
    "NO_SEED_EFFECT",
    "RARE",
    "Census",
    "Envelope",
    "Exact",
    "Inference",
    "LogT",
    "PairedScore",
    "Resampled",
    "Score",
    "StudentT",
    "Undefined",
    "ZeroDiscordance",
    "exponential",
]

NO_SEED_EFFECT = "seed has no effect"
"""The reason of an ``Undefined`` over seeds whose records are all the same."""


@runtime_checkable
class Inference(Protocol):
    """A number with what is known about its error."""

    @property
    def value(self) -> float | None:
        """The point estimate; None only where it is undefined."""
        ...

    @property
    def method(self) -> str:
        """What was done, in words: ``cluster-robust t, 219 df``."""
        ...

    @property
    def se(self) -> float | None:
        """The standard error where there is one, for planning; never an interval's half width."""
        ...

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the two-sided interval, or None where the records support none."""
        ...

    def p_at_least(self, bound: float) -> float | None:
        """Return the one-sided p-value in support of "at least bound"."""
        ...

    def p_at_most(self, bound: float) -> float | None:
        """Return the one-sided p-value in support of "at most bound"."""
        ...


@dataclass(frozen=True, slots=True)
class Undefined:
    """There is no number.

    >>> Undefined("one group").interval() is None
    True
    """

    why: str

    @property
    def value(self) -> None:
        """None."""
        return None

    @property
    def method(self) -> str:
        """Why not."""
        return f"undefined: {self.why}"

    @property
    def se(self) -> None:
        """None."""
        return None

    def interval(self, confidence: float = 0.95) -> None:
        """Return None."""
        tail_of(confidence)

    def p_at_least(self, bound: float) -> None:
        """Return None."""

    def p_at_most(self, bound: float) -> None:
        """Return None."""


@dataclass(frozen=True, slots=True)
class Census:
    """Exactly these records: the interval is the value, and p-values are 0 or 1.

    >>> Census(0.9).p_at_least(0.8), Census(0.9).p_at_least(0.95)
    (0.0, 1.0)
    """

    value: float

    @property
    def method(self) -> str:
        """What was done, in words."""
        return "census of these records"

    @property
    def se(self) -> None:
        """None: nothing is inferred."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the value twice."""
        tail_of(confidence)
        return self.value, self.value

    def p_at_least(self, bound: float) -> float:
        """Return 0 where the value is at least the bound, else 1."""
        return 0.0 if self.value >= bound else 1.0

    def p_at_most(self, bound: float) -> float:
        """Return 0 where the value is at most the bound, else 1."""
        return 0.0 if self.value <= bound else 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resampled:
    """A bootstrap distribution, read by percentiles.

    With B draws and infinite ``df`` the smallest p-value is 1 / (B + 1); a stricter level has no
    interval.  A draw that is NaN is a resample without a value: it counts against every claim.

    Source: Efron 1979; percentiles widened for few groups, Hesterberg 2015, section 5.3.

    >>> import numpy as np
    >>> Resampled(value=50.0, draws=np.arange(1.0, 100.0)).interval(0.9)
    (5.0, 95.0)
    >>> Resampled(value=50.0, draws=np.arange(1.0, 100.0), df=29.0).interval(0.9)
    (4.0, 96.0)

    Not to be trusted when there are fewer than about 30 groups, or the value lies on a bound.
    """

    value: float
    draws: Floats = field(repr=False)
    """Shape [resamples], in the order drawn, so that draws of two systems stay paired."""

    method: str = "percentile bootstrap"
    df: float = inf
    """Groups less one: percentiles are read as far out as Student's t asks; ``inf``: as they are."""

    @property
    def se(self) -> float | None:
        """The standard deviation of the draws."""
        drawn = self.draws[~np.isnan(self.draws)]
        return float(drawn.std(ddof=1)) if drawn.size > 1 else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the percentile interval, None where there are too few draws for the level."""
        drawn = np.sort(self.draws[~np.isnan(self.draws)])
        undefined = self.draws.size - drawn.size
        tail = tail_of(confidence)
        if self.df < inf:
            tail = normal_below(-t_quantile(tail, self.df) * sqrt(1 + 1 / self.df))
        rank = floor(tail * (self.draws.size + 1) + 1e-9) - undefined
        if rank < 1:
            return None
        return float(drawn[rank - 1]), float(drawn[-rank])

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of value >= bound."""
        return self._p(int(np.sum(~(self.draws >= bound))))

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of value <= bound."""
        return self._p(int(np.sum(~(self.draws <= bound))))

    def _p(self, against: int) -> float:
        """Return the tail whose end comes to lie on a bound that ``against`` draws do not reach."""
        share = (1 + against) / (self.draws.size + 1)
        if self.df == inf or share >= 1:
            return share
        return t_tail(-normal_quantile(share) / sqrt(1 + 1 / self.df), self.df)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Records that may be any of several, because some were not observed.

    What it says holds in every case: intervals are joined, and the largest p-value counts.

    >>> both = Envelope(value=0.5, cases=(Census(0.4), Census(0.6)))
    >>> both.interval(), both.p_at_least(0.4), both.p_at_least(0.5)
    ((0.4, 0.6), 0.0, 1.0)

    Source: worst-case imputation, Horowitz and Manski 2000.
    Not to be trusted when the cases leave one out that could be the truth.
    """

    value: float
    """Of what was observed."""

    cases: tuple[Inference, ...]
    method: str = "whichever case is least favourable"

    @property
    def se(self) -> None:
        """None: what was not observed does not shrink with more samples."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the interval that holds that of every case; None where one has none."""
        ends = [one.interval(confidence) for one in self.cases]
        known = [e for e in ends if e is not None]
        if len(known) < len(ends) or not known:
            return None
        return min(low for low, _ in known), max(high for _, high in known)

    def p_at_least(self, bound: float) -> float | None:
        """Return the largest p-value in support of "at least bound"."""
        return _largest([one.p_at_least(bound) for one in self.cases])

    def p_at_most(self, bound: float) -> float | None:
        """Return the largest p-value in support of "at most bound"."""
        return _largest([one.p_at_most(bound) for one in self.cases])


def exponential(found: Inference) -> Inference:
    """Turn what is known of a logarithm into what is known of the number; anything else stays.

    >>> exponential(StudentT(value=0.0, se=0.1, df=9)).value
    1.0
    """
    match found:
        case StudentT(value=value):
            return LogT(
                value=exp(value),
                log_se=found.se,
                df=found.df,
                method=f"{found.method}, of the logarithm",
                seed_se=found.seed_se,
                seed_df=found.seed_df,
                skew=found.skew,
            )
        case Resampled(value=value, draws=draws):
            return replace(found, value=exp(value), draws=np.exp(draws))
    return found


def _largest(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known and len(known) == len(values) else None
