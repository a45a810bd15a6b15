"""Shares, ratios and differences over groups and over seeds: the variances of both, added."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape
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
    NO_SPREAD,
    Spread,
    Steady,
    Terms,
    Totals,
    apart,
    as_given,
    beside,
    not_negative,
    spread,
    steadiness,
    together,
)

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

    Not to be trusted when there are two seeds and a level far stricter than 95 %.
    """
    table = _table((numerator, denominator))
    match _spreads(table):
        case Undefined() as undefined:
            return undefined
        case moved, of:
            said = f"{table.groups} groups x {table.seeds} seeds"
            return student(table.ratio, moved, bounds=bounds, said=said, seeds=of)


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

    Not to be trusted when there are two seeds and a level far stricter than 95 %.
    """
    if not are_counts(hits, asked):
        raise DataError("hits and asked must be counts with 0 <= hits <= asked", code=WRONG)
    table = _table((hits, asked))
    match _spreads(table, steady=steadiness):
        case Undefined() as undefined:
            return undefined
        case moved, seeds:
            p = table.ratio
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
    first, second = _same_groups(_table(a), _table(b))
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
    df = min(each.effective_groups() for each in rows) - 1
    moved = beside(spread(apart(moved_a, moved_b), df=df), seeds)
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
    first, second = _same_groups(_table(a), _table(b))
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
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Totals per group and seed, shape [groups, seeds]."""

    numerator: Floats
    denominator: Floats

    @property
    def groups(self) -> int:
        return int(self.numerator.shape[0])

    @property
    def seeds(self) -> int:
        return int(self.numerator.shape[1])

    @property
    def ratio(self) -> float:
        """Only where the denominator does not sum to zero."""
        return float(self.numerator.sum() / self.denominator.sum())

    @property
    def by_group(self) -> Totals:
        return Totals(
            numerator=self.numerator.sum(axis=1), denominator=self.denominator.sum(axis=1)
        )

    @property
    def by_seed(self) -> Totals:
        return Totals(
            numerator=self.numerator.sum(axis=0), denominator=self.denominator.sum(axis=0)
        )

    @property
    def column(self) -> tuple[Floats, Floats]:
        """The terms under the first seed."""
        return self.numerator[:, 0], self.denominator[:, 0]

    @property
    def asked(self) -> npt.NDArray[np.bool_]:
        """Whether each group holds anything."""
        held: npt.NDArray[np.bool_] = ((self.numerator != 0) | (self.denominator != 0)).any(axis=1)
        return held

    def of(self, keep: npt.NDArray[np.bool_]) -> _Table:
        return _Table(numerator=self.numerator[keep], denominator=self.denominator[keep])

    def is_same_for_every_seed(self) -> bool:
        same_above = (self.numerator == self.numerator[:, :1]).all()
        return bool(same_above and (self.denominator == self.denominator[:, :1]).all())


def _table(terms: Terms) -> _Table:
    numerator, denominator = (
        finite("numerator", terms[0], ndim=2),
        finite("denominator", terms[1], ndim=2),
    )
    same_shape(numerator=numerator, denominator=denominator)
    return _Table(numerator=numerator, denominator=not_negative("denominator", denominator))


def _same_groups(first: _Table, second: _Table) -> tuple[_Table, _Table]:
    if first.groups != second.groups:
        raise DataError(f"{first.groups} groups against {second.groups}", code=WRONG)
    keep = first.asked | second.asked
    return first.of(keep), second.of(keep)


def _seed_spread(table: _Table) -> Spread | Undefined:
    if table.seeds == 1:
        return NO_SPREAD
    if table.is_same_for_every_seed():
        return SAME_SEEDS
    shifts = table.by_seed.shifts()
    return SEED_HOLDS_ALL if shifts is None else spread(shifts, df=table.seeds - 1)


def _log_seed_spread(table: _Table) -> Spread | Undefined:
    plain = _seed_spread(table)
    if plain is NO_SPREAD or isinstance(plain, Undefined):
        return plain
    shifts = table.by_seed.log_shifts()
    return SEED_HOLDS_ALL if shifts is None else spread(shifts, df=table.seeds - 1)


def _both(first: Spread | Undefined, second: Spread | Undefined) -> Spread | Undefined:
    if isinstance(first, Undefined):
        return first
    return second if isinstance(second, Undefined) else together(first, second)


def _spreads(table: _Table, *, steady: Steady = as_given) -> Undefined | tuple[Spread, Spread]:
    """Return the whole spread and the part of it that comes from seeds."""
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
    df = steady(shifts, df=groups.effective_groups() - 1)
    return beside(spread(shifts, df=df), seeds), seeds
