"""BCa: percentiles of a bootstrap, moved by its bias and by how its spread changes with the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor, inf, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape, tail_of
from .inference import Inference, Resampled, Undefined
from .tails import normal_below, normal_quantile

ONE_SIDE = Undefined("every resample lies on one side of the value: BCa has no correction")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BiasCorrected:
    """A bootstrap distribution, read at percentiles that bias and acceleration move.

    An end that the draws do not reach is infinite; with B draws the smallest p-value is 1 / (B + 1).
    A draw that is NaN counts against every claim, as in ``Resampled``.
    Source: Efron 1987; DiCiccio and Efron 1996.

    >>> draws = np.arange(1.0, 1000.0)
    >>> BiasCorrected(value=500.0, draws=draws, bias=0.0, acceleration=0.0).interval(0.9)
    (50.0, 950.0)
    >>> BiasCorrected(value=500.0, draws=draws, bias=0.0, acceleration=0.05).interval(0.9)
    (64.0, 964.0)

    Not to be trusted when there are fewer than about 30 groups, or the value is a quantile: the
    jackknife behind the acceleration then says nothing.
    """

    value: float
    draws: Floats = field(repr=False)
    """Shape [resamples]."""

    bias: float
    """z0: where the value stands among the draws, in normal deviations."""

    acceleration: float
    """How fast the standard error grows with the value: a sixth of a skewness."""

    method: str = "BCa bootstrap"

    @property
    def se(self) -> float | None:
        """The standard deviation of the draws."""
        drawn = _defined(self.draws)
        return float(drawn.std(ddof=1)) if drawn.size > 1 else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return the interval, None where there are too few draws for either end."""
        tail, drawn = tail_of(confidence), _defined(self.draws)
        below, above = self._rank(tail, drawn.size, 1), self._rank(tail, drawn.size, -1)
        if below < 1 and above < 1:
            return None
        if (drawn[1:] < drawn[:-1]).any():
            # Two draws are looked for: to sort them all would be most of the work.
            ends = [rank for rank in (below - 1, drawn.size - above) if 0 <= rank < drawn.size]
            drawn = np.partition(drawn, ends)
        low = float(drawn[below - 1]) if below >= 1 else -inf
        return low, float(drawn[-above]) if above >= 1 else inf

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of value >= bound."""
        return self._p(int(np.sum(~(self.draws >= bound))), 1)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of value <= bound."""
        return self._p(int(np.sum(~(self.draws <= bound))), -1)

    # Turned over (sign = -1), draws, bias and acceleration change sign: one end is enough to write.

    def _rank(self, tail: float, defined: int, sign: int) -> int:
        """Return the rank of an end among the draws, from below or from above; under 1: none."""
        bias, acceleration = sign * self.bias, sign * self.acceleration
        resamples = self.draws.size
        if floor(tail * (resamples + 1) + 1e-9) < 1:
            return 0
        moved = _moved(bias + normal_quantile(tail), acceleration)
        rank = min(floor(normal_below(bias + moved) * (resamples + 1) + 1e-9), resamples)
        return rank - (resamples - defined)

    def _p(self, against: int, sign: int) -> float:
        """Return the tail whose end comes to lie on a bound that ``against`` draws do not reach."""
        bias, acceleration = sign * self.bias, sign * self.acceleration
        least, share = 1 / (self.draws.size + 1), (1 + against) / (self.draws.size + 1)
        if share >= 1:
            return 1.0
        tail = normal_below(_moved(normal_quantile(share) - bias, -acceleration) - bias)
        return min(max(tail, least), 1.0)


def corrected(found: Inference, *, acceleration: float) -> Inference:
    """Correct a percentile bootstrap for bias and acceleration.

    What is no bootstrap is returned as it is.  Undefined where every draw lies on one side of the
    value.

    Raises DataError A202 for an acceleration that is not finite.
    Source: Efron 1987; ties count half, as in scipy.stats.bootstrap.

    >>> skewed = Resampled(value=2.0, draws=np.array([1.0, 1.5, 2.5, 4.0]))
    >>> corrected(skewed, acceleration=0.1).bias
    0.0

    Not to be trusted when the acceleration is that of another number.
    """
    if not -inf < acceleration < inf:
        raise DataError(f"An acceleration of {acceleration}", code=WRONG)
    if not isinstance(found, Resampled):
        return found
    drawn = _defined(found.draws)
    below = (np.count_nonzero(drawn < found.value) + np.count_nonzero(drawn <= found.value)) / 2
    if below in (0, drawn.size):
        return ONE_SIDE
    return BiasCorrected(
        value=found.value,
        draws=found.draws,
        bias=normal_quantile(float(below / drawn.size)),
        acceleration=acceleration,
        method=found.method.replace("percentile", "BCa"),
    )


def acceleration(shifts: npt.ArrayLike) -> float:
    """Return the acceleration from a delete-one-group jackknife; 0 where nothing moves.

    ``shifts`` has shape [groups]: the number without each group, minus the number (any constant
    may be added): ``Totals.shifts``.

    Raises DataError A202 for NaN.
    Source: Efron 1987, with the sign that moves the interval towards the long tail.

    >>> acceleration([-2.0, 0.5, 0.5, 0.5, 0.5]) > 0  # without the first, the mean is smaller
    True

    Not to be trusted when the number is a quantile.
    """
    moved = finite("shifts", shifts)
    return _skew(moved.mean() - moved if moved.size else moved, np.ones(moved.size))


def acceleration_of_mean(values: npt.ArrayLike, tallies: npt.ArrayLike) -> float:
    """Return the acceleration of a mean, in closed form: a sixth of the skewness by root n.

    ``values`` of shape [distinct], and how often each occurred.

    Raises DataError A202 for shapes that differ or a negative tally.

    >>> round(acceleration_of_mean([0, 1], [4, 96]), 4)
    -0.0782
    """
    distinct, n = finite("values", values), finite("tallies", tallies)
    same_shape(values=distinct, tallies=n)
    if (n < 0).any():
        raise DataError("A tally is negative", code=WRONG)
    if not n.sum():
        return 0.0
    deviations = distinct - float(distinct @ n) / float(n.sum())
    # The mean of equal values is theirs but for the last digits, which have no skewness.
    noise = 1e-12 * np.abs(distinct).max(initial=0.0)
    return _skew(np.where(np.abs(deviations) <= noise, 0.0, deviations), n)


def _defined(draws: Floats) -> Floats:
    lost = np.isnan(draws)
    return draws[~lost] if lost.any() else draws


def _skew(deviations: Floats, weights: Floats) -> float:
    squares = float(weights @ deviations**2)
    if squares <= 0:
        return 0.0
    return float(weights @ deviations**3) / (6 * squares * sqrt(squares))


def _moved(w: float, acceleration: float) -> float:
    """Return w / (1 - a w), which grows with w, and is infinite beyond its pole."""
    below = 1 - acceleration * w
    if below <= 0:
        return inf if acceleration * inf > 0 else -inf
    return w / below
