"""For plugin authors: a system with a chosen fault, and the contract that recipes and tasks keep.

Covered: everything the engine relies on.  Not covered: whether a system is any good.
"""

from __future__ import annotations

import os
import signal
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from .analysis.metrics import TAG
from .core.artifact import Artifact
from .core.errors import DataError, PluginError
from .core.reply import Answer, Bottom, Crash, Failed, Reply
from .core.sample import SPLITS, Question, Sample
from .core.system import BuildsTogether, Built, Loads, Needs, Recipe
from .core.task import Task
from .core.verdict import Check
from .engine.sound import sound
from .engine.splits import check_splits
from .store.canon import canonical
from .store.samples import fingerprint

Fault: TypeAlias = Literal[
    "none",
    "silent",
    "empty",
    "raises",
    "dies",
    "hangs",
    "too_few",
    "doubled",
    "unknown",
    "shifted",
    "reversed",
    "peeking",
    "hostile",
    "huge",
    "non_finite",
    "bad_confidence",
    "not_json",
    "prints",
    "disk",
    "build_raises",
    "stateful",
]
FAULTS: tuple[str, ...] = get_args(Fault)

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "| a | b |\n|---|---|\n[click](javascript:alert(1)) `code` @everyone",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x00\r\n",
    "\u202eright to left\u202c \u2028 \ufeff \u200b",
    "=HYPERLINK(1)",
    "{{ 7 * 7 }} {% for %} ${7*7}",
    "日本語 🦀 \u0301",
)
"""Texts that a system may say, and that a report must survive."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A system that answers every question with ``value``, and has one fault."""

    fault: Fault
    value: str
    every: int
    stateful: bool = False

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer; every so many questions the fault shows."""
        match self.fault:
            case "empty":
                return
            case "reversed":
                questions = list(reversed(questions))
            case _:
                pass
        for place, question in enumerate(questions):
            reply = Reply(question.id, Answer(self.value, 0.5), attempt=question.attempt)
            if self.fault == "shifted":
                # Each answer is given to the question behind its own.
                shown = questions[(place + 1) % len(questions)]
                yield Reply(shown.id, Answer(self._own(question), 0.5))
            elif hash_of(question.id) % self.every == 0:
                yield from self._fault(reply, question)
            else:
                yield reply

    def _own(self, question: Question) -> str:
        # Depends on the question: else nobody could tell whose answer it is.
        return self.value if hash_of(question.id) % 2 else f"not {self.value}"

    def _fault(self, reply: Reply, question: Question) -> Iterator[Reply]:
        if self.fault in _SAYS:
            yield replace(reply, said=_SAYS[self.fault](question))
            return
        match self.fault:
            case "raises":
                raise RuntimeError(f"cannot answer {question.id}")
            case "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs":
                while True:
                    time.sleep(3600)
            case "disk":
                raise OSError(28, "No space left on device")
            case "too_few":
                return
            case "doubled":
                yield from (reply, reply)
            case "unknown":
                yield replace(reply, question="no-such-question")
            case "prints":
                os.write(1, b'{"reply": "forged"}\n')
                yield reply
            case _:
                yield reply


def hash_of(text: str) -> int:
    """Return a number that depends on the text only, in every process."""
    return zlib.crc32(text.encode())


def _peek(question: Question) -> Answer | Bottom:
    """Look for the target wherever a Python program can look without opening a file."""
    import gc

    for name in ("target", "group", "tags"):
        if hasattr(question, name):
            return Answer("peeked")
    for thing in gc.get_objects():
        if isinstance(thing, Sample) and thing.id == question.id:
            return Answer("peeked")
    return Bottom("nothing_to_see")


_SAYS: dict[str, Callable[[Question], Answer | Bottom]] = {
    "silent": lambda _: Bottom("silent"),
    "peeking": _peek,
    "hostile": lambda question: Answer(HOSTILE[hash_of(question.id) % len(HOSTILE)], 0.5),
    "huge": lambda _: Answer("x" * 5_000_000, 0.5),
    "non_finite": lambda _: Answer(float("nan"), 0.5),
    "bad_confidence": lambda _: Answer("sure", 1.5),
    "not_json": lambda _: Answer({1, 2}, 0.5),  # type: ignore[arg-type]  # the fault
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """The recipe ``testing.faulty``: a system that is broken in a way of your choice.

    >>> Faulty(fault="silent").fault
    'silent'
    """

    fault: Fault = "none"
    every: int = 1
    """The fault shows on about one question in so many."""

    value: str = "buy"
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the broken system."""
        if self.fault == "build_raises":
            raise RuntimeError("cannot be built")
        return Built(system=Broken(self.fault, self.value, self.every, self.fault == "stateful"))


