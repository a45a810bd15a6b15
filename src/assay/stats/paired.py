"""Two systems on the same independent samples, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, same_shape
from .inference import PairedScore, Score, Undefined
from .tails import binomial_at_least

NOTHING = Undefined("no sample was asked of both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How often both, one, or neither of two systems was right.

    >>> Table.of([True, True, False], [True, False, False])
    Table(both=1, first=1, second=0, neither=1)
    """

    both: int
    first: int
    """Only the first was right."""

    second: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.first, self.second, self.neither) < 0:
            raise DataError(f"A count is negative: {self}", code=WRONG)

    @classmethod
    def of(cls, first: npt.ArrayLike, second: npt.ArrayLike) -> Table:
        """Count two boolean arrays of shape [samples].

        Raises DataError A202 for shapes that differ.
        """
        a, b = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
        same_shape(first=a, second=b)
        return cls(
            both=int((a & b).sum()),
            first=int((a & ~b).sum()),
            second=int((~a & b).sum()),
            neither=int((~a & ~b).sum()),
        )

    @property
    def n(self) -> int:
        """Samples."""
        return self.both + self.first + self.second + self.neither


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """P-values of one test in three directions."""

    two_sided: float
    first_better: float
    """One-sided, in support of the first system."""

    second_better: float


def mcnemar_exact(table: Table) -> Signed:
    """Test whether two shares differ: binomial on the samples that only one got right.

    No such sample: all p-values are 1.
    Source: McNemar 1947, exact conditional form.

    >>> round(mcnemar_exact(Table(both=59, first=6, second=16, neither=80)).two_sided, 6)
    0.052479

    Not to be trusted when samples come in groups: use ``clusters.paired``.
    """
    n = table.first + table.second
    first = binomial_at_least(table.first, n, 0.5)
    second = binomial_at_least(table.second, n, 0.5)
    return Signed(
        two_sided=min(1.0, 2 * min(first, second)), first_better=first, second_better=second
    )


def mcnemar_midp(table: Table) -> Signed:
    """Test as ``mcnemar_exact``, with half of the probability of what was seen.

    Less conservative; its size passes the level by a hair at most.
    Source: Fagerland, Lydersen and Laake 2013.

    >>> round(mcnemar_midp(Table(both=59, first=6, second=16, neither=80)).two_sided, 6)
    0.03469

    Not to be trusted when samples come in groups: use ``clusters.paired``.
    """
    n = table.first + table.second
    first, second = _midp(table.first, n), _midp(table.second, n)
    return Signed(
        two_sided=min(1.0, 2 * min(first, second)), first_better=first, second_better=second
    )


def newcombe(table: Table, *, confidence: float = 0.95) -> tuple[float, float] | Undefined:
    """Return the square-and-add interval for first minus second; undefined for an empty table.

    Source: Newcombe 1998, Statistics in Medicine 17:2635, method 10: Wilson's limits of either
    share, combined with their correlation (continuity-corrected where it is positive).

    >>> low, high = newcombe(Table(both=36, first=12, second=2, neither=0))
    >>> round(low, 4), round(high, 4)
    (0.0569, 0.3404)

    Not to be trusted when samples come in groups: use ``clusters.paired``.
    """
    n = table.n
    if n == 0:
        return NOTHING
    shares = (table.both + table.first) / n, (table.both + table.second) / n
    (low_a, high_a), (low_b, high_b) = (
        Score(share=share, n_eff=n).interval(confidence) for share in shares
    )
    phi, gap = _correlation(table), shares[0] - shares[1]
    below = _add(shares[0] - low_a, high_b - shares[1], phi)
    above = _add(high_a - shares[0], shares[1] - low_b, phi)
    return max(-1.0, gap - below), min(1.0, gap + above)


def tango(table: Table) -> PairedScore | Undefined:
    """Return the score inference for first minus second; undefined for an empty table.

    Source: Tango 1998, Statistics in Medicine 17:891.

    >>> low, high = tango(Table(both=59, first=6, second=16, neither=80)).interval()
    >>> round(low, 4), round(high, 4)
    (-0.124, -0.0054)

    Not to be trusted when samples come in groups: use ``clusters.paired``.
    """
    if table.n == 0:
        return NOTHING
    n = table.n
    return PairedScore(
        gained=table.first / n, lost=table.second / n, n_eff=n, method=f"Tango score, {n} samples"
    )


def _midp(k: int, n: int) -> float:
    more = binomial_at_least(k + 1, n, 0.5)
    return (more + binomial_at_least(k, n, 0.5)) / 2


def _correlation(table: Table) -> float:
    """Return Newcombe's phi: the correlation, pulled towards 0 where it is positive."""
    a, b, c, d = table.both, table.first, table.second, table.neither
    below = (a + b) * (c + d) * (a + c) * (b + d)
    if below == 0:
        return 0.0
    above = float(a * d - b * c)
    if above > 0:
        above = max(above - table.n / 2, 0.0)
    return above / sqrt(below)


def _add(x: float, y: float, phi: float) -> float:
    return sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))
