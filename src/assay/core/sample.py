"""One question, its right answer, and what it is not independent of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .reply import Answer, Bottom

JsonScalar: TypeAlias = "bool | int | float | str | None"
Json: TypeAlias = "JsonScalar | Sequence[Json] | Mapping[str, Json]"
Target: TypeAlias = "Answer | Bottom | None"

SPLITS = ("train", "tune", "calibration", "test")
"""train fits, tune selects, calibration sets thresholds, test is asked last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample of a task, as the verifier and the analysis see it."""

    id: str
    """Stable across versions of the data; systems are paired by it."""

    input: Json
    target: Target = None
    """The right answer; ``Bottom`` when the right answer is to decline; ``None`` when there is
    no right or wrong."""

    group: str = ""
    """Samples that share a group are not independent (same template, passage, program).
    Empty means: a group of its own."""

    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def cluster(self) -> str:
        """The unit that is resampled: the group, or the sample itself."""
        return self.group or self.id

    def question(self, *, attempt: int = 0, seed: int = 0) -> Question:
        """Return what a system may see of this sample: never target, group or tags."""
        return Question(id=self.id, input=self.input, attempt=attempt, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a system sees.  Its randomness may come from ``seed`` only."""

    id: str
    input: Json
    attempt: int = 0
    seed: int = 0
