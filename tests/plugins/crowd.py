"""Systems that work on many questions at a time, and a verifier that never ends: for tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay import Answer, Built, Check, Needs, Question, Reply, SameAnswer, Sample, Task
from assay.testing import hash_of

PATIENCE_S = 60.0


@dataclass(slots=True)
class Crowd:
    """Says what was asked, once ``at_once`` questions are under way together."""

    at_once: int
    fault: str
    in_flight: int
    here: int = 0
    all_here: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(max(self.at_once, 16))

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to the questions, in any order."""
        for done in as_completed([self.pool.submit(self._reply, one) for one in questions]):
            reply = done.result()
            match self.fault:
                case "forgets" if reply.question.endswith("7"):
                    continue
                case "raises" if reply.question.endswith("-300"):
                    raise RuntimeError("no more")
                case "disk" if reply.question.endswith("-300"):
                    raise OSError(28, "No space left on device")
                case _:
                    yield reply

    def _reply(self, question: Question) -> Reply:
        with self.lock:
            self.here += 1
            if self.here >= self.at_once:
                self.all_here.set()
        if not self.all_here.wait(PATIENCE_S):
            os._exit(3)
        return Reply(question.id, Answer(str(question.input)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """The recipe ``crowd.gather``."""

    at_once: int
    fault: str = ""
    in_flight: int = 0
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the system."""
        return Built(system=Crowd(self.at_once, self.fault, self.in_flight or self.at_once))


@dataclass(frozen=True, slots=True, kw_only=True)
class Greedy:
    """The recipe ``crowd.greedy`` and its system: some questions take more memory than there is."""

    every: int
    megabytes: int
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return itself."""
        return Built(system=self)

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to the questions, in order."""
        for question in questions:
            if hash_of(question.id) % self.every == 0:
                # Not zeros: those would not be there before they are read.
                bytearray(b"x") * (self.megabytes << 20)
            yield Reply(question.id, Answer("buy"))


@dataclass(frozen=True, slots=True)
class Endless:
    """Checks, but never ends over some answers."""

    hangs: tuple[str, ...]

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterator[Check]:
        """Check the batch; the file that the environment names says that today nothing hangs."""
        mended = Path(os.environ.get("CROWD_MENDED", "/nowhere")).exists()
        for sample, reply in batch:
            if sample.id in self.hangs and not mended:
                threading.Event().wait()
            [found] = SameAnswer().check([(sample, reply)])
            assert isinstance(found, Check)
            yield found


def checks(*, n: int = 20, hangs: list[str] | None = None) -> Task:
    """Return the copying task; checks of some test samples never end."""
    from awkward import copy  # beside this file, where a test has put it

    return replace(copy(n=n), name="crowd.checks", verifier=Endless(tuple(hangs or ())))
