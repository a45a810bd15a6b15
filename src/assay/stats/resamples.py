"""Counts of resampled groups, drawn piece by piece, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Codes, Floats

Counts: TypeAlias = npt.NDArray[np.int16]
"""Shape [resamples, groups]: how often each group was drawn.  Rows sum to the number of groups."""

Prepared: TypeAlias = Callable[[Counts], Floats]
"""A function from counts to one value for each resample, NaN where it has none."""

RESAMPLES = 10_000
"""Of every bootstrap, unless the records are too many."""

FEWEST = 1_000
CELLS = 1_000_000_000
"""Resamples times records that a statistic may cost: 10,000 resamples up to 100,000 records."""

CELLS_ONE_BY_ONE = CELLS // 10
"""The same for one that is called for each resample: 10,000 up to 10,000 records."""

MOST_GROUPS = 4096
"""Twice as many, and groups are joined at random before they are resampled."""

_PIECE = 1 << 17
"""Numbers in one array of a piece: 1 MB, which stays near the processor."""

_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples:
    """Draws of ``n_groups`` groups, made anew whenever they are asked for and always the same.

    >>> drawn = Resamples(n_groups=5, resamples=3, seed=0)
    >>> [piece.tolist() for piece in drawn.pieces(5)] == [[*p] for p in [drawn.all().tolist()]]
    True
    """

    n_groups: int
    resamples: int
    seed: int

    def pieces(self, records: int) -> Iterator[Counts]:
        """Yield counts a few rows at a time, few enough for so many records beside them."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        rows = rows_for(max(records, self.n_groups))
        # Many are drawn in less time than as many times few.
        many = rows * max(rows_for(self.n_groups) // rows, 1)
        for start in range(0, self.resamples, many):
            drawn = draw(self.n_groups, resamples=min(many, self.resamples - start), rng=rng)
            for first in range(0, len(drawn), rows):
                yield drawn[first : first + rows]

    def all(self) -> Counts:
        """Return all counts at once."""
        return np.concatenate([*self.pieces(self.n_groups)])


@runtime_checkable
class Whole(Protocol):
    """A function of counts that has a way of its own to all resamples."""

    def __call__(self, drawn: Counts, /) -> Floats:
        """Return one value for each resample."""
        ...

    def every(self, drawn: Resamples, records: int) -> Floats:
        """Return the value of every resample; ``records`` as in ``Resamples.pieces``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """A function of counts that is worked out once, however many pairs ask for it.

    >>> asked = []
    >>> def first(drawn):
    ...     asked.append(len(drawn))
    ...     return drawn[:, 0] * 1.0
    >>> of, drawn = Remembered(first), Resamples(n_groups=5, resamples=3, seed=0)
    >>> (every(of, drawn, 5) == every(of, drawn, 5)).all().item(), asked
    (True, [3])
    """

    of: Prepared
    known: dict[Resamples, Floats] = field(default_factory=dict, repr=False)

    def __call__(self, drawn: Counts, /) -> Floats:
        """Return one value for each resample."""
        return self.of(drawn)

    def every(self, drawn: Resamples, records: int) -> Floats:
        """Return the value of every resample; not to be written to."""
        if drawn not in self.known:
            found = every(self.of, drawn, records)
            found.setflags(write=False)
            self.known[drawn] = found
        return self.known[drawn]


def every(of: Prepared, drawn: Counts | Resamples, records: int) -> Floats:
    """Return the value of every resample, a few at a time or as ``of`` would have it.

    >>> every(lambda counts: counts[:, 0] * 1.0, np.array([[2, 0], [1, 1]], dtype=np.int16), 2).tolist()
    [2.0, 1.0]
    """
    if isinstance(of, Whole) and isinstance(drawn, Resamples):
        return of.every(drawn, records)
    return np.concatenate([of(piece) for piece in pieces(drawn, records)])


def resamples_for(records: int, *, cells: int = CELLS) -> int:
    """Return how many resamples a statistic of so many records gets: 1,000 to 10,000.

    >>> resamples_for(5_000), resamples_for(100_000), resamples_for(1_000_000)
    (10000, 10000, 1000)
    """
    return int(np.clip(cells // max(records, 1), FEWEST, RESAMPLES))


def rows_for(width: int) -> int:
    """Return how many rows of so many numbers make a piece."""
    return int(np.clip(_PIECE // max(width, 1), 1, _ROWS))


def pieces(drawn: Counts | Resamples, records: int) -> Iterator[Counts]:
    """Yield counts a few rows at a time, whether or not they are drawn already."""
    if isinstance(drawn, Resamples):
        yield from drawn.pieces(records)
        return
    rows = rows_for(max(records, drawn.shape[1]))
    for start in range(0, len(drawn), rows):
        yield drawn[start : start + rows]


def draw(n_groups: int, *, resamples: int, rng: np.random.Generator) -> Counts:
    """Draw ``n_groups`` groups with replacement, ``resamples`` times.

    Raises DataError A202 unless there are groups and resamples to draw.
    Source: Efron 1979.
    """
    if n_groups < 1 or resamples < 1:
        raise DataError(f"Nothing to draw: {n_groups} groups, {resamples} times", code=WRONG)
    drawn = np.empty((resamples, n_groups), dtype=np.int16)
    rows = rows_for(n_groups)
    for start in range(0, resamples, rows):
        some = min(rows, resamples - start)
        cells = rng.integers(n_groups, size=(some, n_groups))
        cells += np.arange(some)[:, None] * n_groups
        tally = np.bincount(cells.ravel(), minlength=some * n_groups)
        drawn[start : start + some] = tally.reshape(some, n_groups)
    return drawn


def unions(n_groups: int, *, seed: int) -> Codes:
    """Return a code for each group, shape [groups]: its own, or from 8,192 on that of a random union.

    Unions hold as many groups each, give or take one.  Independent groups make independent unions,
    so that resampling unions is resampling groups, with a few thousand degrees of freedom in place
    of more.

    Source: the method of random groups, Wolter 2007, chapter 2.

    >>> unions(3, seed=0).tolist(), np.bincount(unions(8192, seed=0)).tolist() == [2] * 4096
    ([0, 1, 2], True)

    Not to be trusted when groups are in an order that the seed could know.
    """
    if n_groups < 2 * MOST_GROUPS:
        return np.arange(n_groups, dtype=np.intp)
    rng = np.random.Generator(np.random.PCG64([seed, n_groups]))
    return np.asarray(rng.permutation(n_groups) % MOST_GROUPS, dtype=np.intp)


def effective(groups: Codes) -> float:
    """Return Kish's number of equal groups with the same concentration of records, 0 for none.

    >>> effective(np.array([0, 0, 1, 1])), effective(np.array([0, 0, 0, 1]))
    (2.0, 1.6)
    """
    sizes = np.bincount(groups).astype(np.float64) if groups.size else np.zeros(1)
    return float(sizes.sum() ** 2 / max((sizes**2).sum(), 1.0))
