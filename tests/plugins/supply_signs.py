"""A task that a model file answers with the signs of its numbers: which answers turn is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import (
    OUTCOME_METRICS,
    Answer,
    Artifact,
    Built,
    Check,
    Needs,
    Question,
    Reply,
    SameAnswer,
    Sample,
    Task,
)
from assay.families.supply.formats.opening import open_model
from assay.families.supply.passport import check_passport
from assay.kept import digest_of

N = 40


def samples(split: str) -> list[Sample]:
    """Return questions about numbers, two of a group."""
    first = {"test": 0, "train": N, "tune": N + 4, "calibration": N + 8}[split]
    asked = range(first, first + (N if split == "test" else 4))
    return [Sample(id=f"{i:03}", input=i, target=Answer("yes"), group=str(i // 2)) for i in asked]


def positive(*, metrics: int = len(OUTCOME_METRICS)) -> Task:
    """Return the task: is the number positive?  It always is, where nothing changed.

    It has the last of the usual metrics, as many as are asked for.
    """
    return Task(
        name="signs.positive",
        version="1",
        says="Is number i positive?",
        samples=samples,
        verifier=SameAnswer(),
        metrics=OUTCOME_METRICS[-metrics:],
    )


class _Scored:
    def check(self, batch: Sequence[Any]) -> Iterator[Check]:
        """Score every answer; none is right or wrong."""
        yield from (Check(passed=None, scores={"size": 1.0}) for _ in batch)


def size() -> Task:
    """Return a task on which nothing is right or wrong."""
    return Task(
        name="signs.size",
        version="1",
        says="How large is number i?",
        samples=samples,
        verifier=_Scored(),
        metrics=OUTCOME_METRICS,
    )


class _Signs:
    def __init__(self, numbers: Sequence[float]) -> None:
        self._numbers = numbers

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer each question."""
        for asked in questions:
            said = Answer("yes" if self._numbers[int(asked.input)] > 0 else "no")
            yield Reply(asked.id, said, attempt=asked.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Answers with the signs of the tensor ``w`` of a model file, whose passport it checks."""

    model: Path
    seeded: bool = False
    needs: Needs = Needs()

    def loads(self) -> tuple[Artifact, ...]:
        """Return the file."""
        check_passport(self.model)
        found = digest_of(self.model)
        return (
            Artifact(
                digest=f"sha256:{found.sha256}",
                kind="weights",
                size=self.model.stat().st_size,
                source=f"file:{self.model.name}",
            ),
        )

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Read the numbers."""
        with open_model(self.model) as model:
            return Built(system=_Signs(model.numbers("w").reshape(-1).tolist()))
