"""A question set with a way to check answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .metric import Metric
from .sample import Sample
from .verdict import Verifier


def unknown_chance(sample: Sample, /) -> None:
    """Return None: nobody can say what chance would reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A question set, its splits, and its truth.

    ``samples(split)`` is called lazily, with each of ``train``, ``tune``, ``calibration`` and
    ``test``; groups are never shared between splits (checked before anything runs).
    """

    name: str
    version: str
    """Bump it whenever any number the task produces could change."""

    samples: Callable[[str], Sequence[Sample]]
    verifier: Verifier
    metrics: tuple[Metric, ...]
    """The first is the headline."""

    says: str = ""
    """One sentence for people."""

    license: str = ""
    """Of the data; run directories hold its inputs."""

    redistributable: bool = True
    """Whether its samples may be copied.  If not, a run keeps digests of inputs and answers."""

    caveats: Callable[[], Sequence[str]] = tuple
    """Sentences that every number on the task has to be read with ("leaking split, not held out:
    12 of 40 test prompts have a twin in training"); printed wherever its numbers are."""

    chance: Callable[[Sample], float | None] = unknown_chance
    """What the headline of a sample comes to, on average, for one who knows nothing of the question: 0.25 of four
    choices, 0 where the answer is written.  None where nobody can say.  Read by what puts several tasks
    into one number."""
