"""Whether an operating point is one of its own, or another one's under a second name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .table import Table
from .thresholds import Chosen


def same_points(
    thresholds: Mapping[str, Mapping[int, Chosen]], calibration: Mapping[str, Table], system: str
) -> tuple[str, ...]:
    """Return the systems that answer and decline the same calibration questions as one does.

    Compared are systems with thresholds, whose replies on calibration are the same, under every seed.
    Two thresholds with no confidence between them are one: nothing on calibration tells them apart.

    *Not to be trusted* for what they do on other questions, where a confidence may lie between both.
    """
    if system not in thresholds or system not in calibration:
        return ()
    mine = _given(thresholds[system], calibration[system])
    return tuple(
        other
        for other in thresholds
        if other != system
        and other in calibration
        and _alike(calibration[system], calibration[other])
        and np.array_equal(mine, _given(thresholds[other], calibration[other]))
    )


def no_points_of_their_own(
    thresholds: Mapping[str, Mapping[int, Chosen]],
    calibration: Mapping[str, Table],
    systems: Sequence[str],
) -> Iterator[str]:
    """Yield what has to be said of systems that are another one's operating point, of those given."""
    for system in systems:
        if same := same_points(thresholds, calibration, system):
            yield (
                f"on calibration {system} answers what {' and '.join(same)} answers: it is no operating "
                "point of its own"
            )


def _alike(one: Table, other: Table) -> bool:
    """Whether two systems have the same replies to the same questions."""
    return (
        one.seeds == other.seeds
        and one.samples == other.samples
        and np.array_equal(one.outcome, other.outcome)
        and np.array_equal(one.confidence, other.confidence, equal_nan=True)
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
