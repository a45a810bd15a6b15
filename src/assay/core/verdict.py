"""Whether what a system said was right.  ``judge`` is the only place where that is decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, assert_never

from .reply import Answer, Bottom, Crash, Failed, Reply, Said
from .sample import Sample, Target


class Outcome(StrEnum):
    """What a reply came to.  The order is the order in every table and column."""

    CORRECT = "correct"
    """Answered, rightly."""
    WRONG = "wrong"
    """Answered, wrongly."""
    WITHHELD = "withheld"
    """Declined, though there was an answer."""
    DECLINED = "declined"
    """Declined, rightly."""
    INVENTED = "invented"
    """Answered, though there was no answer."""
    SCORED = "scored"
    """Answered a task that has scores but no right or wrong."""
    FAILED = "failed"
    """The system's fault.  Never right, never a decline, in every denominator."""
    CRASHED = "crashed"
    """Not observed.  Says nothing about the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a verifier found out about one answer."""

    passed: bool | None
    """None where there is no right or wrong, only scores."""

    scores: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    """Text for the evidence pack: build logs, diffs, traces."""


class Verifier(Protocol):
    """Checks answers against ground truth, in batches, so that compilers and processes are shared.

    It is asked about every reply that is an ``Answer`` to a sample whose target is not ``Bottom``,
    and yields one ``Check`` (or ``Crash``, when it could not find out) for each, in order.  One that
    asks something of the machine has ``needs``, as a recipe does: a cluster then runs it in tasks of its
    own, apart from the systems.
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Check each answer of the batch."""
        ...


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """The verifier of closed sets: right when the answer's value is the target's.

    Compared as JSON: ``true`` is no number, ``1`` and ``1.0`` are the same one, keys have no order.

    >>> batch = [(Sample(id="s", input="", target=Answer(1)), Reply("s", Answer(True)))]
    >>> [check.passed for check in SameAnswer().check(batch)]
    [False]
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each answer with its target."""
        for sample, reply in batch:
            wanted, said = sample.target, reply.said
            if isinstance(wanted, Answer) and isinstance(said, Answer):
                yield Check(passed=same_json(wanted.value, said.value))
            else:
                yield Crash("no_target", f"sample {sample.id!r} has no answer to compare with")


def same_json(one: object, other: object) -> bool:
    """Whether two JSON values are the same: Python alone would say that ``True`` equals ``1``.

    >>> same_json([1, {"a": True}], [1.0, {"a": True}]), same_json([1], [True])
    (True, False)
    """
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case list(), list():
            return len(one) == len(other) and all(map(same_json, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(
                same_json(v, other[k]) for k, v in one.items()
            )
        case _:
            return one == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decided outcome with its scores and evidence."""

    outcome: Outcome
    scores: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)


def judge(target: Target, said: Said, check: Check | Crash | None = None) -> Verdict:
    """Decide the outcome of one reply.

    ``check`` is the verifier's finding; it is needed only where the system answered a sample whose
    target is no ``Bottom``.  Where there is no target, whether it passed does not count.

    >>> judge(Bottom("out_of_scope"), Answer("swap")).outcome
    <Outcome.INVENTED: 'invented'>
    >>> judge(Answer("swap"), Bottom("below_threshold")).outcome
    <Outcome.WITHHELD: 'withheld'>
    >>> judge(Answer("swap"), Answer("swap"), Check(passed=True)).outcome
    <Outcome.CORRECT: 'correct'>
    """
    match said:
        case Crash():
            return Verdict(outcome=Outcome.CRASHED, evidence={"error": said.error})
        case Failed():
            return Verdict(outcome=Outcome.FAILED)
        case Bottom():
            declined = isinstance(target, Bottom)
            return Verdict(outcome=Outcome.DECLINED if declined else Outcome.WITHHELD)
        case Answer():
            if isinstance(target, Bottom):
                return Verdict(outcome=Outcome.INVENTED)
            return _judge_answer(target, check)
        case _:
            assert_never(said)


def needs_check(target: Target, said: Said) -> bool:
    """Whether ``judge`` needs the verifier to decide this reply."""
    return isinstance(said, Answer) and not isinstance(target, Bottom)


def _judge_answer(target: Target, check: Check | Crash | None) -> Verdict:
    match check:
        case None:
            return Verdict(outcome=Outcome.CRASHED, evidence={"error": "the verifier said nothing"})
        case Crash():
            return Verdict(outcome=Outcome.CRASHED, evidence={"error": check.error})
        case Check(passed=passed) if passed is None or target is None:
            outcome = Outcome.SCORED  # without a target there is no right or wrong
        case Check(passed=passed):
            # By truth, not by identity: numpy's True is not Python's.
            outcome = Outcome.CORRECT if passed else Outcome.WRONG
        case _:
            assert_never(check)
    return Verdict(outcome=outcome, scores=check.scores, evidence=check.evidence)
