"""Shares, ratios and differences over samples that come in groups."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG
from .inference import (
    RARE,
    Exact,
    Inference,
    LogT,
    Score,
    StudentT,
    Undefined,
    ZeroDiscordance,
)
from .jackknife import (
    EACH_DIFFERENT,
    NO_SPREAD,
    Spread,
    Terms,
    apart,
    by_group,
    not_negative,
    of_share,
    spread,
    steadiness,
)
from .pairs import is_one_sample_each, of_answers, of_records

NOTHING = Undefined("nothing was asked")
ONE_GROUP = Undefined("one group holds everything")
NO_VARIATION = Undefined("every group gave the same number")
_ROUNDING = 1e-9


def share(hits: npt.ArrayLike, asked: npt.ArrayLike, *, groups: npt.ArrayLike) -> Inference:
    """Infer a share: sum of ``hits`` over sum of ``asked``.

    ``hits``, ``asked`` (counts, hits <= asked; 0/1 per record as a rule) and ``groups`` (integer
    codes) have shape [records].  One sample per group: Wilson's score, and Clopper-Pearson where at
    most three samples differ from the rest.  Groups: Wilson's score at
    n / max(design effect, 1), with a t quantile of Kish's effective groups - 1 degrees, fewer where a
    few groups hold all events (``steadiness``).  No event, or only events: Clopper-Pearson on
    samples, or on groups where there are groups.

    Raises DataError A202 for shapes that differ, hits outside of [0, asked], or broken counts.
    Source: chosen by simulation; see docs/statistics.md.

    >>> share([1, 0] * 5, [1] * 10, groups=range(10)).method
    'Wilson score, 10 samples'
    >>> share([0] * 6, [1] * 6, groups=[0, 0, 0, 1, 1, 1]).method
    'Clopper-Pearson, 0 of 2 groups'

    Not to be trusted when groups are fewer than 10, or their sizes differ tenfold and the share
    is near 0 or 1.
    """
    if not are_counts(hits, asked):
        raise DataError("hits and asked must be counts with 0 <= hits <= asked", code=WRONG)
    (sums,) = by_group((hits, asked), groups=groups)
    n, k, n_groups = sums.denominator.sum(), sums.numerator.sum(), len(sums.numerator)
    if n == 0:
        return NOTHING
    if (sums.denominator == 1).all():
        if min(k, n - k) <= RARE:
            return Exact(int(k), int(n))
        return Score(share=float(k / n), n_eff=float(n), method=f"Wilson score, {n:g} samples")
    if k in (0, n):
        return Exact(n_groups if k else 0, n_groups, of="groups")
    shifts = sums.shifts()
    if shifts is None:
        return ONE_GROUP
    moved, p = spread(shifts, df=of_share(sums, shifts)), float(k / n)
    effect = max(float(moved.variance * n / (p * (1 - p))), 1.0)
    return Score(
        share=p,
        n_eff=float(n / effect),
        df=moved.df,
        method=f"Wilson score, {n:g} samples in {n_groups} groups, design effect {effect:.2g}, "
        f"t with {moved.df:.3g} df",
    )


def ratio(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    bounds: tuple[float, float] = (-inf, inf),
) -> Inference:
    """Infer a ratio of totals with a cluster-robust t.

    Arrays of shape [records]; denominators are not negative.  ``bounds`` are those of the ratio:
    intervals are cut there.  The variance is the delete-one-group jackknife, which for groups of
    equal size is the cluster-robust one with G / (G - 1).

    Raises DataError A202 for shapes that differ, a negative denominator, a ratio out of bounds.

    >>> ratio([2.0, 3.0, 4.0, 3.0], [1, 1, 1, 1], groups=[0, 1, 2, 3]).method
    'cluster-robust t, 4 groups, 3 df'
    >>> ratio([2.0, 2.0], [1, 1], groups=[0, 1]).method
    'undefined: every group gave the same number'

    Not to be trusted when groups are fewer than 10, or the values have a heavy tail.
    """
    (sums,) = by_group((numerator, denominator), groups=groups)
    value, shifts = sums.ratio, sums.shifts()
    if value is None:
        return NOTHING
    if shifts is None:
        return ONE_GROUP
    moved = spread(shifts, df=sums.effective_groups() - 1)
    return student(value, moved, bounds=bounds, said=f"{len(shifts)} groups")


def paired(
    a: Terms,
    b: Terms,
    *,
    groups: npt.ArrayLike,
    bounds: tuple[float, float] = (-inf, inf),
) -> Inference:
    """Infer ratio of ``a`` minus ratio of ``b`` on the same records.

    Each of ``a`` and ``b`` is (numerator, denominator), arrays of shape [records].  ``bounds``
    are those of either ratio.  With bounds (0, 1), whole counts and one denominator for both (an
    accuracy on the same samples): Tango's score at n / max(design effect, 1), or ``of_answers`` where
    a group is one sample that was asked several times.  Otherwise a cluster-robust t.  No difference in any group: ``ZeroDiscordance``, or undefined where the
    ratio is unbounded, because nothing then says how large a difference may be.

    Raises DataError A202 as ``ratio`` does.
    Source: Tango 1998; effective size as in ``share``; with groups, the longer tail is widened by the
    skewness of the shifts (Hall 1992).

    >>> ones = [1] * 5
    >>> paired(([1, 1, 0, 1, 1], ones), ([1, 0, 0, 1, 1], ones), groups=range(5), bounds=(0, 1))
    ... # doctest: +ELLIPSIS
    PairedScore(gained=0.2, lost=0.0, n_eff=5.0, ...)

    Not to be trusted when records that one system was not asked are left out: ask both everything.
    """
    first, second = by_group(a, b, groups=groups)
    if first.ratio is None or second.ratio is None:
        return NOTHING
    value, reach = difference(first.ratio, second.ratio, bounds=bounds)
    if _same(a, b):
        return zero_discordance(len(first.numerator), reach)
    moved_a, moved_b = first.shifts(), second.shifts()
    if moved_a is None or moved_b is None:
        return ONE_GROUP
    df = min(first.effective_groups(), second.effective_groups()) - 1
    shifts = apart(moved_a, moved_b)
    moved = spread(shifts, df=df)
    if bounds == (0.0, 1.0) and _are_asked_the_same(a, b):
        if (first.denominator == 1).all():
            return of_records(a, b, moved)
        if is_one_sample_each(a, first):
            return of_answers((first.numerator - second.numerator) / first.denominator)
        events = np.abs(first.numerator - second.numerator)
        steady = steadiness(shifts, df=df, events=events, each=EACH_DIFFERENT)
        return of_records(a, b, replace(moved, df=steady), groups=df + 1)
    said = f"{len(first.numerator)} groups, paired"
    return student(value, moved, bounds=(-reach, reach), said=said)


def log_ratio(a: npt.ArrayLike, b: npt.ArrayLike, *, groups: npt.ArrayLike) -> Inference:
    """Infer sum of ``a`` over sum of ``b`` on the log scale; groups (time blocks) are paired.

    Arrays of shape [records], not negative: dollars against dollars, seconds against seconds, or
    dollars against correct answers.

    Raises DataError A202 for shapes that differ or a negative value.
    Source: delete-one-group jackknife of the logarithm, t with G - 1 degrees.

    >>> log_ratio([2.0, 4.0, 3.0], [1.0, 2.0, 1.0], groups=[0, 1, 2]).value
    2.25

    Not to be trusted when ``b`` may truly be zero (dollars per correct answer of a system that
    is hardly ever right): the interval is then far too narrow above.
    """
    return paired_log_ratio((a, np.ones(np.shape(a))), (b, np.ones(np.shape(b))), groups=groups)


def paired_log_ratio(a: Terms, b: Terms, *, groups: npt.ArrayLike) -> Inference:
    """Infer ratio of ``a`` over ratio of ``b`` on the same records, on the log scale.

    As ``log_ratio``, for ratios of ratios: dollars per correct answer of one system over another.

    >>> ones = [1, 1, 1]
    >>> paired_log_ratio(([2, 4, 3], ones), ([1, 2, 1], ones), groups=[0, 1, 2]).value
    2.25

    Not to be trusted when any of the four totals may truly be zero.
    """
    first, second = by_group(a, b, groups=groups)
    for each in (first, second):
        not_negative("numerator", each.numerator)
    above, below = first.ratio, second.ratio
    if not above or not below:
        return Undefined("a total is zero, and has no logarithm")
    moved_a, moved_b = first.log_shifts(), second.log_shifts()
    if moved_a is None or moved_b is None:
        return ONE_GROUP
    n_groups = len(moved_a)
    moved = spread(apart(moved_a, moved_b), df=n_groups - 1)
    if moved.variance == 0:
        return NO_VARIATION
    return LogT(
        value=above / below,
        log_se=moved.se,
        df=moved.df,
        method=f"cluster-robust t of the logarithm, {n_groups} groups, {moved.df:.3g} df",
        skew=moved.skew,
    )


def are_counts(hits: npt.ArrayLike, asked: npt.ArrayLike) -> bool:
    """Whether both are whole numbers with 0 <= hits <= asked, element by element."""
    some, of = np.asarray(hits, dtype=np.float64), np.asarray(asked, dtype=np.float64)
    if some.shape != of.shape:
        raise DataError(f"Shapes differ: hits {some.shape}, asked {of.shape}", code=WRONG)
    whole = (some == np.floor(some)).all() and (of == np.floor(of)).all()
    return bool(whole and (some >= 0).all() and (some <= of).all())


def student(
    value: float,
    moved: Spread,
    *,
    bounds: tuple[float, float],
    said: str,
    seeds: Spread = NO_SPREAD,
) -> Inference:
    """Return the t inference of a value, or undefined where nothing varied."""
    if moved.variance == 0:
        return NO_VARIATION
    return StudentT(
        value=value,
        se=moved.se,
        df=moved.df,
        low=float(bounds[0]),
        high=float(bounds[1]),
        method=f"cluster-robust t, {said}, {moved.df:.3g} df",
        seed_se=seeds.se,
        seed_df=seeds.df,
        skew=moved.skew,
    )


def difference(first: float, second: float, *, bounds: tuple[float, float]) -> tuple[float, float]:
    """Return first - second, and the largest difference that the bounds of either allow."""
    for each in (first, second):
        if not bounds[0] - _ROUNDING <= each <= bounds[1] + _ROUNDING:
            raise DataError(f"{each} is outside of its bounds {bounds}", code=WRONG)
    return first - second, float(bounds[1] - bounds[0])


def zero_discordance(n_groups: int, reach: float) -> Inference:
    """Return what groups without any difference say, which without bounds is nothing."""
    if reach < inf:
        return ZeroDiscordance(n_groups=n_groups, reach=reach)
    return Undefined("the systems never differed, and the number has no bounds")


def _same(a: Terms, b: Terms) -> bool:
    return all(np.array_equal(mine, yours) for mine, yours in zip(a, b, strict=True))


def _are_asked_the_same(a: Terms, b: Terms) -> bool:
    return are_counts(*a) and are_counts(*b) and np.array_equal(a[1], b[1])
