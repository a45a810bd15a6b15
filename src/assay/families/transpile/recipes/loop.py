"""Ask, look at the answer with a compiler and the public tests, and ask again while it does not pass.

*Covered*: the loop sees what stands in the question and nothing else; hidden tests stay with the verifier.
*Not covered*: public tests that an answer is written to fit; the verifier's hidden ones tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from assay import Answer, AssayError, Bottom, Crash, Failed, Question, Reply, System, Usage

from ..rust.fences import rust_in
from ..rust.verified import Stand, Verified
from ..rust.verify import Workbench

LONGEST_FEEDBACK = 3000
"""Characters of a log that a system is shown: its beginning."""

ADDED = ("tokens_in", "tokens_cached", "tokens_out", "calls", "billed_usd", "joules", "cut")
"""What the turns cost together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who is asked in one turn."""

    system: System
    shown: bool
    """Whether it sees the earlier turns and what was wrong with them."""


@dataclass(slots=True)
class _Turn:
    reply: Reply
    feedback: str
    """Empty: nothing is wrong with it."""


@dataclass(slots=True)
class _Turns:
    """What was said so far, to one question."""

    done: list[_Turn] = field(default_factory=list)

    @property
    def so_far(self) -> list[dict[str, str]]:
        """The earlier turns as prompted systems read them."""
        return [
            {"answer": str(turn.reply.said.value), "feedback": turn.feedback}
            for turn in self.done
            if isinstance(turn.reply.said, Answer)
        ]

    def reply(self, question: Question, spent: float) -> Reply:
        """Return the last turn as the reply, with the bill and the evidence of all."""
        replies = [turn.reply for turn in self.done]
        bill: dict[str, Any] = {"latency_s": spent}
        for name in ADDED:
            parts = [getattr(reply.usage, name) for reply in replies]
            if None not in parts:
                bill[name] = sum(parts)
        shown = {
            f"turn {n}: {name}": text
            for n, turn in enumerate(self.done, 1)
            for name, text in ({**turn.reply.evidence, "feedback": turn.feedback}).items()
            if text
        }
        return Reply(
            question.id,
            replies[-1].said,
            Usage(**bill),
            question.attempt,
            tuple(reply.said for reply in replies[:-1]),
            shown,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A system that asks others, one per step, until an answer passes or the steps are over."""

    steps: tuple[Step, ...]
    bench: Workbench

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        for question in questions:
            yield self._reply(question)

    def _reply(self, question: Question) -> Reply:
        started = perf_counter()
        asked = question.input
        if not isinstance(asked, Mapping):
            return Reply(question.id, Failed("no_program"), attempt=question.attempt)
        tests = asked.get("public_tests")
        turns = _Turns()
        for n, step in enumerate(self.steps):
            seen = {"so_far": turns.so_far} if step.shown and turns.so_far else {}
            turn = replace(
                question,
                input={**asked, **seen},
                attempt=question.attempt * len(self.steps) + n,  # each turn draws anew
            )
            reply = _only(step.system, turn)
            try:
                feedback = self._look(reply, tests if isinstance(tests, str) else "")
            except AssayError as error:
                crash = Crash("infrastructure", str(error))
                return Reply(question.id, crash, attempt=question.attempt)
            turns.done.append(_Turn(reply, feedback))
            if not feedback or isinstance(reply.said, Crash):
                break
        return turns.reply(question, perf_counter() - started)

    def _look(self, reply: Reply, tests: str) -> str:
        """Return what is wrong with an answer, as far as the question lets anyone know."""
        match reply.said:
            case Answer(value):
                code = rust_in(value) if isinstance(value, str) else ""
                found = self.bench.verify(code, tests) if tests else self.bench.compile(code)
                return feedback_on(found)
            case Bottom(reason):
                return f"declined: {reason}"
            case Failed(why):
                return f"failed: {why}"
            case Crash(error):
                return f"crashed: {error}"


def feedback_on(found: Verified) -> str:
    """Return what a system is told of its answer; nothing where it stands.

    >>> feedback_on(Verified(stand=Stand.NO_CODE))
    'There is no Rust in the answer. Give the whole program in one ```rust block.'
    """
    again = "Give the whole program again in one ```rust block."
    match found.stand:
        case Stand.PASSES | Stand.UNTESTED:
            return ""
        case Stand.NO_CODE:
            return "There is no Rust in the answer. Give the whole program in one ```rust block."
        case Stand.DOES_NOT_COMPILE:
            return f"It does not compile:\n{found.build_log[:LONGEST_FEEDBACK]}\n{again}"
        case Stand.TESTS_FAIL:
            return f"Its tests fail: {found.why}\n{found.test_log[:LONGEST_FEEDBACK]}\n{again}"
        case _:
            return f"{str(found.stand).capitalize()}: {found.why}. {again}"


def _only(system: System, question: Question) -> Reply:
    for reply in system.answer([question]):
        return reply
    return Reply(question.id, Failed("no_reply"))
