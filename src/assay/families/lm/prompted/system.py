"""Anything that speaks, as a system under test: a question in, the words out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from hashlib import blake2b
from time import perf_counter
from typing import TypeAlias

from assay import Answer, Bottom, Crash, Failed, Question, Reply, Usage

from ..crashes import Crashes
from .script import NoPrompt, Prompt
from .speaker import Draw, Message, SaysAtOnce, SaysTogether, Speaker, Spoken, as_turns
from .stated import stated

SayAll: TypeAlias = Callable[
    [Sequence[tuple[Sequence[Message], Draw]]], Iterator[tuple[int, Spoken]]
]


class Prompted:
    """Puts each question to a speaker.  The reply depends on the question alone.

    ``parallel`` questions are in flight; replies come as they are there.  The raw text is the
    answer; no text at all is ``Failed("no_text")``.
    """

    def __init__(self, prompt: Prompt, speaker: Speaker, draw: Draw, *, parallel: int = 1) -> None:
        self._prompt, self._speaker, self._draw, self._parallel = prompt, speaker, draw, parallel
        self._crashes = Crashes(in_flight=parallel)
        self._pool = ThreadPoolExecutor(parallel) if parallel > 1 else None

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions."""
        if len(questions) == 1:
            return map(self._reply, questions)
        match self._speaker:
            case SaysTogether() as speaker:
                return self._all(speaker.say_all, questions)
            case SaysAtOnce() as speaker if self._parallel > 1:
                return self._all(speaker.say_each, questions)
            case _ if self._pool is not None:
                return self._together(self._pool, questions)
            case _:
                return map(self._reply, questions)

    @property
    def in_flight(self) -> int:
        """How many questions it works on at a time, from however many calls of ``answer``."""
        return self._parallel

    def _all(self, say: SayAll, questions: Sequence[Question]) -> Iterator[Reply]:
        asked: list[tuple[Question, tuple[Message, ...], Draw]] = []
        for question in questions:
            try:
                messages = self._prompt.messages(question.input)
            except NoPrompt as problem:
                yield _unasked(question, problem)
                continue
            asked.append((question, messages, drawn(question, self._draw)))
        for at, spoken in say([(messages, draw) for _, messages, draw in asked]):
            question, messages, draw = asked[at]
            self._crashes.count(spoken.instead)
            usage = usage_of(spoken, 0.0, alone=False, stop=draw.stop)
            yield _replied(question, messages, spoken, usage, draw.stop)

    def _together(self, pool: ThreadPoolExecutor, questions: Sequence[Question]) -> Iterator[Reply]:
        futures = [pool.submit(self._reply, one) for one in questions]
        try:
            for done in as_completed(futures):
                yield done.result()
        finally:
            for left in futures:
                left.cancel()

    def _reply(self, question: Question) -> Reply:
        started = perf_counter()
        try:
            messages = self._prompt.messages(question.input)
        except NoPrompt as problem:
            return _unasked(question, problem)
        draw = drawn(question, self._draw)
        spoken = self._speaker.say(messages, draw)
        self._crashes.count(spoken.instead)
        spent, alone = perf_counter() - started, self._parallel == 1
        usage = usage_of(spoken, spent, alone=alone, stop=draw.stop)
        return _replied(question, messages, spoken, usage, draw.stop)


def drawn(question: Question, draw: Draw) -> Draw:
    """Return how the answer of one question is drawn.

    A question may name texts before which its answer ends (``until``) and how many tokens it may have
    (``max_tokens``), as tasks of lm-evaluation-harness do: such a prompt is continued, not answered.

    >>> asked = Question(id="q", input={"prompt": "2 + 2 =", "until": ["."], "max_tokens": 5})
    >>> found = drawn(asked, Draw(temperature=0, max_tokens=100, timeout_s=1, seed=0))
    >>> found.stop, found.max_tokens
    (('.',), 5)
    """
    found = replace(draw, seed=seed_of(question))
    match question.input:
        case {"until": list(until), "max_tokens": int(most)}:
            named = tuple(text for text in until if isinstance(text, str) and text)
            return replace(found, stop=draw.stop + named, max_tokens=min(most, draw.max_tokens))
        case _:
            return found


def _continues(question: Question) -> bool:
    return isinstance(question.input, Mapping) and "until" in question.input


def _unasked(question: Question, problem: NoPrompt) -> Reply:
    return Reply(question.id, Failed("no_prompt", str(problem)), attempt=question.attempt)


def _replied(
    question: Question,
    messages: Sequence[Message],
    spoken: Spoken,
    usage: Usage,
    stop: Sequence[str],
) -> Reply:
    # What continues a prompt keeps its spaces: in a program they mean something.
    said = _said(spoken, stop, stripped=not _continues(question))
    return Reply(
        question.id,
        stated(question.input, said) if isinstance(said, Answer) else said,
        usage,
        question.attempt,
        evidence=_evidence(spoken, messages),
    )


def seed_of(question: Question) -> int:
    """Return the seed of a draw, in [0, 2**31): of the question's seed, id and attempt.

    >>> asked = Question(id="q", input="?")
    >>> seed_of(asked) == seed_of(asked) != seed_of(Question(id="q", input="?", attempt=1))
    True
    """
    named = f"{question.seed}\n{question.attempt}\n{question.id}"
    digest = blake2b(named.encode("utf-8", "backslashreplace"), digest_size=8).digest()
    return int.from_bytes(digest) >> 33


def _said(
    spoken: Spoken, stop: Sequence[str], *, stripped: bool
) -> Answer | Bottom | Failed | Crash:
    if spoken.instead is not None:
        return spoken.instead
    text = spoken.text
    for mark in stop:
        text = text.partition(mark)[0]
    text = text.strip() if stripped else text
    return Answer(text) if text.strip() else Failed("no_text", f"it ended at once: {spoken.finish}")


def usage_of(spoken: Spoken, spent: float, *, alone: bool, stop: Sequence[str] = ()) -> Usage:
    """Return what an answer took; ``spent`` seconds where the speaker does not say.

    An answer that said one of ``stop`` was over there, whatever came behind it.
    """
    latency = spent if spoken.latency_s is None else spoken.latency_s
    return Usage(
        # With others in flight, the engine divides the time between the replies.
        busy_s=latency if alone else None,
        latency_s=latency,
        first_token_s=spoken.first_token_s,
        tokens_in=spoken.tokens_in,
        tokens_cached=spoken.tokens_cached,
        tokens_out=spoken.tokens_out,
        calls=spoken.calls,
        billed_usd=spoken.billed_usd,
        cut=0 if spoken.cut and any(mark in spoken.text for mark in stop) else spoken.cut,
    )


def _evidence(spoken: Spoken, messages: Sequence[Message]) -> dict[str, str]:
    kept = {
        "prompt": spoken.prompt or as_turns(messages),
        "answer": spoken.text,
        "finish": spoken.finish,
    }
    if spoken.tokens:
        kept["tokens"] = json.dumps({"prompt": spoken.tokens})
    return kept | dict(spoken.shown)
