"""Answers in the order of their confidence, counted in many resamples at once.

What is counted are whole numbers, so that they are the same however they are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Codes, Floats, finite, same_shape
from .resamples import Counts, Resamples

Whole: TypeAlias = npt.NDArray[np.int64]
Room: TypeAlias = tuple[Whole, Floats]

_NEAR = 1 << 18
"""Numbers that are worked on at once: they stay near the processor."""

_FEW = 1 << 16
"""The same, of what a value is worked out with: arrays that are larger are given back in between."""

_LEAST, _MOST = 8, 64
"""Resamples at once.  So many lie side by side that they are added together; more would be slower."""

_SLICE = 512
"""Rows that are turned at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordered:
    """Answers, surest first, in blocks of one confidence.

    >>> found = Ordered.of([0.9, 0.8, 0.8, 0.3], [1, 1, 0, 1], np.arange(4))
    >>> accepted, wrong = found.counted(np.array([[1, 1, 1, 1], [0, 0, 4, 0]], dtype=np.int16))
    >>> accepted.tolist(), wrong.tolist(), found.starts.tolist(), found.ends.tolist()
    ([[0, 1, 3, 4], [0, 0, 4, 4]], [[1.0], [4.0]], [1], [2])
    """

    starts: Codes = field(repr=False)
    """Where each block that holds a wrong answer begins, as a place."""

    ends: Codes = field(repr=False)
    """Where it ends, as a place."""

    places: Codes = field(repr=False)
    """How many answers there are up to each place that is counted: the first is 0, the last all."""

    held: Any = field(repr=False)
    """Sparse, shape [places - 1 + blocks, groups]: the answers of each group between two places, and
    the wrong ones in each block."""

    @classmethod
    def of(
        cls,
        confidence: npt.ArrayLike,
        right: npt.ArrayLike,
        groups: Codes,
        *,
        everywhere: bool = False,
    ) -> Ordered:
        """Order answers; ``everywhere`` counts at the end of every block, not where it matters alone.

        Raises DataError A202 for shapes that differ, NaN, or ``right`` that is neither 0 nor 1.
        """
        sure, correct = finite("confidence", confidence), finite("right", right)
        same_shape(confidence=sure, right=correct, groups=groups)
        if not np.isin(correct, (0.0, 1.0)).all():
            raise DataError("right must be 0 or 1", code=WRONG)
        order = np.argsort(-sure, kind="stable")
        sure, wrong, group = sure[order], correct[order] == 0, groups[order]
        last = np.flatnonzero(np.r_[sure[1:] != sure[:-1], True]) if sure.size else order
        ends = np.r_[0, last + 1]
        blocks, of_block = np.unique(
            np.searchsorted(last, np.flatnonzero(wrong)), return_inverse=True
        )
        begin, end = ends[blocks], ends[blocks + 1]
        places = ends if everywhere else np.unique(np.r_[0, begin, end, sure.size])
        between = np.searchsorted(places, np.arange(sure.size), side="right") - 1
        rows = np.r_[between, len(places) - 1 + of_block]
        columns = np.r_[group, group[wrong]]
        size = len(places) - 1 + len(blocks), int(groups.max(initial=0)) + 1
        return cls(
            starts=np.searchsorted(places, begin),
            ends=np.searchsorted(places, end),
            places=places.astype(np.intp),
            held=_sparse(rows, columns, size),
        )

    @property
    def rows(self) -> int:
        """How many resamples are counted at once."""
        return int(np.clip(_NEAR // max(sum(self.held.shape), 1), _LEAST, _MOST))

    def room(self) -> Room:
        """Return room for what is counted of ``rows`` resamples."""
        accepted = np.zeros((self.rows, len(self.places)), dtype=np.int64)
        return accepted, np.empty((self.rows, len(self.starts)))

    def counted(self, drawn: Counts, room: Room | None = None) -> Room:
        """Return, of each resample, the answers up to each place, and the wrong ones of each block.

        ``drawn`` are at most ``rows`` resamples.  What is returned lies in ``room``: asking for memory
        again and again takes longer than counting.
        """
        n = len(self.places) - 1
        times = np.ascontiguousarray(drawn[:, : self.held.shape[1]].T, dtype=self.held.dtype)
        sums = self.held @ times
        np.cumsum(sums[:n], axis=0, out=sums[:n])
        accepted, wrong = room or self.room()
        accepted, wrong = accepted[: len(drawn)], wrong[: len(drawn)]
        _turn(sums[:n], accepted[:, 1:])
        _turn(sums[n:], wrong)
        return accepted, wrong


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A number of ordered answers, in many resamples: worked out a few of them at a time."""

    order: Ordered
    of: Callable[[Counts, Whole, Floats], Floats]
    """From counts, and what ``Ordered.counted`` says of them, to a value for each resample."""

    def __call__(self, drawn: Counts, /) -> Floats:
        """Return one value for each resample."""
        return self._values([drawn])

    def every(self, drawn: Resamples, records: int) -> Floats:
        """Return the value of every resample; they are drawn as many at once as groups allow."""
        return self._values(drawn.pieces(drawn.n_groups))

    def _values(self, pieces: Iterable[Counts]) -> Floats:
        rows, room = self.order.rows, self.order.room()
        found = []
        for piece in pieces:
            for start in range(0, max(len(piece), 1), rows):
                few = piece[start : start + rows]
                accepted, wrong = self.order.counted(few, room)
                some = max(_FEW // accepted.shape[1], 1)
                found += [
                    self.of(few[k : k + some], accepted[k : k + some], wrong[k : k + some])
                    for k in range(0, max(len(few), 1), some)
                ]
        return np.concatenate(found)


def _sparse(rows: Codes, columns: Codes, size: tuple[int, int]) -> Any:
    """Return how often each pair of a row and a column occurs."""
    # No resample has more answers than as many times the largest group as there are groups.
    most = size[1] * int(np.bincount(columns).max(initial=0))
    kind = np.int32 if most < np.iinfo(np.int32).max else np.int64
    sparse = import_module("scipy.sparse")
    return sparse.csr_array((np.ones(len(rows), dtype=kind), (rows, columns)), shape=size)


def _turn(sums: npt.NDArray[Any], into: npt.NDArray[Any]) -> None:
    """Write columns as rows, a slice at a time: the whole would not stay near the processor."""
    for start in range(0, len(sums), _SLICE):
        into[:, start : start + _SLICE] = sums[start : start + _SLICE].T
