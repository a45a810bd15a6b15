"""Totals of one system by group and by seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape
from .jackknife import Terms, Totals, not_negative


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedTable:
    """Totals per group and seed, shape [groups, seeds]."""

    numerator: Floats
    denominator: Floats

    @property
    def groups(self) -> int:
        """How many groups."""
        return int(self.numerator.shape[0])

    @property
    def seeds(self) -> int:
        """How many seeds."""
        return int(self.numerator.shape[1])

    @property
    def ratio(self) -> float:
        """Only where the denominator does not sum to zero."""
        return float(self.numerator.sum() / self.denominator.sum())

    @property
    def by_group(self) -> Totals:
        """Totals over seeds."""
        return Totals(
            numerator=self.numerator.sum(axis=1), denominator=self.denominator.sum(axis=1)
        )

    @property
    def by_seed(self) -> Totals:
        """Totals over groups."""
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

    def of(self, keep: npt.NDArray[np.bool_]) -> SeedTable:
        """Return the table of some groups."""
        return SeedTable(numerator=self.numerator[keep], denominator=self.denominator[keep])

    def is_same_for_every_seed(self) -> bool:
        """Whether seeds change nothing."""
        same_above = (self.numerator == self.numerator[:, :1]).all()
        return bool(same_above and (self.denominator == self.denominator[:, :1]).all())


def seed_table(terms: Terms) -> SeedTable:
    """Return the table of a numerator and a denominator, both of shape [groups, seeds].

    Raises DataError A202 for shapes that differ, NaN, or a negative denominator.
    """
    numerator, denominator = (
        finite("numerator", terms[0], ndim=2),
        finite("denominator", terms[1], ndim=2),
    )
    same_shape(numerator=numerator, denominator=denominator)
    return SeedTable(numerator=numerator, denominator=not_negative("denominator", denominator))


def same_groups(first: SeedTable, second: SeedTable) -> tuple[SeedTable, SeedTable]:
    """Leave out the groups that neither was asked; raise DataError A202 where their numbers differ."""
    if first.groups != second.groups:
        raise DataError(f"{first.groups} groups against {second.groups}", code=WRONG)
    keep = first.asked | second.asked
    return first.of(keep), second.of(keep)
