"""Tasks and recipes that only the tests of assay want: each is wrong in a way of its own."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from assay import (
    OUTCOME_METRICS,
    Answer,
    Artifact,
    Bottom,
    Built,
    Cell,
    Check,
    Crash,
    Needs,
    PluginError,
    Question,
    Reply,
    SameAnswer,
    Sample,
    Task,
    Usage,
)

SIZES = {"train": 6, "tune": 4, "calibration": 8}


def copy(*, n: int = 20) -> Task:
    """Return a task that is solved by saying what was asked; every fourth sample has no answer."""

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

    return Task(
        name="awkward.copy",
        version="1",
        says="Say what was asked.",
        samples=samples,
        verifier=SameAnswer(),
        metrics=OUTCOME_METRICS,
    )


WAIT_S = 2.5
"""Seconds that a slow verifier takes for its first batch."""

_WAITED, _NEVER = threading.Event(), threading.Event()


@dataclass(frozen=True, slots=True)
class Checking:
    """A verifier with a fault."""

    fault: str

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterator[Any]:
        """Check the batch, wrongly."""
        for place, (sample, reply) in enumerate(batch):
            [check] = SameAnswer().check([(sample, reply)])
            match self.fault:
                case "gold_fails":
                    yield Check(passed=place != 1 and isinstance(check, Check) and check.passed)
                case "mutants_pass":
                    yield Check(passed=True)
                case "too_few_checks" if place == 0:
                    pass
                case "too_many_checks":
                    yield check
                    yield check
                case "nan_score":
                    yield Check(passed=True, scores={"kl": math.nan})
                case "no_check":
                    yield True
                case "slow" if place == 0 and not _WAITED.is_set():
                    _WAITED.set()
                    _NEVER.wait(WAIT_S)
                    yield check
                case "loses_some" if place % 3 == 0:
                    yield Crash("compiler", "not found")
                case "counts":
                    yield Check(passed=True, scores={"tests": 3}, evidence={"log": "3 passed 🦀"})
                case _:
                    yield check


@dataclass(frozen=True, slots=True)
class Moody:
    """A verifier that does what the environment says when it is asked."""

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterator[Check | Crash]:
        """Check the batch in today's mood: strict, lenient, or away."""
        mood = os.environ.get("AWKWARD_MOOD", "strict")
        for found in SameAnswer().check(batch):
            match mood:
                case "lenient":
                    yield Check(passed=True, scores={"lenient": 1.0}, evidence={"log": "fine 🦀"})
                case "away":
                    yield Crash("compiler", "not found")
                case _:
                    yield found


def moody(*, n: int = 20) -> Task:
    """Return the copying task with a verifier whose mood changes."""
    return replace(copy(n=n), name="awkward.moody", verifier=Moody())


BadTask = Literal[
    "leaks",
    "id_twice",
    "id_in_two_splits",
    "empty_id",
    "empty_test",
    "tuple_target",
    "nan_input",
    "number_id",
    "surrogate",
    "changes",
    "no_metrics",
    "metric_twice",
    "gold_fails",
    "mutants_pass",
    "too_few_checks",
    "too_many_checks",
    "nan_score",
    "no_check",
    "loses_some",
    "counts",
    "slow",
]


def bad(*, fault: BadTask) -> Task:
    """Return the copying task with a fault."""
    good = copy(n=8)
    calls: list[str] = []

    def samples(split: str) -> list[Sample]:
        calls.append(split)
        made = list(good.samples(split))
        first, second = made[0], made[1]
        match fault:
            case "leaks" if split in ("train", "test"):
                made[0] = replace(first, group="shared")
            case "id_twice" if split == "test":
                made[1] = replace(second, id=first.id)
            case "id_in_two_splits" if split in ("tune", "test"):
                made[0] = replace(first, id="everywhere")
            case "empty_id" if split == "test":
                made[0] = replace(first, id="")
            case "empty_test" if split == "test":
                made = []
            case "tuple_target" if split == "test":
                made[0] = replace(first, target=Answer(("a", "b")))
            case "nan_input" if split == "calibration":
                made[0] = replace(first, input=math.nan)
            case "number_id" if split == "test":
                made[0] = replace(first, id=7)  # type: ignore[arg-type]  # the fault
            case "surrogate" if split == "train":
                made[0] = replace(first, input="\ud800")
            case "changes":
                made[0] = replace(first, input=f"call {len(calls)}")
        return made

    metrics = {"no_metrics": (), "metric_twice": OUTCOME_METRICS[:1] * 2}
    return replace(
        good,
        samples=samples,
        verifier=Checking(fault),
        metrics=metrics.get(fault, OUTCOME_METRICS),
    )


