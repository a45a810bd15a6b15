"""Whether an operating point is one of its own, or another one's under a second name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .table import Table
from .thresholds import Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """The thresholds of a task's systems, and what they were chosen from."""

    thresholds: Mapping[str, Mapping[int, Chosen]] = field(default_factory=dict)
    calibration: Mapping[str, Table] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    """Whose replies a system has; of a system with a recipe its own name."""

    def same(self, system: str) -> tuple[str, ...]:
        """Return the points of the same replies that answer the same calibration questions, under every seed.

        Two thresholds with no confidence between them are one: nothing on calibration tells them apart.

        *Not to be trusted* for other questions, where a confidence may lie between both.
        """
        if system not in self.thresholds or system not in self.calibration:
            return ()
        mine = _given(self.thresholds[system], self.calibration[system])
        return tuple(
            other
            for other in self.thresholds
            if other != system
            and other in self.calibration
            and self.of.get(other, other) == self.of.get(system, system)
            and np.array_equal(mine, _given(self.thresholds[other], self.calibration[other]))
        )

    def notes(self, systems: Sequence[str]) -> Iterator[str]:
        """Yield what has to be said of those of some systems that are another one's operating point."""
        for system in systems:
            if same := self.same(system):
                yield (
                    f"on calibration {system} answers what {' and '.join(same)} answers: it is no operating "
                    "point of its own"
                )


def _given(by_seed: Mapping[int, Chosen], table: Table) -> NDArray[np.bool_]:
    """Return which answers stand, shape [seeds, samples]."""
    rows = [
        by_seed[seed].keeps(
            table.confidence[row], None if table.answers is None else table.answers[row]
        )
        for row, seed in enumerate(table.seeds)
    ]
    return np.stack(rows)
