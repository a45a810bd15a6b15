"""Linear regression with Gaussian noise where some values are known by their limits only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

MOST_STEPS = 200
ENOUGH = 1e-11
"""Half of what another Newton step promises, per row: then it is found."""

_LOG_ROOT = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line and the deviation around it, in the units of the values that were fitted."""

    weights: Floats
    offset: float
    deviation: float
    steps: int
    """Newton steps that it took."""

    def mean(self, x: Floats) -> Floats:
        """Return the line at rows of features, shape [rows]."""
        # Row by row and not as a product of matrices: the order of a sum must not depend on the batch.
        made: Floats = (x * self.weights).sum(axis=1) + self.offset
        return made


def fit(x: Floats, lower: Floats, upper: Floats, *, penalty: float) -> Line:
    """Return the line of highest likelihood, given what is known of each value.

    ``x`` has shape [rows, features]; a value lies between ``lower`` and ``upper``: equal where it is
    known, infinite where it is censored (Tobin 1958).  The likelihood less ``penalty / 2`` times the
    squared weights in units of the deviation is concave in weights over deviation and one over
    deviation (Olsen 1978, Pratt 1981), so Newton's method with step halving finds the only maximum.

    >>> x = np.array([[-1.0], [0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array([-0.9, 0.1, 0.9, 2.1, np.inf])
    >>> line = fit(x, np.minimum(y, 2.5), y, penalty=1e-6)  # the last is 2.5 or more
    >>> [round(float(number), 1) for number in (*line.weights, line.offset, line.deviation)]
    [1.0, 0.1, 0.1]

    *Not to be trusted when* noise is not Gaussian, or wider in some places than in others: unlike
    least squares, the place of the line depends on it.
    """
    rows, features = x.shape
    design = np.column_stack([x, np.ones(rows)])
    ridge = np.append(np.full(features, penalty), 0.0)
    known = lower == upper
    point = np.zeros(features + 2)
    point[-1] = 1.0
    value = _loss(point, design, lower, upper, ridge)
    steps = 0
    for steps in range(1, MOST_STEPS + 1):  # noqa: B007  (how many there were is told)
        slope, bend = _derivatives(point, design, (lower, upper, known), ridge)
        step = np.linalg.solve(
            bend + 1e-12 * np.trace(bend) / len(bend) * np.eye(len(bend)), -slope
        )
        promised = -float(slope @ step)
        if promised < 2 * ENOUGH * rows:
            break
        size = 1.0
        while True:
            tried = point + size * step
            better = _loss(tried, design, lower, upper, ridge) if tried[-1] > 0 else np.inf
            if better <= value - 1e-4 * size * promised or size < 1e-12:
                break
            size /= 2
        if not better < value:
            break
        point, value = tried, better
    inverse = float(point[-1])
    return Line(
        weights=point[:-2] / inverse,
        offset=float(point[-2]) / inverse,
        deviation=1 / inverse,
        steps=steps,
    )


def losses(lower: Floats, upper: Floats, *, mean: Floats, deviation: Floats) -> Floats:
    """Return the negative log-likelihood of what is known of each value, under a Gaussian.

    >>> one = np.array([1.0])
    >>> losses(np.array([0.0]), np.array([np.inf]), mean=0 * one, deviation=one).round(4).tolist()
    [0.6931]
    """
    low, high = (lower - mean) / deviation, (upper - mean) / deviation
    known = lower == upper
    exact = np.where(known, low, 0.0) ** 2 / 2 + np.log(deviation) + _LOG_ROOT
    made: Floats = np.where(known, exact, -log_between(low, high))
    return made


def log_between(low: Floats, high: Floats) -> Floats:
    """Return the logarithm of a standard Gaussian's share between numbers, far out in a tail too.

    >>> log_between(np.array([-np.inf, 40.0]), np.array([0.0, 41.0])).round(2).tolist()
    [-0.69, -804.61]
    """
    right = low > 0
    low, high = np.where(right, -high, low), np.where(right, -low, high)
    above, below = special.log_ndtr(high), special.log_ndtr(low)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.log(-np.expm1(np.where(below == -np.inf, -np.inf, below - above)))
    made: Floats = np.where(above == -np.inf, -np.inf, above + share)
    return made


def _loss(point: Floats, design: Floats, lower: Floats, upper: Floats, ridge: Floats) -> float:
    inverse = point[-1]
    mean = design @ point[:-1] / inverse
    found = losses(lower, upper, mean=mean, deviation=np.full_like(mean, 1 / inverse))
    # In units of one over the deviation, where the likelihood is concave.
    return float(found.sum() + (ridge * point[:-1] ** 2).sum() / 2)


def _derivatives(
    point: Floats,
    design: Floats,
    known: tuple[Floats, Floats, NDArray[np.bool_]],
    ridge: Floats,
) -> tuple[Floats, Floats]:
    """Return slope and bend of the loss at (weights over deviation, one over deviation)."""
    lower, upper, exact = known
    inverse, line = point[-1], design @ point[:-1]
    # Of each row: the derivatives by its lower and upper end, in units of the deviation.
    low, high = inverse * lower - line, inverse * upper - line
    share = log_between(low, high)
    by_low, by_high, bends = _ends(low, high, share, exact)
    value = np.where(exact, lower, 0.0)
    left = np.where(exact | np.isinf(lower), 0.0, lower)
    right = np.where(exact | np.isinf(upper), 0.0, upper)
    gap = np.where(exact, low, 0.0)
    twice_low, twice_high, mixed = bends

    by_line = -(gap + by_low + by_high)
    by_inverse = gap * value + by_low * left + by_high * right
    slope = np.append(
        design.T @ by_line + ridge * point[:-1], by_inverse.sum() - exact.sum() / inverse
    )
    line_line = exact + twice_low + twice_high + 2 * mixed
    line_inverse = -(exact * value + twice_low * left + twice_high * right + mixed * (left + right))
    inverse_inverse = (
        exact * (value**2 + 1 / inverse**2)
        + twice_low * left**2
        + twice_high * right**2
        + 2 * mixed * left * right
    )
    bend = np.empty((len(point), len(point)))
    bend[:-1, :-1] = (design * line_line[:, None]).T @ design + np.diag(ridge)
    bend[:-1, -1] = bend[-1, :-1] = design.T @ line_inverse
    bend[-1, -1] = inverse_inverse.sum()
    return slope, bend


def _ends(
    low: Floats, high: Floats, share: Floats, exact: NDArray[np.bool_]
) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats]]:
    """Return first and second derivatives of ``-log(share)`` by both ends; 0 where a value is known."""
    no_low, no_high = exact | np.isinf(low), exact | np.isinf(high)
    low, high = np.where(no_low, 0.0, low), np.where(no_high, 0.0, high)
    with np.errstate(over="ignore"):
        hazard_low = np.where(no_low, 0.0, np.exp(-(low**2) / 2 - _LOG_ROOT - share))
        hazard_high = np.where(no_high, 0.0, np.exp(-(high**2) / 2 - _LOG_ROOT - share))
    return (
        hazard_low,
        -hazard_high,
        (
            hazard_low * (hazard_low - low),
            hazard_high * (hazard_high + high),
            -hazard_low * hazard_high,
        ),
    )
