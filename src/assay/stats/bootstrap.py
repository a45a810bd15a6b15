"""Resample groups by counts, so that a bootstrap is one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Codes, Floats, finite, same_shape
from .inference import Inference, Resampled, Undefined
from .resamples import Counts as Counts  # noqa: PLC0414  (of whoever draws with ``counts``)
from .resamples import Prepared, Resamples, draw, effective, every, pieces

Columns: TypeAlias = Mapping[str, Floats]

_MANY = 200
"""Groups from which on nobody need read that percentiles were widened for them."""

NO_VARIATION = Undefined("every resample gave the same number")


def counts(n_groups: int, *, resamples: int, rng: np.random.Generator) -> Counts:
    """Draw ``n_groups`` groups with replacement, ``resamples`` times.

    Use one draw for all systems and metrics of a task: their resamples are then paired.

    Raises DataError A202 unless there are groups and resamples to draw.
    Source: Efron 1979.

    >>> drawn = counts(5, resamples=3, rng=np.random.default_rng(0))
    >>> drawn.shape, drawn.sum(axis=1).tolist()
    ((3, 5), [5, 5, 5])

    Not to be trusted when there are fewer than about 30 groups.
    """
    return draw(n_groups, resamples=resamples, rng=rng)


def ratio_draws(numerator: npt.ArrayLike, denominator: npt.ArrayLike, drawn: Counts) -> Floats:
    """Return the ratio of totals in every resample, shape [resamples]; NaN where it is undefined.

    ``numerator`` and ``denominator`` are totals by group, shape [groups].

    Raises DataError A202 for shapes that differ.

    >>> drawn = np.array([[2, 0], [1, 1]], dtype=np.int16)
    >>> ratio_draws([1, 0], [1, 1], drawn).tolist()
    [1.0, 0.5]

    Not to be trusted as a value: only ``resample_ratio`` says what was seen.
    """
    terms = np.stack([finite("numerator", numerator), finite("denominator", denominator)], axis=1)
    if terms.shape[0] != drawn.shape[1]:
        raise DataError(f"{terms.shape[0]} totals, {drawn.shape[1]} groups drawn", code=WRONG)
    sums = np.concatenate([piece.astype(np.float64) @ terms for piece in pieces(drawn, 0)])
    draws = np.full(len(sums), np.nan)
    defined = sums[:, 1] > 0
    draws[defined] = sums[defined, 0] / sums[defined, 1]
    return draws


def resample_ratio(
    numerator: npt.ArrayLike, denominator: npt.ArrayLike, drawn: Counts
) -> Inference:
    """Infer a ratio of totals by resampling groups.

    ``numerator`` and ``denominator`` are totals by group, shape [groups].  Undefined where the
    denominator is zero or no resample differs from another.

    Raises DataError A202 for shapes that differ.
    Source: percentile bootstrap, Efron 1979; widened for few groups, Hesterberg 2015.

    >>> drawn = counts(16, resamples=999, rng=np.random.default_rng(0))
    >>> resample_ratio([3, 1, 2, 2] * 4, [4] * 16, drawn).interval()
    (0.40625, 0.59375)

    Not to be trusted when there are fewer than about 30 groups, or the ratio lies on a bound.
    """
    draws = ratio_draws(numerator, denominator, drawn)
    sizes = finite("denominator", denominator)
    below, squares = float(sizes.sum()), float((sizes**2).sum())
    value = float(np.sum(numerator)) / below if below > 0 else None
    return resampled(value, draws, df=max(below**2 / squares - 1, 1.0) if squares else inf)


def resample_statistic(
    statistic: Callable[[Columns, Floats], float | None],
    columns: Columns,
    *,
    groups: Codes,
    drawn: Counts | Resamples,
    many: Prepared | None = None,
) -> Inference:
    """Infer any weighted statistic by resampling groups.

    ``statistic(columns, weights)`` gets one weight per record, the count of its group, and returns
    None where it has no value; such a resample counts against every claim.  ``groups`` are codes
    0 .. G - 1 of shape [records], G the width of ``drawn``.  ``many`` does the same for many
    resamples at once: from counts of shape [resamples, groups] to values, NaN for none.

    Raises DataError A202 for codes that ``drawn`` does not have.
    Source: percentile bootstrap, Efron 1979; widened for few groups, Hesterberg 2015.

    >>> drawn = counts(3, resamples=99, rng=np.random.default_rng(0))
    >>> def mean(columns, weights):
    ...     return float(np.average(columns["x"], weights=weights)) if weights.sum() else None
    >>> columns = {"x": np.array([0.0, 1.0, 2.0])}
    >>> resample_statistic(mean, columns, groups=np.arange(3), drawn=drawn).value
    1.0

    Not to be trusted when there are fewer than about 30 groups (see ``few.steadied``), or the statistic
    is an extreme.
    """
    n_groups = drawn.n_groups if isinstance(drawn, Resamples) else drawn.shape[1]
    if groups.size and not 0 <= groups.min() <= groups.max() < n_groups:
        raise DataError(f"Group codes are not within 0 .. {n_groups - 1}", code=WRONG)
    for name, column in columns.items():
        same_shape(**{name: column, "groups": groups})
    value = statistic(columns, np.ones(groups.shape))
    of = many or one_by_one(statistic, columns, groups=groups)
    draws = every(of, drawn, groups.size)
    return resampled(value, draws, df=max(effective(groups) - 1, 1.0))


def one_by_one(
    statistic: Callable[[Columns, Floats], float | None], columns: Columns, *, groups: Codes
) -> Prepared:
    """Return a function from many counts to values that calls a statistic for each.

    >>> total = one_by_one(lambda c, w: float(c["x"] @ w), {"x": np.ones(2)}, groups=np.arange(2))
    >>> total(np.array([[2, 0], [3, 1]], dtype=np.int16)).tolist()
    [2.0, 4.0]
    """

    def values(drawn: Counts) -> Floats:
        found = (statistic(columns, row[groups].astype(np.float64)) for row in drawn)
        return np.array([np.nan if one is None else one for one in found])

    return values


def resampled(value: float | None, draws: Floats, *, df: float = inf) -> Inference:
    """Wrap draws, or say why they are no inference; ``df`` as in ``Resampled``.

    >>> resampled(1.0, np.array([1.0, 1.0])).method
    'undefined: every resample gave the same number'
    """
    if value is None:
        return Undefined("it has no value on these records")
    drawn = draws[~np.isnan(draws)]
    spread = float(np.ptp(drawn)) if drawn.size else 0.0
    if spread <= 1e-12 * max(abs(value), 1e-300):
        return NO_VARIATION
    lost = draws.size - drawn.size
    said = f", {lost} without a value" if lost else ""
    wide = f", widened for {df + 1:.3g} groups" if df + 1 < _MANY else ""
    return Resampled(
        value=value,
        draws=draws,
        method=f"percentile bootstrap, {draws.size} resamples{said}{wide}",
        df=df,
    )


def debiased(found: Inference, *, bounds: tuple[float, float] = (-inf, inf)) -> Inference:
    """Take the bias that resampling shows off the value, and twice that off the draws.

    A resample adds to the value what sampling added to the truth: the value is one bias above the
    truth, the draws are two.  What is taken off is as uncertain as it is large, so that its square
    is added to the variance of the draws: without that, intervals of a calibration error held it in
    86 to 93 of 100 simulations.  Values and draws are cut at ``bounds``.  What was not resampled is
    returned as is.

    Source: Efron and Tibshirani 1993, chapter 10; the added variance by simulation.

    >>> found = debiased(Resampled(value=3.0, draws=np.array([3.0, 4.0, 5.0])))
    >>> found.value, found.draws.round(2).tolist()
    (2.0, [-0.24, 2.0, 4.24])

    Not to be trusted when the bias is as large as the value.
    """
    if not isinstance(found, Resampled) or not found.se:
        return found
    bias = float(np.nanmean(found.draws)) - found.value
    value = found.value - bias
    spread = sqrt(1 + (2 * bias / found.se) ** 2)
    return Resampled(
        value=float(np.clip(value, *bounds)),
        draws=np.clip(value + spread * (found.draws - 2 * bias - value), *bounds),
        method=f"{found.method}, bias taken off",
        df=found.df,
    )


def difference(first: Inference, second: Inference) -> Inference:
    """Infer first minus second from draws of the same resamples; undefined unless both have them.

    Raises DataError A202 where the numbers of draws differ.

    >>> a = Resampled(value=2.0, draws=np.array([1.0, 3.0]))
    >>> b = Resampled(value=1.0, draws=np.array([1.0, 1.0]))
    >>> difference(a, b).draws.tolist()
    [0.0, 2.0]

    Not to be trusted when the two were not resampled with the same counts.
    """
    match first, second:
        case Resampled(), Resampled():
            same_shape(first=first.draws, second=second.draws)
            return resampled(first.value - second.value, first.draws - second.draws)
        case Undefined(), _:
            return first
        case _, Undefined():
            return second
    return Undefined("only resampled numbers can be differenced draw by draw")
