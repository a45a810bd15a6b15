"""How many standard errors an interval reaches, to either side and at any level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, hypot, inf, log, sqrt

from .jackknife import Spread, without
from .skewed import farther, nearer
from .tails import t_quantile, t_tail

_LEAST = log(1e-300)
"""Of the logarithm of a tail: nothing rarer is told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """The distribution of an error in standard errors: groups, seeds, and one longer tail.

    With seeds the margin is the root of the squares of both margins, each Student's t of its own
    degrees *at the level that is asked for*: degrees that fit at 95 % are too many at 99.75 %.

    Source: Graybill and Wang 1980, Zou and Donner 2008 for sums of margins; Hall 1992 for skewness.

    >>> few = Margin(df=2.75, seeds=0.5, seed_df=2.0)
    >>> round(few.reach(0.025), 2), round(few.reach(0.0005) / t_quantile(0.0005, 2.75), 2)
    (3.35, 1.49)
    >>> round(few.tail(few.reach(0.0005)), 9)
    0.0005
    >>> lame = Margin(df=30.0, skew=0.2)
    >>> lame.reach(0.025) > lame.reach(0.025, side=-1) == t_quantile(0.025, 30)
    True

    Not to be trusted when the standard error itself is not: one group that holds nearly everything.
    """

    df: float
    """Of the whole at 95 %, as ``jackknife.beside`` gives them."""

    seeds: float = 0.0
    """The part of the variance that comes from seeds, 0 to 1."""

    seed_df: float = inf
    skew: float = 0.0
    """Of the estimate; above 0 the upper end reaches farther, below 0 the lower one."""

    @classmethod
    def of(cls, se: float, df: float, *, seeds: tuple[float, float], skew: float = 0.0) -> Margin:
        """Return the margin of a standard error; ``seeds`` are their part of it and its degrees."""
        part = min((seeds[0] / se) ** 2, 1.0) if seeds[0] > 0 else 0.0
        return cls(df=df, seeds=part, seed_df=seeds[1], skew=skew)

    def reach(self, tail: float, *, side: int = 1) -> float:
        """Return how many standard errors leave out ``tail`` above (``side`` 1) or below (-1)."""
        return farther(self._even(tail), side * self.skew)

    def tail(self, x: float, *, side: int = 1) -> float:
        """Return the tail that ``reach`` brings to ``x``."""
        return self._even_tail(nearer(x, side * self.skew))

    def _even(self, tail: float) -> float:
        if not self.seeds or tail >= 0.5:
            return t_quantile(tail, self.df)
        groups = _groups(self.df, self.seeds, self.seed_df)
        return hypot(
            sqrt(1 - self.seeds) * t_quantile(tail, groups),
            sqrt(self.seeds) * t_quantile(tail, self.seed_df),
        )

    def _even_tail(self, x: float) -> float:
        if not self.seeds or x == 0:
            return t_tail(x, self.df)
        if x < 0:
            return 1.0 - self._even_tail(-x)
        rare, common = _LEAST, log(0.5)
        for _ in range(60):
            middle = (rare + common) / 2
            rare, common = (middle, common) if self._even(exp(middle)) > x else (rare, middle)
        return exp(common)


@lru_cache(maxsize=256)
def _groups(df: float, seeds: float, seed_df: float) -> float:
    """Return the degrees of freedom of the groups' part."""
    return without(Spread(variance=1.0, df=df), Spread(variance=seeds, df=seed_df)).df
