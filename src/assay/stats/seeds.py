"""Shares, ratios and differences over groups and over seeds: the variances of both, added."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats
from .clusters import (
    NO_VARIATION,
    NOTHING,
    ONE_GROUP,
    are_counts,
    difference,
    paired,
    paired_log_ratio,
    student,
)
from .inference import NO_SEED_EFFECT, Inference, LogT, Score, Undefined
from .jackknife import (
    EACH_DIFFERENT,
    NO_SPREAD,
    Spread,
    Steady,
    Terms,
    all_degrees,
    apart,
    beside,
    not_negative,
    of_share,
    spread,
    steadiness,
    together,
)
from .seed_table import SeedTable, same_groups, seed_table

ONE_SEED = Undefined("one seed says nothing of other seeds")
SAME_SEEDS = Undefined(NO_SEED_EFFECT)
SEED_HOLDS_ALL = Undefined("one seed holds everything")
NO_EVENT = Undefined("no event, or only events, under any seed: few seeds cannot bound the rest")


def over_seeds(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    bounds: tuple[float, float] = (-inf, inf),
) -> Inference:
    """Infer a ratio of totals over groups and seeds.

    Arrays of shape [groups, seeds]: totals per group and seed; where both are zero, nothing was
    asked.  One seed, or seeds whose columns are identical, give ``Undefined``.

    Raises DataError A202 for shapes that differ, a negative denominator, a ratio out of bounds.
    Source: V_groups + V_seeds, each by delete-one jackknife; ``jackknife.beside``.

    >>> over_seeds([[3, 2], [1, 1], [2, 3], [1, 1]], np.ones((4, 2))).method
    'cluster-robust t, 4 groups x 2 seeds, 3 df'
    >>> over_seeds([[1, 1], [2, 2]], np.ones((2, 2))).method
    'undefined: seed has no effect'

    Not to be trusted when seeds are few and their effects far from normal.
    """
    table = seed_table((numerator, denominator))
    match _spreads(table):
        case Undefined() as undefined:
            return undefined
        case groups, seeds:
            said = f"{table.groups} groups x {table.seeds} seeds"
            moved = beside(groups, seeds)
            return student(table.ratio, moved, bounds=bounds, said=said, seeds=seeds)


def share_over_seeds(hits: npt.ArrayLike, asked: npt.ArrayLike) -> Inference:
    """Infer a share over groups and seeds: Wilson's score at the size that the variance implies.

    Counts of shape [groups, seeds], hits <= asked.  Undefined as for ``over_seeds``, and where no
    seed shows an event (or each only events): a bound over groups would be silent about seeds.

    Raises DataError A202 for shapes that differ, or hits that are no counts within asked.
    Source: effective size p (1 - p) / V, as in ``clusters.share``.

    >>> hits = [[1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 0, 1], [1, 1, 1]]
    >>> low, high = share_over_seeds(hits, np.ones((5, 3))).interval()
    >>> round(low, 2), round(high, 2)
    (0.28, 0.95)

    Not to be trusted when seeds are few and their effects far from normal.
    """
    if not are_counts(hits, asked):
        raise DataError("hits and asked must be counts with 0 <= hits <= asked", code=WRONG)
    table = seed_table((hits, asked))
    match _spreads(table, steady=of_share):
        case Undefined() as undefined:
            # Equal seeds are no wonder where there is nothing to tell them by.
            return NO_EVENT if undefined is SAME_SEEDS and table.ratio in (0.0, 1.0) else undefined
        case groups, seeds:
            moved, p = beside(groups, seeds), table.ratio
    if p in (0.0, 1.0) or moved.variance == 0:
        return NO_EVENT
    n_eff = min(p * (1 - p) / moved.variance, float(table.denominator.sum()))
    return Score(
        share=p,
        n_eff=n_eff,
        df=moved.df,
        method=f"Wilson score, {table.groups} groups x {table.seeds} seeds, "
        f"effective n {n_eff:.0f}, t with {moved.df:.3g} df",
        seed_se=seeds.se,
        seed_df=seeds.df,
    )


def paired_over_seeds(
    a: Terms, b: Terms, *, bounds: tuple[float, float] = (-inf, inf)
) -> Inference:
    """Infer ratio of ``a`` minus ratio of ``b`` over the same groups and each system's own seeds.

    Each of ``a`` and ``b`` is (numerator, denominator), arrays of shape [groups, seeds]; rows are
    the same groups, and each system may have its own number of seeds.  A system with one seed is
    taken as it is: the sentence then holds for that very system.  One seed each is ``paired``.
    ``bounds`` are those of either ratio.

    Raises DataError A202 as ``over_seeds`` does.
    Source: V_groups of the difference + V_seeds of each system; ``jackknife.beside``.

    >>> ones = np.ones((4, 2))
    >>> a, b = [[1, 1], [1, 0], [1, 1], [0, 1]], [[1], [0], [0], [1]]
    >>> paired_over_seeds((a, ones), (b, ones[:, :1]), bounds=(0, 1)).value
    0.25

    Not to be trusted when the seeds of the two are shared (data order, initialisation): that is a
    pairing which this ignores.
    """
    first, second = same_groups(seed_table(a), seed_table(b))
    if first.seeds == second.seeds == 1:
        return paired(first.column, second.column, groups=np.arange(first.groups), bounds=bounds)
    if not (first.denominator.sum() and second.denominator.sum()):
        return NOTHING
    value, reach = difference(first.ratio, second.ratio, bounds=bounds)
    rows = first.by_group, second.by_group
    moved_a, moved_b = (each.shifts() for each in rows)
    seeds = _both(_seed_spread(first), _seed_spread(second))
    if moved_a is None or moved_b is None:
        return ONE_GROUP
    if isinstance(seeds, Undefined):
        return seeds
    df, shifts = min(each.effective_groups() for each in rows) - 1, apart(moved_a, moved_b)
    if bounds == (0.0, 1.0):
        events = np.abs(apart(*(each.numerator / each.denominator.sum() for each in rows)))
        df = steadiness(shifts, df=df, events=events, each=EACH_DIFFERENT)
    moved = beside(spread(shifts, df=df), seeds)
    said = f"{first.groups} groups, paired, x {first.seeds} and {second.seeds} seeds"
    return student(value, moved, bounds=(-reach, reach), said=said, seeds=seeds)


def log_ratio_over_seeds(a: Terms, b: Terms) -> Inference:
    """Infer ratio of ``a`` over ratio of ``b`` on the log scale, over groups and seeds.

    Terms and seeds as in ``paired_over_seeds``; values as in ``clusters.paired_log_ratio``.

    Raises DataError A202 for shapes that differ or a negative value.
    Source: as ``over_seeds``, on the logarithm.

    >>> ones = np.ones((3, 2))
    >>> a, b = [[2, 3], [4, 4], [3, 2]], [[1], [2], [3]]
    >>> log_ratio_over_seeds((a, ones), (b, ones[:, :1])).value
    1.5

    Not to be trusted when any of the totals may truly be zero.
    """
    first, second = same_groups(seed_table(a), seed_table(b))
    if first.seeds == second.seeds == 1:
        return paired_log_ratio(first.column, second.column, groups=np.arange(first.groups))
    for each in (first, second):
        not_negative("numerator", each.numerator)
        if not (each.numerator.sum() and each.denominator.sum()):
            return Undefined("a total is zero, and has no logarithm")
    moved_a, moved_b = (each.by_group.log_shifts() for each in (first, second))
    seeds = _both(_log_seed_spread(first), _log_seed_spread(second))
    if moved_a is None or moved_b is None:
        return ONE_GROUP
    if isinstance(seeds, Undefined):
        return seeds
    moved = beside(spread(apart(moved_a, moved_b), df=first.groups - 1), seeds)
    if moved.variance == 0:
        return NO_VARIATION
    return LogT(
        value=first.ratio / second.ratio,
        log_se=moved.se,
        df=moved.df,
        method=f"cluster-robust t of the logarithm, {first.groups} groups, paired, "
        f"x {first.seeds} and {second.seeds} seeds, {moved.df:.3g} df",
        seed_se=seeds.se,
        seed_df=seeds.df,
        skew=moved.skew,
    )


def _seed_spread(table: SeedTable) -> Spread | Undefined:
    if table.seeds == 1:
        return NO_SPREAD
    if table.is_same_for_every_seed():
        return SAME_SEEDS
    shifts = table.by_seed.shifts()
    return SEED_HOLDS_ALL if shifts is None else _of_seeds(shifts)


def _log_seed_spread(table: SeedTable) -> Spread | Undefined:
    plain = _seed_spread(table)
    if plain is NO_SPREAD or isinstance(plain, Undefined):
        return plain
    shifts = table.by_seed.log_shifts()
    return SEED_HOLDS_ALL if shifts is None else _of_seeds(shifts)


def _of_seeds(shifts: Floats) -> Spread:
    # Of what few seeds draw nothing says how skewed it is.
    return replace(spread(shifts, df=len(shifts) - 1), skew=0.0)


def _both(first: Spread | Undefined, second: Spread | Undefined) -> Spread | Undefined:
    if isinstance(first, Undefined):
        return first
    return second if isinstance(second, Undefined) else together(first, second)


def _spreads(
    table: SeedTable, *, steady: Steady = all_degrees
) -> Undefined | tuple[Spread, Spread]:
    """Return the spread of groups, and that of seeds."""
    if table.seeds < 2:
        return ONE_SEED
    if not table.denominator.sum():
        return NOTHING
    groups = table.of(table.asked).by_group
    shifts, seeds = groups.shifts(), _seed_spread(table)
    if shifts is None:
        return ONE_GROUP
    if isinstance(seeds, Undefined):
        return seeds
    return spread(shifts, df=steady(groups, shifts)), seeds
