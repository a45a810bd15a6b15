"""How much a ratio of totals moves when one group, or one seed, is left out.

For groups of equal size the variance here is the cluster-robust one with G / (G - 1), to the
digit.  For unequal sizes it does not shrink when one large group pulls the ratio to itself, as
the linearised variance does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isinf, sqrt
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, codes, finite, same_shape, totals
from .skewed import skewness
from .tails import t_degrees, t_quantile

Terms: TypeAlias = tuple[npt.ArrayLike, npt.ArrayLike]
"""Numerator and denominator of one system's ratio, one value of each per record."""

_TAIL = 0.025

EACH_DIFFERENT = 2 / 3
"""Degrees of freedom for each group in which two systems differ: gains and losses must both be seen."""

_LEAST_DF = 3.0
"""Degrees of freedom that a variance has even where two groups hold all events."""

_NOISE = 1e-12
"""Relative size below which a difference is rounding, not spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A numerator and a denominator summed within each group (or each seed)."""

    numerator: Floats
    denominator: Floats

    @property
    def ratio(self) -> float | None:
        """Sum over sum; None where the denominator sums to nothing."""
        below = float(self.denominator.sum())
        return float(self.numerator.sum()) / below if below > 0 else None

    def shifts(self) -> Floats | None:
        """Return ratio without each group minus ratio, shape [groups].

        None where some group holds the whole denominator, so that nothing is left without it.
        """
        below = float(self.denominator.sum())
        rest = below - self.denominator
        if below <= 0 or (rest <= _NOISE * below).any():
            return None
        expected = float(self.numerator.sum()) / below * self.denominator
        residual = self.numerator - expected
        scale = np.abs(self.numerator) + np.abs(expected)
        residual = np.where(np.abs(residual) <= _NOISE * scale.max(initial=0.0), 0.0, residual)
        shifts: Floats = -residual / rest
        return shifts

    def log_shifts(self) -> Floats | None:
        """Return log ratio without each group minus log ratio; None as for ``shifts``."""
        above, below = self.numerator / self.numerator.sum(), self.denominator
        below = below / below.sum()
        if max(above.max(), below.max()) >= 1 - _NOISE:
            return None
        shifts: Floats = np.log1p(-above) - np.log1p(-below)
        return np.where(np.abs(shifts) <= _NOISE, 0.0, shifts)

    def rarer(self) -> Floats:
        """Return by group how often the rarer of two outcomes was seen, where both are counts."""
        above, below = self.numerator, self.denominator - self.numerator
        return above if above.sum() <= below.sum() else below

    def effective_groups(self) -> float:
        """Return Kish's number of equal groups with the same concentration of denominators."""
        return float(self.denominator.sum() ** 2 / (self.denominator**2).sum())


def by_group(*terms: Terms, groups: npt.ArrayLike) -> tuple[Totals, ...]:
    """Sum the terms of each system within each group, without groups that hold nothing at all.

    Terms are pairs of arrays of shape [records]; all systems keep the same groups.

    Raises DataError A202 for shapes that differ, NaN, or a negative denominator.

    >>> by_group(([1, 0, 1], [1, 1, 1]), groups=[4, 4, 9])[0].numerator
    array([1., 1.])
    """
    group, n = codes("groups", groups)
    sums = []
    for above, below in terms:
        numerator, denominator = finite("numerator", above), finite("denominator", below)
        same_shape(numerator=numerator, denominator=denominator, groups=group)
        sums.append(
            Totals(
                numerator=totals(numerator, group, n),
                denominator=totals(not_negative("denominator", denominator), group, n),
            )
        )
    return only_asked(*sums)


def only_asked(*systems: Totals) -> tuple[Totals, ...]:
    """Leave out the groups in which no system has a numerator or a denominator."""
    asked = [(each.numerator != 0) | (each.denominator != 0) for each in systems]
    keep = np.logical_or.reduce(asked)
    return tuple(
        Totals(numerator=each.numerator[keep], denominator=each.denominator[keep])
        for each in systems
    )


