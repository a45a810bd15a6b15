"""What a task of the cluster is told: where the run is, which of its questions to ask, by value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import msgspec

from ...core.record import Cell
from ..wire import Job

Step: TypeAlias = Literal["all", "ask", "check"]
"""Ask and check; or ask, and keep the replies; or check those."""


class Stretch(msgspec.Struct, frozen=True):
    """Some of the questions of one cell, by their places in the order in which it is asked."""

    seed: int
    split: str
    places: list[tuple[int, int]]
    """From, and up to but without."""

    def each(self) -> Iterator[int]:
        """Yield the places, in order."""
        for start, stop in self.places:
            yield from range(start, stop)


class Order(msgspec.Struct, frozen=True):
    """One try at one part of some work.  It holds addresses and numbers, no samples."""

    run: str
    """The run's folder, which every machine sees under this path."""

    token: str
    """What stands in a file there: a machine that reads something else sees another folder."""

    assay: str
    """The version of assay that began the run."""

    task: str
    ref: dict[str, Any]
    """The task's entry in the plan."""

    base: str
    """Relative paths of the plan start here."""

    rng: int
    digests: dict[str, str]
    """Fingerprint of each split that is asked."""

    upto: int | None
    """Of a run that may stop early: how many groups are asked."""

    system: str
    limits_of: dict[str, int | None]
    """How many samples of each split the system is asked."""

    limits: dict[str, Any]
    job: Job
    stretches: list[Stretch]
    whole: bool
    """Whether nothing of its cells is missing here: only so can a stateful system be asked."""

    attempts: int
    keeps_evidence: bool
    part: str
    tried: str
    step: Step
    since: str
    """Of a stateful system that was asked: the try whose replies are to be checked."""

    environment: dict[str, str]

    def cell(self, stretch: Stretch) -> Cell:
        """Return the cell that a stretch is of."""
        return Cell(task=self.task, system=self.system, seed=stretch.seed, split=stretch.split)


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Order).decode


def runs_of(places: Iterable[int]) -> list[tuple[int, int]]:
    """Return increasing numbers as stretches without a gap.

    >>> runs_of([0, 1, 2, 7, 8])
    [(0, 3), (7, 9)]
    """
    found: list[tuple[int, int]] = []
    for place in places:
        if found and found[-1][1] == place:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return found


def cut(lengths: Sequence[int], parts: int) -> list[list[tuple[int, int, int]]]:
    """Cut rows that are laid end to end into equal parts: (row, from, up to) of each piece.

    >>> cut([2, 6], 2)
    [[(0, 0, 2), (1, 0, 2)], [(1, 2, 6)]]
    """
    total = sum(lengths)
    bounds = [total * i // parts for i in range(parts + 1)]
    found = []
    for low, high in pairwise(bounds):
        pieces, begun = [], 0
        for row, length in enumerate(lengths):
            start, stop = max(low - begun, 0), min(high - begun, length)
            if start < stop:
                pieces.append((row, start, stop))
            begun += length
        found.append(pieces)
    return found
