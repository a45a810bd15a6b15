"""``intent.trained``: a mapper that ``assay intent train`` wrote, as a system of a plan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay import Artifact, Built, Needs, PlanError, Sample, Usage

from ..likeness.canonical import marks
from ..likeness.leakage import text_of
from .trained import load, loads


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The recipe of ``intent.trained``: it learns nothing from the task, and loads a folder.

    ``mapper`` is the folder; the encoder is the one that its card names, or ``encoder/`` in it.
    Answers carry their confidence and no threshold is in force: a plan chooses its own.

    Raises ``PlanError`` A102 for fewer threads than one.

    >>> Loaded(mapper=Path("mine")).seeded
    False

    *Not to be trusted when* the mapper was trained on prompts of the task's test: the note
    ``learnt_elsewhere`` counts what it learnt that is not in the task's train and tune.
    """

    mapper: Path
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse threads that are none."""
        if self.threads < 1:
            raise PlanError(
                f"threads is {self.threads}; it is at least 1", hint="1 is usual", code="A102"
            )

    @property
    def seeded(self) -> bool:
        """Nothing is drawn."""
        return False

    @property
    def needs(self) -> Needs:
        """Room for an encoder, twice while it is loaded."""
        return Needs(cpus=self.threads, memory_mb=700)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the encoder's files, head and card, found and verified.

        Raises ``PluginError`` A401 or A403, as ``trained.load`` does.
        """
        return loads(self.mapper)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Load the mapper; note how much of what it learnt the task could have taught it."""
        start = time.perf_counter()
        found = load(self.mapper, threads=self.threads)
        offered = np.unique(marks([text_of(sample) for sample in (*train, *tune)]))
        seen = found.saved.seen
        return Built(
            system=found.system,
            usage=Usage(busy_s=time.perf_counter() - start),
            artifacts=found.artifacts(self.mapper),
            notes={
                "trained": "before, on other samples than this plan gives",
                "learnt": len(seen),
                "learnt_elsewhere": len(np.setdiff1d(seen, offered)),
            },
        )
