"""A model that answers two kinds of questions: how likely texts are, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from time import perf_counter
from typing import Literal, Protocol, TypeAlias

from assay import Answer, Crash, Failed, PluginError, Question, Reply, System, Usage

from ..server import TooLong
from .asked import Asked, Likelihoods, NoPairs, Rolling, asked_of
from .scores import Likelihood, Scores, Unscored
from .tokens import Scored, Words, require_one_opening, split

Overlong: TypeAlias = Literal["fail", "cut"]
"""What becomes of a question that does not fit the model: it fails, or its beginning is cut off."""


class Scorer(Protocol):
    """Whatever knows how likely tokens are."""

    def score(self, questions: Sequence[Sequence[Scored]]) -> Iterator[Scores | Unscored]:
        """Yield what each question's continuations come to, in any order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much a model can be given."""

    tokens: int
    """At most, the last token of a continuation not counted: nothing is predicted behind it."""

    overlong: Overlong = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighs:
    """What it takes to say how likely texts are."""

    words: Words
    scorer: Scorer
    room: Room
    framed: Callable[[str], str] | None = None
    """Puts a context into the chat template, as what a user says; None where there is none."""


class Weighing:
    """Answers questions about likelihoods itself, and hands the others on.

    The value of an answer is the place of the likeliest continuation (the first of equals); its scores are
    ``ll:0``, ``ll:1``, ... (natural logarithms), ``greedy:0``, ... (1 where each token was the likeliest) and
    ``tokens:0``, ... (how many there were).  A whole text has ``ll`` and ``tokens``.  ``confidence`` is the
    share of the likeliest among them.
    """

    def __init__(self, weighs: Weighs, *, others: System) -> None:
        self._words, self._scorer, self._room = weighs.words, weighs.scorer, weighs.room
        self._framed, self._others = weighs.framed, others

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions: likelihoods first, longest first within what begins alike."""
        others: list[Question] = []
        weighed: list[tuple[Question, list[Scored], Asked]] = []
        for question in questions:
            try:
                asked = asked_of(question)
                if asked is None:
                    others.append(question)
                    continue
                scored = self._scored(asked)
            except (NoPairs, ValueError) as problem:
                yield instead(question, Failed("no_prompt", str(problem)))
                continue
            except TooLong:
                yield instead(question, Failed("too_long", f"more than {self._room.tokens} tokens"))
                continue
            except PluginError as error:
                if error.code != "A400":  # a tokenizer of another model is so for every question
                    raise
                yield instead(question, Crash("tokenizer", str(error)))
                continue
            if (least := self._least(scored)) is not None:
                why = Failed("too_long", f"{least} tokens, of {self._room.tokens}")
                yield instead(question, why)
                continue
            weighed.append((question, [self._fitted(one) for one in scored], asked))
        yield from self._weigh(weighed)
        if others:
            yield from self._others.answer(others)

    def _weigh(self, weighed: Sequence[tuple[Question, list[Scored], Asked]]) -> Iterator[Reply]:
        started = perf_counter()
        for found in self._scorer.score([scored for _, scored, _ in weighed]):
            question, scored, asked = weighed[found.at]
            if isinstance(found, Unscored):
                yield instead(question, found.instead)
                started = perf_counter()
                continue
            spent = perf_counter() - started
            usage = Usage(
                busy_s=spent,
                # Computed together, the first to be told has waited for all, and the others for nobody.
                latency_s=spent if len(weighed) == 1 else None,
                tokens_in=found.tokens,
                tokens_cached=found.lent,
                tokens_out=0,
                calls=found.calls,
            )
            yield Reply(
                question.id,
                said(asked, found.likelihoods),
                usage,
                question.attempt,
                evidence=_evidence(scored),
            )
            started = perf_counter()

    def _scored(self, asked: Asked) -> list[Scored]:
        if isinstance(asked, Rolling):
            pairs: Iterable[tuple[str, str]] = [("", asked.text)]
        elif self._framed is None:
            pairs = asked.pairs
        else:  # what the assistant says begins without the space that a text would have there
            pairs = [(self._framed(before), behind.lstrip()) for before, behind in asked.pairs]
        scored = [split(self._words, context, continuation) for context, continuation in pairs]
        for one in scored:
            require_one_opening(one.tokens, self._words.bos)
        return scored

    def _least(self, scored: Sequence[Scored]) -> int | None:
        """Return how many tokens do not fit, or None."""
        most = max(len(one.given) for one in scored)
        if most <= self._room.tokens:
            return None
        cut = self._room.overlong == "cut"
        fits = all(len(one.tokens) - one.context <= self._room.tokens for one in scored)
        return None if cut and fits else most

    def _fitted(self, one: Scored) -> Scored:
        over = len(one.given) - self._room.tokens
        return Scored(one.tokens[over:], one.context - over) if over > 0 else one


def said(asked: Asked, found: Sequence[Likelihood]) -> Answer | Failed:
    """Return the reply that likelihoods come to."""
    totals = [one.total for one in found]
    if not all(map(isfinite, totals)):
        return Failed("non_finite", "a likelihood is no finite number")
    match asked:
        case Rolling():
            (only,) = found
            return Answer(None, scores={"ll": only.total, "tokens": float(only.tokens)})
        case Likelihoods():
            best = max(range(len(totals)), key=totals.__getitem__)
            share = 1 / sum(exp(min(total - totals[best], 0.0)) for total in totals)
            scores = {f"ll:{k}": total for k, total in enumerate(totals)}
            greedy = {f"greedy:{k}": float(one.greedy) for k, one in enumerate(found)}
            sizes = {f"tokens:{k}": float(one.tokens) for k, one in enumerate(found)}
            return Answer(best, share, scores | greedy | sizes)


def _evidence(scored: Sequence[Scored]) -> dict[str, str]:
    """Return the very tokens that the model was given, the context once where all share it."""
    contexts = {one.tokens[: one.context] for one in scored}
    kept = {"continuations": [one.tokens[one.context :] for one in scored]}
    if len(contexts) == 1:
        return {"tokens": json.dumps({"context": contexts.pop()} | kept)}
    return {
        "tokens": json.dumps({"contexts": [one.tokens[: one.context] for one in scored]} | kept)
    }


def instead(question: Question, what: Failed | Crash) -> Reply:
    """Return the reply to a question about which nothing was found out."""
    return Reply(question.id, what, attempt=question.attempt)
