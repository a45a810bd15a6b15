"""A language model that answers from a menu: the system that ``lm.choose`` builds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import exp, inf, isfinite
from time import perf_counter
from typing import Protocol

from assay import Answer, Bottom, Crash, Failed, PluginError, Question, Reply, Sample, Usage

from .likelihood.writing import NON_FINITE
from .listing import Listing
from .llama import NextToken, Written
from .prompt import NONE, Option, Piece, Script, Text
from .server import TooLong


class Decoder(Protocol):
    """A model with the beginning of all prompts in memory, whatever runs it."""

    context: int

    @property
    def held(self) -> list[int]:
        """The tokens that every prompt begins with."""
        ...

    def text(self, text: str, /) -> list[int]:
        """Return the tokens of a text; the spelling of a special token is ordinary text."""
        ...

    def markup(self, text: str, /) -> list[int]:
        """Return the tokens of text, special tokens parsed."""
        ...

    def opening(self) -> list[int]:
        """Return the tokens that the model wants before any prompt."""
        ...

    def hold(self, shared: Sequence[int], /) -> None:
        """Compute what every prompt begins with.  Raises ``TooLong``."""
        ...

    def next_token(self, rest: Sequence[int], /) -> NextToken:
        """Return what follows the held tokens and these.  Raises ``TooLong``."""
        ...

    def write(self, rest: Sequence[int], listing: Listing, /) -> Written:
        """Return which text of a list follows the held tokens and these.  Raises ``TooLong``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chooser:
    """A model with its menu held in memory.  Its reply depends on the question alone."""

    llama: Decoder
    script: Script
    labels: tuple[int, ...] = ()
    """The label token of each option of the menu."""

    listing: Listing | None = None
    """The names of the menu as tokens, where one of them is to be written."""

    prior: tuple[float, ...] = ()
    """Log-probability to take from each label; empty to take nothing."""

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions, one after the other."""
        for question in questions:
            yield self._reply(question)

    def expect(self, asked: object) -> NextToken:
        """Return what the model expects after a question.  Raises ``TooLong``."""
        return self.llama.next_token(tokens_of(self.llama, self.script.asked(asked)))

    def expect_each(self, samples: Iterable[Sample]) -> Iterator[NextToken]:
        """Yield what the model expects after each sample that fits, where it expects anything."""
        for sample in samples:
            with suppress(TooLong):
                found = self.expect(sample.input)
                if found.logprobs:
                    yield found

    def average(self, seen: Sequence[NextToken]) -> tuple[float, ...]:
        """Return each label's mean log-probability, the least of the 200 where it is missing."""
        floors = [min(token.logprobs.values()) for token in seen]
        return tuple(
            sum(t.logprobs.get(label, least) for t, least in zip(seen, floors, strict=True))
            / len(seen)
            for label in self.labels
        )

    def _reply(self, question: Question) -> Reply:
        started = perf_counter()
        try:
            rest = tokens_of(self.llama, self.script.asked(question.input))
            found: NextToken | Written
            if self.listing is None:
                found = self.llama.next_token(rest)
            else:
                found = self.llama.write(rest, self.listing)
        except TooLong:
            said = Failed("too_long", f"more than {self.llama.context} tokens with the menu")
            spent = perf_counter() - started
            return Reply(question.id, said, Usage(busy_s=spent, latency_s=spent), question.attempt)
        except PluginError as error:
            if error.code == "A403":  # the tokenizer is another model's, whatever is asked
                raise
            return Reply(question.id, Crash("llama_cpp", str(error)), attempt=question.attempt)
        spent = perf_counter() - started
        usage = Usage(
            busy_s=spent,
            latency_s=spent,
            # Of what is written, nobody sees a first token before the rest.
            first_token_s=spent if self.listing is None else None,
            tokens_in=found.tokens_in,
            tokens_cached=found.tokens_cached,
            tokens_out=found.tokens_out,
            calls=1,
        )
        return Reply(
            question.id,
            self.choose(found) if isinstance(found, NextToken) else self.wrote(found),
            usage,
            question.attempt,
            evidence={"tokens": json.dumps({"prompt": [*self.llama.held, *rest]})},
        )

    def wrote(self, found: Written) -> Answer | Bottom | Failed:
        """Return the option that was written; its confidence is its share of what the list allowed."""
        return written(self.script.menu[found.at], exp(min(found.log_share, 0.0)))

    def choose(self, found: NextToken) -> Answer | Bottom | Failed:
        """Return the option whose label gains most on its prior."""
        if not found.logprobs:
            return non_finite()
        priors = self.prior or (0.0,) * len(self.labels)
        held = {
            option.name: found.logprobs[label] - prior
            for option, label, prior in zip(self.script.menu, self.labels, priors, strict=True)
            if label in found.logprobs
        }
        if not held:
            return Failed("no_label_in_top_200")
        scores = _softmax(held)
        ranked = [
            Answer(option.answer.value, scores[option.name], scores)
            for option in sorted(self.script.menu, key=lambda one: -held.get(one.name, -inf))
            if option.answer is not None and option.name in held
        ]
        if max(held, key=held.__getitem__) == NONE:
            return Bottom("none_of_these", ranked[0] if ranked else None)
        return ranked[0]


def _softmax(logs: Mapping[str, float]) -> dict[str, float]:
    top = max(logs.values())
    shares = {name: exp(value - top) for name, value in logs.items()}
    whole = sum(shares.values())
    return {name: share / whole for name, share in shares.items()}


def written(option: Option, confidence: float | None) -> Answer | Bottom | Failed:
    """Return the reply that an option comes to which was written."""
    if confidence is not None and not isfinite(confidence):
        return non_finite()
    if option.answer is None:
        return Bottom("none_of_these")
    return Answer(option.answer.value, confidence)


def non_finite() -> Failed:
    """Return the reply of a model whose predictions are no numbers."""
    return Failed(NON_FINITE, "a prediction of the model is not a number")


def tokens_of(llama: Decoder, pieces: Iterable[Piece]) -> list[int]:
    """Return the tokens of a prompt in pieces."""
    return list(_each_token(llama, pieces))


def _each_token(llama: Decoder, pieces: Iterable[Piece]) -> Iterator[int]:
    for piece in pieces:
        yield from (llama.text(piece.text) if isinstance(piece, Text) else llama.markup(piece.text))