def check_task(task: Task) -> None:
    """Hold a task to its contract; raise ``DataError`` or ``PluginError`` naming the first breach.

    Samples are the same when asked for twice; ids are unique; groups stand in one split only; the
    verifier passes every gold answer and fails an answer that nobody gave; metrics have names of
    their own, and one that reads tags finds some of them.
    """
    splits = {split: list(task.samples(split)) for split in SPLITS}
    check_splits(task.name, splits)
    for split, samples in splits.items():
        if fingerprint(samples) != fingerprint(list(task.samples(split))):
            raise DataError("samples() gave other samples the second time", where=split)
    if len({m.name for m in task.metrics}) != len(task.metrics) or not task.metrics:
        raise PluginError("metrics need names of their own, and there must be one", where=task.name)
    tags = {f"{TAG}{tag}" for sample in splits["test"] for tag in sample.tags}
    for metric in task.metrics:
        read = {column for column in metric.columns if column.startswith(TAG)}
        if read and not read & tags:
            raise PluginError(f"no sample has a tag that {metric.name!r} reads", where=task.name)
    _check_verifier(task)


def _check_verifier(task: Task) -> None:
    gold = [
        (s, Reply(s.id, s.target)) for s in task.samples("test") if isinstance(s.target, Answer)
    ]
    checks = list(task.verifier.check(gold))
    if len(checks) != len(gold):
        raise PluginError("the verifier must yield one check per answer", where=task.name)
    for (sample, _), check in zip(gold, checks, strict=True):
        if not isinstance(check, Check) or check.passed is False:
            raise PluginError(f"the gold answer of {sample.id!r} does not pass", where=task.name)
    mutants = [(s, Reply(s.id, Answer({"nobody": "said this"}))) for s, _ in gold]
    for (sample, _), check in zip(mutants, task.verifier.check(mutants), strict=True):
        if isinstance(check, Check) and check.passed:
            raise PluginError(f"a wrong answer to {sample.id!r} passes", where=task.name)


def check_recipe(recipe: Recipe, task: Task, *, workdir: Path) -> None:
    """Hold a recipe to its contract on a task; raise ``PluginError`` naming the first breach.

    One sound reply per question, in any order; the same decisions when built again, when asked in
    another order, one at a time, and (for recipes that build seeds together) either way; a recipe
    that says it is not seeded gives the same under another seed; files it names have digests.
    """
    train, tune = task.samples("train"), task.samples("tune")
    questions = [s.question(seed=0) for s in list(task.samples("test"))[:60]]

    def decide(built: Built, asked: Sequence[Question]) -> dict[str, bytes]:
        replies = [_sound(reply) for reply in built.system.answer(asked)]
        if sorted(r.question for r in replies) != sorted(q.id for q in asked):
            raise PluginError("one reply per question, each naming its question", code="A402")
        return {r.question: _decision(r) for r in replies}

    def same(left: dict[str, bytes], right: dict[str, bytes], when: str) -> None:
        for name, value in left.items():
            if right[name] != value:
                raise PluginError(f"decided {name!r} otherwise {when}", code="A402")

    built = recipe.build(train, tune, seed=0, workdir=_folder(workdir, "a"))
    first = decide(built, questions)
    if not getattr(built.system, "stateful", False):
        same(first, decide(built, questions[::-1]), "in another order")
        single: dict[str, bytes] = {}
        for question in questions[:15]:
            single.update(decide(built, [question]))
        same(single, first, "when asked one at a time")
        again = recipe.build(train, tune, seed=0, workdir=_folder(workdir, "b"))
        same(first, decide(again, questions), "when built again")
    if not recipe.seeded:
        other = recipe.build(train, tune, seed=1, workdir=_folder(workdir, "c"))
        same(first, decide(other, questions), "under another seed, though seeded is False")
    if isinstance(recipe, BuildsTogether):
        made = recipe.build_all(train, tune, seeds=(0, 1), workdir=_folder(workdir, "d"))
        same(first, decide(made[0], questions), "when built together with another seed")
    if isinstance(recipe, Loads):
        _check_artifacts(recipe.loads())
    _check_artifacts(built.artifacts)


def _sound(reply: object) -> Reply:
    found = sound(reply)
    if isinstance(found.said, Failed) and isinstance(reply, Reply) and found.said != reply.said:
        raise PluginError(
            f"{found.said.why}: {found.said.detail}", where=found.question, code="A402"
        )
    return found


def _decision(reply: Reply) -> bytes:
    match reply.said:
        case Answer(value, confidence):
            sure = None if confidence is None else round(confidence, 4)
            return canonical(["answer", value, sure])
        case Bottom(reason):
            return canonical(["bottom", reason])
        case Failed(why):
            return canonical(["failed", why])
        case Crash(error):
            raise PluginError(f"crashed: {error}", where=reply.question)


def _check_artifacts(artifacts: Sequence[Artifact]) -> None:
    for artifact in artifacts:
        if not artifact.digest.startswith("sha256:") or len(artifact.digest) != 71:
            raise PluginError(f"{artifact.kind} has no sha256 digest: {artifact.digest!r}")


def _folder(workdir: Path, name: str) -> Path:
    made = workdir / name
    made.mkdir(parents=True, exist_ok=True)
    return made
