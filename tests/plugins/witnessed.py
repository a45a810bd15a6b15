"""A task whose verifier notes where it was, and systems that note what they are asked."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Literal

from assay import (
    OUTCOME_METRICS,
    Answer,
    Bottom,
    Built,
    Check,
    Crash,
    Needs,
    Question,
    Reply,
    SameAnswer,
    Sample,
    Task,
)

SIZES = {"train": 6, "tune": 4, "calibration": 8}
_NEVER = Event()


def copy(*, notes: str, n: int = 40, every: int = 0, gated: bool = False, cpus: int = 0) -> Task:
    """Return a task that is solved by saying what was asked; ``notes`` is a folder of notes.

    On a cluster every so many-th sample kills whoever checks it for the first time, and where it is ``gated`` no answer
    is checked before there is a note ``go``.  With ``cpus`` its verifier says what it needs.
    """

    def samples(split: str) -> list[Sample]:
        return [
            Sample(
                id=f"{split}-{place:03}",
                input=f"word {place}",
                target=Bottom("none") if place % 4 == 3 else Answer(f"word {place}"),
                group=f"{split}/{place // 2}",
            )
            for place in range(SIZES.get(split, n))
        ]

    needs = Needs(cpus=cpus) if cpus else None
    return Task(
        name="witnessed.copy",
        version="1",
        says="Say what was asked.",
        samples=samples,
        verifier=Witness(Path(notes), every, gated, needs),
        metrics=OUTCOME_METRICS,
    )


@dataclass(frozen=True, slots=True)
class Witness:
    """Compares, and notes where."""

    notes: Path
    every: int
    gated: bool
    needs: Needs | None

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterator[Check | Crash]:
        """Check the answers one by one, each with a note before it and its evidence behind."""
        where = there()
        for (sample, reply), found in zip(batch, SameAnswer().check(batch), strict=True):
            said = reply.evidence.get("turn", "")
            if said:
                note(self.notes / "checks", f"{sample.id} {os.getpid()} {where}")
                if where != HERE:
                    self._suffer(sample)
            yield replace(
                found, scores={"long": len(said)}, evidence={"log": f"{sample.id} {said}"}
            )

    def _suffer(self, sample: Sample) -> None:
        while self.gated and not (self.notes / "go").exists():
            _NEVER.wait(0.05)
        mark = self.notes / f"died-{sample.id}"
        if self.every and int(sample.id[-3:]) % self.every == 0 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


HERE = "here 0 0"


def there() -> str:
    """Return the node, the CPUs and the GPUs of the task of a cluster that this is, or ``HERE``."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return HERE
    context = ray.get_runtime_context()
    held: Mapping[str, float] = context.get_assigned_resources()
    return f"{context.get_node_id()} {held.get('CPU', 0):g} {held.get('GPU', 0):g}"


def note(path: Path, line: str) -> None:
    """Append a line, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A recipe for a system that notes what it is asked."""

    notes: str
    gpu: bool = False
    what: Literal["echo", "counts", "dies"] = "echo"
    seeded: bool = False

    @property
    def needs(self) -> Needs:
        """What its options say."""
        return Needs(gpu=self.gpu)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the system."""
        return Built(system=Speaking(Path(self.notes), self.what, stateful=self.what == "counts"))


@dataclass(slots=True)
class Speaking:
    """Says what was asked; its answers bring evidence of their own."""

    notes: Path
    what: str
    stateful: bool
    count: int = 0

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer, and note the question and the GPUs that the process may see."""
        for question in questions:
            seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
            note(self.notes / "asked", f"{question.id} {self.what} {seen or '-'}")
            place = int(question.id[-3:])
            if self.what == "dies" and place % 17 == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            self.count += 1
            said = Answer(question.input, 0.5) if place % 5 else Answer(f"no {place}", 0.25)
            if place % 7 == 6:
                said = Bottom("unsure", Answer("perhaps"))
            if self.stateful:
                said = Answer(f"word {self.count}")
            yield Reply(question.id, said, evidence={"turn": f"said {place} 🦀"})
