"""How large a difference is in standard deviations: Cohen's d and Hedges' g."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, log, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, tail_of
from .inference import Inference, Undefined
from .means import NO_SPREAD, NOTHING, ONE_SAMPLE, differences
from .tails import log_gamma, noncentral_t_above

_HALVINGS = 80
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """A standardised difference: its t is noncentral, shifted by the true one times ``root_n``.

    Source: Hedges and Olkin 1985; Steiger and Fouladi 1997 for the interval.

    >>> found = EffectSize(value=0.5, d=0.5, root_n=5.0, df=24, method="Cohen's d_z")
    >>> [round(end, 3) for end in found.interval()]
    [0.079, 0.912]

    Not to be trusted when outcomes are far from normal, or samples come in groups.
    """

    value: float
    d: float
    """Without correction: what the t statistic is made of."""

    root_n: float
    """The t statistic is ``d`` times this."""

    df: float
    method: str

    def __post_init__(self) -> None:
        if not (self.root_n > 0 and self.df > 0 and -inf < self.d < inf):
            raise DataError(f"No effect size: {self}", code=WRONG)

    @property
    def se(self) -> float:
        """The large-sample standard error (Hedges and Olkin 1985)."""
        return sqrt(1 / self.root_n**2 + self.d**2 / (2 * (self.df + 1)))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the true sizes at which the t that was seen is not too extreme."""
        tail = tail_of(confidence)
        low = _last(self.p_at_least, tail, self.d, self.se)
        return low, -_last(lambda size: self.p_at_most(-size), tail, -self.d, self.se)

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of size >= bound."""
        if abs(bound) == inf:
            return 0.0 if bound < 0 else 1.0
        return noncentral_t_above(self.d * self.root_n, self.df, bound * self.root_n)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of size <= bound."""
        if abs(bound) == inf:
            return 0.0 if bound > 0 else 1.0
        return noncentral_t_above(-self.d * self.root_n, self.df, -bound * self.root_n)


def cohens_d(first: npt.ArrayLike, second: npt.ArrayLike) -> Inference:
    """Infer the difference of means of different samples, in pooled standard deviations.

    Arrays of shape [samples], one each.  Undefined for fewer than two samples of either, and where
    neither varies.

    Raises DataError A202 for NaN or infinity.
    Source: Cohen 1988; noncentral t.

    >>> cohens_d([2.0, 3.0, 4.0], [1.0, 2.0, 3.0]).value
    1.0

    Not to be trusted when the two spreads differ much: the pooled one is neither's.
    """
    return _pooled(first, second, corrected=False)


def hedges_g(first: npt.ArrayLike, second: npt.ArrayLike) -> Inference:
    """Infer as ``cohens_d``, with the estimate corrected for the bias of few samples.

    The interval is that of the true size, and so the same as for Cohen's d.

    Raises DataError A202 for NaN or infinity.
    Source: Hedges 1981, exact gamma correction.

    >>> round(hedges_g([2.0, 3.0, 4.0], [1.0, 2.0, 3.0]).value, 4)
    0.7979

    Not to be trusted when the two spreads differ much.
    """
    return _pooled(first, second, corrected=True)


def cohens_dz(first: npt.ArrayLike, second: npt.ArrayLike) -> Inference:
    """Infer the mean paired difference in standard deviations of the differences.

    Arrays of shape [samples], in one order.  Undefined for fewer than two samples, and where all
    differences are equal.

    Raises DataError A202 for shapes that differ, NaN or infinity.
    Source: Cohen 1988; noncentral t.

    >>> round(cohens_dz([2.0, 3.0, 5.0], [1.0, 2.5, 2.0]).value, 3)
    1.134

    Not to be trusted beside a ``cohens_d``: a paired size grows with the pairing, and the two
    cannot be compared.
    """
    gaps = differences(first, second)
    if gaps.size < 2:
        return ONE_SAMPLE if gaps.size else NOTHING
    n = gaps.size
    return _size(
        float(gaps.mean()), _squares(gaps) / (n - 1), root_n=sqrt(n), df=n - 1, name="Cohen's d_z"
    )


def correction(df: float) -> float:
    """Return the factor that takes the bias out of d.

    Source: Hedges 1981.

    >>> round(correction(10), 4)
    0.9227
    """
    if df <= 1:
        raise DataError(f"d has no mean with {df} degrees of freedom", code=WRONG)
    return exp(log_gamma(df / 2) - log_gamma((df - 1) / 2) - log(df / 2) / 2)


def _pooled(first: npt.ArrayLike, second: npt.ArrayLike, *, corrected: bool) -> Inference:
    a, b = finite("first", first), finite("second", second)
    if min(a.size, b.size) < 2:
        return ONE_SAMPLE if a.size and b.size else NOTHING
    df = a.size + b.size - 2
    root_n = sqrt(a.size * b.size / (a.size + b.size))
    gap, variance = float(a.mean() - b.mean()), (_squares(a) + _squares(b)) / df
    if not corrected:
        return _size(gap, variance, root_n=root_n, df=df, name="Cohen's d")
    return _size(gap, variance, root_n=root_n, df=df, name="Hedges' g", factor=correction(df))


def _size(
    gap: float, variance: float, *, root_n: float, df: int, name: str, factor: float = 1.0
) -> EffectSize | Undefined:
    if variance == 0:
        return NO_SPREAD
    d = gap / sqrt(variance)
    return EffectSize(
        value=factor * d, d=d, root_n=root_n, df=df, method=f"{name}, noncentral t, {df} df"
    )


def _squares(values: Floats) -> float:
    """Return the sum of squared deviations; 0 where the values differ by rounding only."""
    if float(np.ptp(values)) <= _ROUNDING * float(np.abs(values).max(initial=0.0)):
        return 0.0
    return float(((values - values.mean()) ** 2).sum())


def _last(p: Callable[[float], float], tail: float, middle: float, step: float) -> float:
    """Return the last size whose p-value, which grows with it, is at most ``tail``."""
    low, high = middle, middle
    while p(low) > tail:
        low, step = low - step, 2 * step
    while p(high) <= tail:
        high, step = high + step, 2 * step
    for _ in range(_HALVINGS):
        centre = (low + high) / 2
        if p(centre) <= tail:
            low = centre
        else:
            high = centre
    return low
