"""What records of yes and no say of the difference of two shares on the same samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt

from assay.core.errors import DataError

from .arrays import WRONG, tail_of
from .margin import Margin

_HALVINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedScore:
    """Infer a difference of two shares on the same samples: Tango's interval, effective size.

    Source: Tango 1998, Statistics in Medicine 17:891; the effective size and the t quantile carry
    groups and seeds, as in ``Score``; the longer tail is widened by the skewness, Hall 1992.

    >>> low, high = PairedScore(gained=6 / 161, lost=16 / 161, n_eff=161).interval()
    >>> round(low, 4), round(high, 4)
    (-0.124, -0.0054)

    Not to be trusted when fewer than about five groups differ at all and groups are of very
    unequal size.
    """

    gained: float
    """Share of samples that only the first system got right."""

    lost: float
    """Share of samples that only the second got right."""

    n_eff: float
    df: float = inf
    method: str = "Tango score"
    seed_se: float = 0.0
    seed_df: float = inf
    skew: float = 0.0
    """The skewness of the estimate: above 0 where fewer groups hold the gains than the losses."""

    def __post_init__(self) -> None:
        shares = self.gained >= 0 and self.lost >= 0 and self.gained + self.lost <= 1 + 1e-9
        if not (shares and self.n_eff > 0 and self.df > 0):
            raise DataError(f"No paired score inference: {self}", code=WRONG)

    @property
    def value(self) -> float:
        """First minus second."""
        return self.gained - self.lost

    @property
    def se(self) -> float | None:
        """The standard error at the difference, None where nothing differed."""
        spread = self.gained + self.lost - self.value**2
        return sqrt(spread / self.n_eff) if spread > 0 else None

    @property
    def margin(self) -> Margin:
        """How far the error reaches, in standard errors."""
        seeds = self.seed_se, self.seed_df
        return Margin.of(self.se or inf, self.df, seeds=seeds, skew=self.skew)

    def statistic(self, difference: float) -> float:
        """Return the score statistic under a true difference; it falls as that grows."""
        if difference < 0:
            return -_tango(self.lost, self.gained, -difference, n=self.n_eff)
        return _tango(self.gained, self.lost, difference, n=self.n_eff)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval."""
        tail, margin = tail_of(confidence), self.margin
        down, up = margin.reach(tail, side=-1), margin.reach(tail)
        low = _last(lambda d: self.statistic(d) >= down, -1.0, self.value)
        high = -_last(lambda d: -self.statistic(-d) >= up, -1.0, -self.value)
        return low, high

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference >= bound."""
        if bound <= -1:
            return 0.0
        return self.margin.tail(self.statistic(bound), side=-1) if bound < 1 else 1.0

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference <= bound."""
        if bound >= 1:
            return 0.0
        return self.margin.tail(-self.statistic(bound)) if bound > -1 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroDiscordance:
    """Infer a paired difference from groups none of which differed.

    The difference cannot exceed the share of groups that differ times ``reach``, and that share
    is at most the Clopper-Pearson bound of 0 of ``n_groups``.

    >>> low, high = ZeroDiscordance(n_groups=100).interval()
    >>> round(low, 4), round(high, 4)
    (-0.0362, 0.0362)

    Not to be trusted when groups are of very unequal size: a large group that differs would have
    counted for more than one.
    """

    n_groups: float
    reach: float = 1.0
    """The largest difference that is possible."""

    def __post_init__(self) -> None:
        if not (self.n_groups > 0 and 0 < self.reach < inf):
            raise DataError(f"No inference from {self.n_groups} groups", code=WRONG)

    @property
    def value(self) -> float:
        """Always 0."""
        return 0.0

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"no difference in any of {self.n_groups:g} groups, Clopper-Pearson"

    @property
    def se(self) -> float | None:
        """None: nothing varied."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval."""
        bound = float(self.reach * (1 - tail_of(confidence) ** (1 / self.n_groups)))
        return -bound, bound

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference >= bound."""
        depth = min(max(-bound / self.reach, 0.0), 1.0)
        return float((1 - depth) ** self.n_groups)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of difference <= bound."""
        return self.p_at_least(-bound)


def _tango(gained: float, lost: float, d: float, *, n: float) -> float:
    """Return Tango's statistic for d >= 0, free of cancellation."""
    b = -gained - lost + (2 - gained + lost) * d
    c = -lost * d * (1 - d)
    root = sqrt(max(b * b - 8 * c, 0.0))
    lost_under_d = (root - b) / 4 if b <= 0 else -2 * c / (root + b)
    variance = (2 * lost_under_d + d * (1 - d)) / n
    gap = gained - lost - d
    if variance <= 0:
        return inf if gap > 0 else -inf if gap < 0 else 0.0
    return gap / sqrt(variance)


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return the last point of [low, high] where ``holds``, which turns false once."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low
