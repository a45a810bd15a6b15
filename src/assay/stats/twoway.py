"""Numbers of any form over groups of samples and over seeds, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Codes, Floats, finite, same_shape
from .bootstrap import one_by_one, resampled
from .few import FEWEST, leaning, too_few
from .inference import NO_SEED_EFFECT, Inference, StudentT, Undefined
from .jackknife import NO_SPREAD, Spread, beside, spread, together
from .luck import Distance, doubted
from .resamples import Counts, Prepared, Resamples, effective, every

Statistic = Callable[[Mapping[str, Floats], Floats], float | None]
"""``statistic(columns, weights)``; None where it has no value."""

ONE_SEED = Undefined("one seed says nothing of other seeds")
ONE_GROUP = Undefined("one group holds everything")
SAME_SEEDS = Undefined(NO_SEED_EFFECT)
NO_VALUE = Undefined("the statistic is undefined on these records")
SEED_IS_NEEDED = Undefined("the statistic is undefined when one seed is left out")
NO_VARIATION = Undefined("neither groups nor seeds change the number")

_ROWS = 256


def resample_ratio_two_ways(
    numerator: npt.ArrayLike, denominator: npt.ArrayLike, *, groups: Counts, seeds: Counts
) -> Inference:
    """Infer a ratio of totals by resampling groups and, independently, seeds.

    Totals of shape [groups, seeds]; ``groups`` and ``seeds`` are counts as ``bootstrap.counts``
    draws them, shapes [resamples, groups] and [resamples, seeds].

    Raises DataError A202 for shapes that do not fit.
    Source: Owen 2007, the pigeonhole bootstrap.

    >>> from assay.stats.bootstrap import counts
    >>> rng = np.random.default_rng(0)
    >>> groups, seeds = (counts(n, resamples=999, rng=rng) for n in (4, 3))
    >>> hits = [[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 1]]
    >>> round(resample_ratio_two_ways(hits, np.ones((4, 3)), groups=groups, seeds=seeds).value, 3)
    0.667

    Not to be trusted with fewer than about 20 seeds: with 2 to 5 it covered 84 to 93 % in
    simulation, because resampled seeds vary too little.  Use ``seeds.over_seeds`` or ``seeds.share_over_seeds``.
    """
    above, below = (
        finite("numerator", numerator, ndim=2),
        finite("denominator", denominator, ndim=2),
    )
    same_shape(numerator=above, denominator=below)
    _check(groups, seeds, above.shape)
    tops, bottoms = (
        np.concatenate(
            [
                ((groups[i : i + _ROWS] @ x) * seeds[i : i + _ROWS]).sum(axis=1)
                for i in range(0, len(groups), _ROWS)
            ]
        )
        for x in (above, below)
    )
    draws = np.full(len(tops), np.nan)
    np.divide(tops, bottoms, out=draws, where=bottoms > 0)
    total = float(below.sum())
    return resampled(float(above.sum()) / total if total > 0 else None, draws)


def resample_statistic_two_ways(
    statistic: Statistic,
    columns: Mapping[str, Floats],
    *,
    at: tuple[Codes, Codes],
    groups: Counts,
    seeds: Counts,
) -> Inference:
    """Infer any weighted statistic by resampling groups and, independently, seeds.

    ``at`` holds the group and the seed of every record, as codes from 0; a record's weight is how
    often its group was drawn times how often its seed was.

    Raises DataError A202 for codes that were not drawn, or shapes that differ.
    Source: Owen 2007.

    Not to be trusted with fewer than about 20 seeds, as ``resample_ratio_two_ways``: use
    ``statistic_over_seeds``.
    """
    group, seed = at
    for name, column in columns.items():
        same_shape(**{name: column, "groups": group, "seeds": seed})
    _check(groups, seeds, tuple(int(c.max(initial=-1)) + 1 for c in at))
    value = statistic(columns, np.ones(group.shape))
    draws = [
        statistic(columns, (g[group] * s[seed]).astype(np.float64))
        for g, s in zip(groups, seeds, strict=True)
    ]
    return resampled(value, np.array([np.nan if d is None else d for d in draws]))


def statistic_over_seeds(
    statistic: Statistic,
    columns: Mapping[str, Floats],
    *,
    at: tuple[Codes, ...],
    drawn: Counts | Resamples,
    many: Prepared | None = None,
    bounds: tuple[float, float] = (-inf, inf),
) -> Inference:
    """Infer any weighted statistic over groups and seeds: two variances and one t.

    The variance over groups is that of ``drawn`` resamples (``bootstrap.counts``), all seeds pooled;
    that over seeds is a delete-one-seed jackknife.  ``at`` holds arrays of shape [records]: the
    group of each record, then its seed for each system that the statistic reads (two for a
    difference), -1 where a record is not that system's; each system has seeds of its own, and one
    that has a single seed is taken as it is.  ``many`` as in ``bootstrap.resample_statistic``.

    Undefined with one seed only, below 8 groups of one size, where seeds change nothing in the
    records, and where the statistic has no value on the records, without some seed, or in over a
    tenth of the resamples.

    Raises DataError A202 for codes that ``drawn`` does not have, or shapes that differ.
    Source: as ``seeds.over_seeds``; Efron 1979 for the resampled variance.

    >>> from assay.stats.bootstrap import counts
    >>> def mean(columns, weights):
    ...     return float(np.average(columns["x"], weights=weights)) if weights.sum() else None
    >>> x = np.r_[np.arange(8.0), np.arange(1.0, 9.0)]
    >>> drawn = counts(8, resamples=500, rng=np.random.default_rng(0))
    >>> at = np.tile(np.arange(8), 2), np.repeat([0, 1], 8)
    >>> statistic_over_seeds(mean, {"x": x}, at=at, drawn=drawn).method
    'bootstrap over 8 groups (500 resamples) + jackknife over 2 seeds, t with 1.37 df'

    Not to be trusted when there are two seeds and they matter, fewer than about 30 groups, or the
    statistic is a quantile of few or tied values, which one seed hardly moves.
    """
    groups, *seeds = at
    for name, column in columns.items():
        same_shape(**{name: column, "groups": groups})
    n_groups = drawn.n_groups if isinstance(drawn, Resamples) else drawn.shape[1]
    _check_codes(groups, n_groups)
    everything = np.ones(groups.shape)
    value = statistic(columns, everything)
    if value is None:
        return NO_VALUE
    if n_groups < 2:
        return ONE_GROUP
    worth = effective(groups)
    if worth < FEWEST - 1e-9:
        return too_few(worth)
    of_seeds = spread_over_seeds(statistic, columns, groups=groups, seeds=tuple(seeds))
    if isinstance(of_seeds, Undefined):
        return of_seeds
    of = many or one_by_one(statistic, columns, groups=groups)
    found = every(of, drawn, groups.size)
    draws = found[~np.isnan(found)]
    if draws.size < max(2, 0.9 * found.size):
        return Undefined(f"{found.size - draws.size} of {found.size} resamples have no value")
    # Resampled groups vary less than groups do, by (G - 1) / G.
    variance = float(draws.var(ddof=1)) * worth / (worth - 1)
    moved = beside(Spread(variance=variance, df=worth - 1, skew=leaning(draws)), of_seeds)
    bias = float(draws.mean()) - value if isinstance(many, Distance) else 0.0
    if moved.variance <= (1e-12 * abs(value)) ** 2:
        return NO_VARIATION
    counted = " and ".join(f"{_count(codes)}" for codes in seeds)
    student = StudentT(
        value=min(max(value - bias, bounds[0]), bounds[1]),
        se=sqrt(moved.variance + 4 * bias * bias),
        df=moved.df,
        low=float(bounds[0]),
        high=float(bounds[1]),
        method=f"bootstrap over {n_groups} groups ({found.size} resamples) + jackknife over "
        f"{counted} seeds, "
        f"t with {moved.df:.3g} df{', bias taken off' if bias else ''}",
        seed_se=of_seeds.se,
        seed_df=of_seeds.df,
        skew=moved.skew,
    )
    return doubted(student, value, of=many, bounds=bounds)


def spread_over_seeds(
    statistic: Statistic,
    columns: Mapping[str, Floats],
    *,
    groups: Codes,
    seeds: tuple[Codes, ...],
) -> Spread | Undefined:
    """Return the variance that comes from each system's own seeds, added, or why there is none.

    Delete-one-seed jackknife; ``groups`` and ``seeds`` are ``at`` of ``statistic_over_seeds``.
    """
    several = [codes for codes in seeds if _count(codes) > 1]
    if not several:
        return ONE_SEED
    parts = []
    for codes in several:
        same_shape(groups=groups, seeds=codes)
        if _is_same_for_every_seed(columns, groups, codes):
            return SAME_SEEDS
        left = [statistic(columns, (codes != k).astype(np.float64)) for k in range(_count(codes))]
        values = [one for one in left if one is not None]
        if len(values) < len(left):
            return SEED_IS_NEEDED
        shifts = np.array(values) - np.mean(values)
        # Of what few seeds draw nothing says how skewed it is.
        parts.append(replace(spread(shifts, df=len(values) - 1), skew=0.0))
    return together(*parts) if any(part.variance for part in parts) else NO_SPREAD


def _is_same_for_every_seed(columns: Mapping[str, Floats], groups: Codes, codes: Codes) -> bool:
    """Whether every seed has the same rows, whatever their order."""
    rows = [
        np.column_stack([groups[codes == k], *(c[codes == k] for c in columns.values())])
        for k in range(_count(codes))
    ]
    ordered = [r[np.lexsort(r.T[::-1])] for r in rows]
    return all(np.array_equal(ordered[0], r, equal_nan=True) for r in ordered[1:])


def _count(codes: Codes) -> int:
    return int(codes.max(initial=-1)) + 1


def _check(groups: Counts, seeds: Counts, shape: tuple[int, ...]) -> None:
    if len(groups) != len(seeds):
        raise DataError(f"{len(groups)} draws of groups, {len(seeds)} of seeds", code=WRONG)
    if groups.shape[1] < shape[0] or seeds.shape[1] < shape[1]:
        raise DataError(
            f"{shape[0]} groups x {shape[1]} seeds, of which {groups.shape[1]} x "
            f"{seeds.shape[1]} are drawn",
            code=WRONG,
        )


def _check_codes(groups: Codes, n_groups: int) -> None:
    if groups.size and not 0 <= groups.min() <= groups.max() < n_groups:
        raise DataError(f"Group codes are not within 0 .. {n_groups - 1}", code=WRONG)