def not_negative(name: str, values: Floats) -> Floats:
    """Return ``values``; raise DataError A202 if one is negative."""
    if (values < 0).any():
        raise DataError(f"{name} has a negative value", code=WRONG)
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A variance, the degrees of freedom of its estimate, and the skewness of the error."""

    variance: float
    df: float
    skew: float = 0.0

    @property
    def se(self) -> float:
        """The square root of the variance."""
        return sqrt(self.variance)


NO_SPREAD = Spread(variance=0.0, df=inf)


def spread(shifts: Floats, *, df: float) -> Spread:
    """Return the jackknife variance: (G - 1) / G times the sum of squared shifts.

    >>> t = Totals(numerator=np.array([1.0, 0.0, 1.0, 1.0]), denominator=np.ones(4))
    >>> shifts = t.shifts()
    >>> round(spread(shifts, df=3).variance, 6)
    0.0625
    """
    n = len(shifts)
    variance = float((n - 1) / n * (shifts**2).sum())
    return Spread(variance=variance, df=max(df, 1.0), skew=skewness(shifts))


def apart(first: Floats, second: Floats) -> Floats:
    """Return the shifts of a difference; those that are mere rounding are zero.

    >>> apart(np.array([0.1 + 0.2]), np.array([0.3])).tolist()
    [0.0]
    """
    shifts = first - second
    scale = max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0))
    return np.where(np.abs(shifts) <= _NOISE * scale, 0.0, shifts)


def together(*spreads: Spread) -> Spread:
    """Add independent variances and third moments; degrees of freedom by Satterthwaite 1946.

    >>> together(Spread(variance=1.0, df=4), Spread(variance=1.0, df=4)).df
    8.0
    """
    variance = sum(part.variance for part in spreads)
    if variance <= 0:
        return NO_SPREAD
    doubt = sum((part.variance / variance) ** 2 / part.df for part in spreads)
    skew = sum(part.skew * (part.variance / variance) ** 1.5 for part in spreads)
    return Spread(variance=variance, df=1 / doubt if doubt > 0 else inf, skew=skew)


def beside(groups: Spread, seeds: Spread) -> Spread:
    """Add the variance of groups and that of seeds; as many degrees of freedom as make 95 % hold.

    The margin is the root of the squares of both margins, each with Student's t of its own degrees:
    Satterthwaite's degrees trust a few seeds that happen to lie close together.

    Source: Graybill and Wang 1980 for sums of variances; Zou and Donner 2008 for adding margins.

    >>> round(beside(Spread(variance=1.0, df=99), Spread(variance=1.0, df=2)).df, 2)
    2.75
    """
    added = together(groups, seeds)
    parts = [part for part in (groups, seeds) if part.variance > 0]
    if len(parts) < 2 or all(isinf(part.df) for part in parts):
        return added
    margin = sqrt(
        sum(part.variance * t_quantile(_TAIL, part.df) ** 2 for part in parts) / added.variance
    )
    return replace(added, df=t_degrees(_TAIL, margin))


def without(total: Spread, seeds: Spread) -> Spread:
    """Return the part of groups, which ``beside`` the part of seeds makes the total.

    >>> parts = Spread(variance=1.0, df=40), Spread(variance=0.5, df=3)
    >>> round(without(beside(*parts), parts[1]).df, 6)
    40.0
    """
    variance = max(total.variance - seeds.variance, 0.0)
    if seeds.variance <= 0 or variance <= 0:
        return Spread(variance=variance, df=total.df)
    squares = total.variance * t_quantile(_TAIL, total.df) ** 2
    rest = (squares - seeds.variance * t_quantile(_TAIL, seeds.df) ** 2) / variance
    return Spread(variance=variance, df=t_degrees(_TAIL, sqrt(rest)) if rest > 0 else inf)


class Steady(Protocol):
    """How many degrees of freedom the jackknife variance of totals by group has."""

    def __call__(self, sums: Totals, shifts: Floats, /) -> float:
        """Return them."""
        ...


def all_degrees(sums: Totals, _shifts: Floats, /) -> float:
    """Return all degrees of freedom: those of a variance of normal values."""
    return sums.effective_groups() - 1


def of_share(sums: Totals, shifts: Floats, /) -> float:
    """Return those of a share, whose events a few groups may hold, and among them the large ones.

    Groups of one size have all degrees that ``steadiness`` leaves them; groups worth half as many of
    one size have one for each that holds an event.
    """
    worth = sums.effective_groups()
    lost = len(shifts) - worth
    each = worth / lost if lost > _NOISE * worth else inf
    return steadiness(shifts, df=worth - 1, events=sums.rarer(), each=each)


def steadiness(shifts: Floats, /, *, df: float, events: Floats, each: float = 1.0) -> float:
    """Return the degrees of freedom of the jackknife variance of a share, at most ``df``.

    A variance that a few groups make is known as badly as those few are: by the kurtosis k of the
    shifts its own relative variance is (k - 3) / G + 2 / df, which is 2 over the degrees.  Nor has it
    more than ``each`` degrees for each group, but one, that holds ``events`` (shape [groups], not
    negative; of groups that hold unlike numbers of them, Kish's number), or three where that is more.

    Source: Satterthwaite 1946, with the fourth moment that is seen; the second limit by simulation.

    >>> rare = np.zeros(100)
    >>> rare[:4] = 1.0
    >>> many = np.tile([1.0, -1.0], 50)
    >>> round(steadiness(many, df=99, events=np.ones(100))), steadiness(rare, df=99, events=rare)
    (99, 3.0)
    """
    squares, held = float((shifts**2).sum()), float((events**2).sum())
    if squares <= 0 or held <= 0:
        return df
    n = len(shifts)
    excess = max(n * float((shifts**4).sum()) / squares**2 - 3.0, 0.0)
    spiky = 2.0 / (excess / n + 2.0 / max(df, 1.0))
    others = max(float(events.sum()) ** 2 / held - 1.0, 0.0)
    eventful = inf if isinf(each) else max(each * others, _LEAST_DF)
    return max(min(df, spiky, eventful), 1.0)