def nothing() -> None:
    """Return neither a task nor a recipe."""


@dataclass(frozen=True, slots=True)
class Echoing:
    """Says what it is asked."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Say it."""
        for question in questions:
            yield Reply(question.id, Answer(question.input, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """The recipe of a system that solves `awkward.copy`, but for what has no answer."""

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return it."""
        return Built(system=Echoing())


@dataclass(frozen=True, slots=True, kw_only=True)
class Picky:
    """A recipe with an option that must be given."""

    size: int
    path: Path = Path("here")
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return an echo."""
        return Built(system=Echoing())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A recipe that reads what it says from a file, or says a word that needs none."""

    words: Path | str = "plain"
    seeded: bool = False
    needs: Needs = Needs()

    def loads(self) -> tuple[Artifact, ...]:
        """Return the file."""
        if self.words == "plain":
            return ()
        path = Path(self.words)
        if not path.is_file():
            raise PluginError("the words are missing", where=str(path), hint="bring them back")
        data = path.read_bytes()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        return (Artifact(digest=digest, kind="words", size=len(data)),)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Read the file."""
        said = "plain" if self.words == "plain" else Path(self.words).read_text()
        return Built(system=Saying(said), artifacts=self.loads())


@dataclass(frozen=True, slots=True)
class Saying:
    """Says one thing."""

    said: str

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Say it."""
        for question in questions:
            yield Reply(question.id, Answer(self.said))


@dataclass(slots=True)
class Counting:
    """Answers how many questions it has seen: it depends on its past, and may say so."""

    stateful: bool
    seen: int = 0

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Count."""
        for question in questions:
            yield Reply(question.id, Answer(self.seen))
            self.seen += 1


Oddity = Literal[
    "moody",
    "quotes",
    "counts",
    "counts_secretly",
    "seed_matters",
    "seed_matters_together",
    "order_matters",
    "batch_matters",
    "whole_numbers",
    "numpy_confidence",
    "deep",
    "surrogate",
    "surrogate_reason",
    "bad_proposal",
    "reads_stdin",
    "closes_pipes",
    "forges",
    "exits",
    "no_reply",
    "text_for_reply",
    "list_for_question",
    "text_for_usage",
    "late_attempt",
    "bad_digest",
    "nan_note",
    "disk_full_at_build",
    "not_built",
    "sleeps_for_ever",
    "needs_the_machine",
    "has_a_child",
    "builds_for_ever",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A recipe for a system with an oddity."""

    what: Oddity
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return it."""
        match self.what:
            case "counts" | "counts_secretly":
                return Built(system=Counting(self.what == "counts"))
            case "nan_note":
                return Built(system=Echoing(), notes={"loss": math.nan})
            case "disk_full_at_build":
                raise OSError(28, "No space left on device")
            case "not_built":
                return "a system"  # type: ignore[return-value]  # the oddity
            case "bad_digest":
                return Built(system=Echoing(), artifacts=(Artifact(digest="1", kind="x", size=1),))
            case "builds_for_ever":
                threading.Event().wait()
            case "has_a_child":
                endless = "import threading; threading.Event().wait()"
                child = subprocess.Popen([sys.executable, "-c", endless])
                workdir.mkdir(parents=True, exist_ok=True)
                (workdir / "child").write_text(str(child.pid))
            case _:
                pass
        return Built(system=Doing(self.what, seed))

    def build_all(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seeds: Sequence[int],
        workdir: Path,
    ) -> Mapping[int, Built]:
        """Return one system per seed; with one oddity another one than alone."""
        shift = 5 if self.what == "seed_matters_together" else 0
        return {s: self.build(train, tune, seed=s + shift, workdir=workdir) for s in seeds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """A recipe that builds the systems of all seeds in one process, which nothing runs beside."""

    seeded: bool = True
    needs: Needs = Needs(exclusive=True)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the system of one seed."""
        return Built(system=Doing("seed_matters", seed), notes={"process": os.getpid()})

    def build_all(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seeds: Sequence[int],
        workdir: Path,
    ) -> Mapping[int, Built]:
        """Return one system per seed."""
        return {s: self.build(train, tune, seed=s, workdir=workdir) for s in seeds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """A recipe that wants something of the machine."""

    cpus: int = 1
    gpu: bool = False
    seeded: bool = False

    @property
    def needs(self) -> Needs:
        """What its options say."""
        return Needs(cpus=self.cpus, gpu=self.gpu)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return a system that says what was asked."""
        return Built(system=Echoing())


@dataclass(frozen=True, slots=True)
class Doing:
    """Does the odd thing."""

    what: str
    seed: int

    def answer(self, questions: Sequence[Question]) -> Iterator[Any]:
        """Answer, oddly."""
        for place, question in enumerate(questions):
            yield self._one(place, question, questions)

    def _one(  # noqa: C901, PLR0912  (a list of oddities)
        self, place: int, question: Question, questions: Sequence[Question]
    ) -> Any:
        reply = Reply(question.id, Answer(question.input, 0.5))
        match self.what:
            case "moody":
                return Reply(question.id, Answer([os.getpid(), time.monotonic_ns()]))
            case "seed_matters" | "seed_matters_together":
                return Reply(question.id, Answer(self.seed))
            case "quotes":
                raise ValueError(f"who understands {question.input!r}?")
            case "order_matters":
                return Reply(question.id, Answer(place))
            case "batch_matters":
                return Reply(question.id, Answer(len(questions)))
            case "whole_numbers":
                usage = Usage(busy_s=0, latency_s=1, joules=2, tokens_in=3, billed_usd=0)
                return Reply(question.id, Answer(question.input, 1, {"yes": 1, "no": 0}), usage)
            case "numpy_confidence":
                import numpy as np

                return Reply(question.id, Answer(question.input, np.float32(0.25)))
            case "deep":
                value: Any = "bottom"
                for _ in range(3000):
                    value = [value]
                return Reply(question.id, Answer(value))
            case "surrogate":
                return Reply(question.id, Answer("\ud800"))
            case "surrogate_reason":
                return Reply(question.id, Bottom("\ud800"))
            case "bad_proposal":
                return Reply(question.id, Bottom("unsure", Answer("x", 7.0)))
            case "reads_stdin":
                return Reply(question.id, Answer(sys.stdin.readline()))
            case "closes_pipes":
                os.closerange(3, 60)
                threading.Event().wait(20)
            case "forges":
                forged = (
                    b'{"reply": {"question": "x", "attempt": 0, "said": ["bottom"], "usage": {}}}\n'
                )
                for handle in range(3, 60):
                    with suppress(OSError):
                        os.write(handle, forged)
            case "exits":
                sys.exit(0)
            case "no_reply":
                return None
            case "text_for_reply":
                return question.input
            case "list_for_question":
                return Reply([question.id], Answer("x"))  # type: ignore[arg-type]
            case "text_for_usage":
                return Reply(question.id, Answer("x"), Usage(busy_s="fast"))  # type: ignore[arg-type]
            case "late_attempt":
                return replace(reply, attempt=3)
            case "needs_the_machine" if "AWKWARD_DOWN" in os.environ and place % 4 == 1:
                raise OSError(5, "Input/output error")
            case "sleeps_for_ever":
                threading.Event().wait()
        return reply


def rows(path: Path, *, seed: int = 0) -> Iterator[tuple[Cell, Sample, Reply, Check | None]]:
    """Read a log whose lines are ``system question answer right``."""
    for line in path.read_text().splitlines():
        system, question, answer, right = line.split()
        cell = Cell(task="words", system=system, seed=seed, split="test")
        sample = Sample(id=question, input=question, target=Answer(None))
        yield cell, sample, Reply(question, Answer(answer)), Check(passed=right == "yes")


def number(path: Path) -> int:
    """Return what is no log."""
    return 7


@dataclass(frozen=True, slots=True)
class Learning:
    """Adds two numbers in Rust: wrongly, and rightly once it is told so, or at a high temperature."""

    temperature: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer with the program that the turns so far have taught."""
        for question in questions:
            asked = question.input
            taught = len(asked.get("so_far", ())) if isinstance(asked, Mapping) else 0
            lucky = self.temperature > 0 and question.attempt % 3 == 2
            step = 2 if lucky or self.temperature > 0.5 else taught
            body = ("a +", "a - b", "a + b")[min(step, 2)]
            code = f"```rust\npub fn add(a: i64, b: i64) -> i64 {{ {body} }}\n```"
            yield Reply(
                question.id,
                Answer(code),
                Usage(tokens_in=10, tokens_out=5, calls=1),
                question.attempt,
                evidence={"prompt": str(asked), "answer": code},
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """The recipe of a system that mends its answer when it is told what is wrong."""

    temperature: float = 0.0
    needs: Needs = Needs()

    @property
    def seeded(self) -> bool:
        """Whether it draws."""
        return self.temperature > 0

    @property
    def draws(self) -> bool:
        """Whether it draws."""
        return self.temperature > 0

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return it."""
        return Built(system=Learning(self.temperature))
