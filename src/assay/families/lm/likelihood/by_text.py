"""A model that says how likely texts are, and keeps its tokenizer to itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from assay import Bottom, Crash, Failed, Question, Reply, System, Usage

from ..crashes import Crashes
from .asked import Asked, NoPairs, Pair, Rolling, asked_of
from .scores import Likelihood
from .system import instead, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What was found out about pairs of texts, and what that took.  None: not known."""

    likelihoods: tuple[Likelihood, ...]
    tokens: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """For each pair, the tokens of its context and of its continuation, as the model spells them."""

    usage: Usage
    shown: Mapping[str, str] = field(default_factory=dict)
    """More for the evidence pack, by name."""


class TextScorer(Protocol):
    """Whatever knows how likely texts are."""

    def weigh(self, pairs: Sequence[Pair]) -> Weighed | Bottom | Failed | Crash:
        """Return how likely each text is after what stands before it; from any thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighsTexts:
    """What it takes to say how likely texts are, without tokens."""

    scorer: TextScorer
    parallel: int
    """Questions in flight."""


class WeighingTexts:
    """Answers questions about likelihoods itself, as ``Weighing`` does, and hands the others on."""

    def __init__(self, weighs: WeighsTexts, *, others: System) -> None:
        self._scorer, self._parallel, self._others = weighs.scorer, weighs.parallel, others
        self._crashes = Crashes(in_flight=weighs.parallel)
        self._pool = ThreadPoolExecutor(weighs.parallel)

    @property
    def in_flight(self) -> int:
        """How many questions it works on at a time, from however many calls of ``answer``."""
        return self._parallel

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions, as the replies come."""
        others: list[Question] = []
        weighed: list[tuple[Question, Asked]] = []
        for question in questions:
            try:
                asked = asked_of(question)
            except NoPairs as problem:
                yield instead(question, Failed("no_prompt", str(problem)))
                continue
            if asked is None:
                others.append(question)
            else:
                weighed.append((question, asked))
        yield from self._together(weighed)
        if others:
            yield from self._others.answer(others)

    def _together(self, weighed: Sequence[tuple[Question, Asked]]) -> Iterator[Reply]:
        futures = [self._pool.submit(self._reply, *one) for one in weighed]
        try:
            for done in as_completed(futures):
                yield done.result()
        finally:
            for left in futures:
                left.cancel()

    def _reply(self, question: Question, asked: Asked) -> Reply:
        pairs = (("", asked.text),) if isinstance(asked, Rolling) else asked.pairs
        started = perf_counter()
        found = self._scorer.weigh(pairs)
        self._crashes.count(found)
        if not isinstance(found, Weighed):
            usage = Usage(latency_s=perf_counter() - started)
            return Reply(question.id, found, usage, question.attempt)
        kept = [{"context": before, "continuation": behind} for before, behind in found.tokens]
        return Reply(
            question.id,
            said(asked, found.likelihoods),
            found.usage,
            question.attempt,
            evidence={"tokens": json.dumps(kept), **found.shown},
        )
