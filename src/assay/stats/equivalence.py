"""Equivalence: two one-sided tests of one inference (TOST)."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import DataError

from .arrays import WRONG, level
from .inference import Inference, Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Both one-sided p-values of "between low and high"."""

    low: float
    high: float
    above_low: float
    """In support of "at least low"."""

    below_high: float
    """In support of "at most high"."""

    @property
    def p(self) -> float:
        """The larger of the two: both must be shown."""
        return max(self.above_low, self.below_high)

    def is_shown(self, alpha: float = 0.025) -> bool:
        """Whether the interval at ``1 - 2 * alpha`` lies within [low, high].

        Raises DataError A202 unless 0 < alpha < 1.
        """
        return self.p <= level("alpha", alpha)


def equivalence(found: Inference, *, low: float, high: float) -> Equivalence | Undefined:
    """Test whether a number lies within a margin; undefined where the inference is.

    Any inference will do: a difference of shares, of means, a ratio of dollars.

    Raises DataError A202 unless low < high.
    Source: Schuirmann 1987; 2.5 % a side, as everywhere here.

    >>> from assay.stats.paired import Table, tango
    >>> found = tango(Table(both=800, first=20, second=25, neither=155))
    >>> tested = equivalence(found, low=-0.02, high=0.02)
    >>> round(tested.above_low, 4), round(tested.below_high, 5), tested.is_shown()
    (0.0172, 0.00031, True)

    Not to be trusted when the margin was chosen after looking at the difference.
    """
    if not low < high:
        raise DataError(f"No margin between {low} and {high}", code=WRONG)
    above, below = found.p_at_least(low), found.p_at_most(high)
    if above is None or below is None:
        return found if isinstance(found, Undefined) else Undefined("no p-value")
    return Equivalence(low=low, high=high, above_low=above, below_high=below)
