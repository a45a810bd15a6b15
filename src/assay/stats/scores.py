"""What records of yes and no say of one share: score and exact inferences."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import inf, isfinite, sqrt

from assay.core.errors import DataError

from .arrays import WRONG, tail_of
from .margin import Margin
from .tails import beta_quantile, binomial_at_least, binomial_at_most

RARE = 3
"""Events, or their absences, up to which a share of independent samples is inferred exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Infer a share from its null variance: Wilson's interval at an effective sample size.

    Source: Wilson 1927; for clusters, Kish's effective sample size with a t quantile (compare
    Dean and Pagano 2015).

    >>> low, high = Score(share=0.7, n_eff=10).interval()
    >>> round(low, 4), round(high, 4)
    (0.3968, 0.8922)

    Not to be trusted when the few events fall into a few much larger groups: with shares near 0.98
    and very unequal groups it covered as little as 84 % in simulation.
    """

    share: float
    n_eff: float
    """Samples, after division by the design effect."""

    df: float = inf
    """Of the t quantile that stands for z; ``inf`` where no variance was estimated."""

    method: str = "Wilson score"
    seed_se: float = 0.0
    """The part of ``se`` that comes from seeds, which more groups would not shrink."""

    seed_df: float = inf

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and self.n_eff > 0 and self.df > 0):
            raise DataError(f"No score inference: {self.share}, {self.n_eff}", code=WRONG)

    @property
    def value(self) -> float:
        """The share."""
        return self.share

    @property
    def se(self) -> float | None:
        """The standard error at the share, None at 0 and 1 where it says nothing."""
        spread = self.share * (1 - self.share)
        return sqrt(spread / self.n_eff) if spread > 0 else None

    @property
    def margin(self) -> Margin:
        """How far the error reaches, in standard errors."""
        return Margin.of(self.se or inf, self.df, seeds=(self.seed_se, self.seed_df))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval."""
        t = self.margin.reach(tail_of(confidence))
        n, p = self.n_eff, self.share
        stretch = 1 + t * t / n
        half = t * sqrt(p * (1 - p) / n + t * t / (4 * n * n)) / stretch
        # Each end from the other by the product of the roots: no cancellation near 0 and 1.
        if p < 0.5:
            high = (p + t * t / (2 * n)) / stretch + half
            return p * p / stretch / high, min(1.0, high)
        low = (p + t * t / (2 * n)) / stretch - half
        return max(0.0, low), 1 - (1 - p) * (1 - p) / stretch / (1 - low)

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of share >= bound."""
        if bound <= 0:
            return 0.0
        if bound >= 1:
            return 1.0
        return self.margin.tail(self._score(bound))

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of share <= bound."""
        if bound >= 1:
            return 0.0
        if bound <= 0:
            return 1.0
        return self.margin.tail(-self._score(bound))

    def _score(self, bound: float) -> float:
        # The root of each factor by itself: the product of tiny ones would be zero.
        return (self.share - bound) * sqrt(self.n_eff) / (sqrt(bound) * sqrt(1 - bound))


@dataclass(frozen=True, slots=True)
class Exact:
    """Infer a share from ``k`` of ``n`` independent trials: Clopper-Pearson.

    Source: Clopper and Pearson 1934.

    >>> round(Exact(0, 10).interval()[1], 4)
    0.3085

    Not to be trusted when the trials are not independent: count groups then, not samples.
    """

    k: float
    n: float
    _: KW_ONLY
    of: str = "samples"
    """What was counted: ``samples`` or ``groups``."""

    def __post_init__(self) -> None:
        if not (0 <= self.k <= self.n and self.n > 0 and isfinite(self.n)):
            raise DataError(f"No exact inference from {self.k} of {self.n}", code=WRONG)

    @property
    def value(self) -> float:
        """The share."""
        return self.k / self.n

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"Clopper-Pearson, {self.k:g} of {self.n:g} {self.of}"

    @property
    def se(self) -> float | None:
        """The standard error, None at 0 and 1 where it says nothing."""
        spread = self.value * (1 - self.value)
        return sqrt(spread / self.n) if spread > 0 else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval."""
        tail, k, n = tail_of(confidence), self.k, self.n
        low = 0.0 if k == 0 else beta_quantile(tail, k, n - k + 1)
        high = 1.0 if k == n else 1 - beta_quantile(tail, n - k, k + 1)
        return low, high

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of share >= bound."""
        if bound <= 0:
            return 0.0
        return binomial_at_least(self.k, self.n, bound) if bound < 1 else 1.0

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of share <= bound."""
        if bound >= 1:
            return 0.0
        return binomial_at_most(self.k, self.n, bound) if bound > 0 else 1.0
