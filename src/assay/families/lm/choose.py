"""Pick from a menu by asking a language model for one token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from math import exp, inf
from pathlib import Path
from time import perf_counter
from typing import Literal

from assay import (
    Answer,
    Artifact,
    Bottom,
    Built,
    Crash,
    Failed,
    Needs,
    PlanError,
    PluginError,
    Question,
    Reply,
    Sample,
    Usage,
)

from .llama import Llama, NextToken, TooLong, require_llama
from .models import check_name, locate, size_of
from .prior import PriorFile
from .prompt import NONE, Labels, Piece, Script, Style, Text, menu_of, spread

_PRIOR_PER_OPTION = 4
_KV_BYTES = 24 * 1024
"""Keys and values of one token: 30 layers x 2 x 192 numbers of 2 bytes, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """Ask a GGUF model which option of a menu fits, and read the answer from one next token.

    The menu is every answer in the train split, sorted, and last "none of these", which is
    ``Bottom("none_of_these")`` with the best real option as proposal.  The confidence is the
    softmax of the labels' log-probabilities.  A label that is not among the 200 most probable
    tokens has no score; with none of them the reply is ``Failed("no_label_in_top_200")``.  A
    question that does not fit the context is ``Failed("too_long")``.  ``tokens_in`` counts the
    whole prompt, ``tokens_cached`` the shared part of it that was not computed again.

    Method: in-context classification; ``prior: divided`` is batch calibration (Zhou et al., 2024,
    arXiv:2309.17249) with log-probabilities averaged over train inputs.

    >>> Choose(model="smollm2-135m-instruct", shots=9).needs.cpus
    1

    Raises ``PlanError`` A102, A103, A104 for options that are wrong or do not fit the task.
    *Not to be trusted when* the options' first tokens say little about them, or as what language
    models can do: SmolLM2's 135 million parameters pick the right one of eight actions about
    every fourth time without examples, every third time with 18.
    """

    model: Path | str = "smollm2-135m-instruct"
    """A name in ``models.MODELS``, or a path to a GGUF file."""

    shots: int = 0
    """Answered train samples in the prompt: round-robin over the options, one per group."""

    prompt: Style = "plain"
    """``chat`` is ChatML, for models trained on it."""

    labels: Labels = "words"
    """What names an option: the first token of its own name, or a letter."""

    prior: Literal["divided", "kept"] = "divided"
    """``divided`` takes from each label what the model gives it whatever the question, measured on
    up to four more train samples per option; ``kept`` takes the log-probabilities as they are."""

    threads: int = 1
    context: int = 2048
    """Tokens that fit, the menu and the examples included."""

    def __post_init__(self) -> None:
        check_name(self.model)
        for name, value, least in (
            ("shots", self.shots, 0),
            ("threads", self.threads, 1),
            ("context", self.context, 64),
        ):
            if value < least:
                raise PlanError(
                    f"{name} is {value}, less than {least}",
                    where=f"options.{name}",
                    hint=f"give at least {least}",
                    code="A102",
                )

    @property
    def seeded(self) -> bool:
        """Return False: nothing is drawn."""
        return False

    @property
    def needs(self) -> Needs:
        """Return the cores and the memory, twice what was measured with SmolLM2."""
        held = size_of(self.model) + _KV_BYTES * self.context
        return Needs(cpus=self.threads, memory_mb=300 + held // 2**20)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the model file, digested and compared with the pinned digest.

        Raises ``PluginError`` A401 without xllamacpp, A403 when the file is missing or another.
        """
        require_llama()
        return (locate(self.model).artifact,)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Load the model, evaluate the shared prompt and measure the labels' prior."""
        started = perf_counter()
        menu = menu_of(train)
        script = Script(style=self.prompt, labels=self.labels, menu=menu)
        picked = list(islice(spread(train), self.shots + _PRIOR_PER_OPTION * len(menu)))
        examples, measured = picked[: self.shots], picked[self.shots :]
        if len(examples) < self.shots:
            what = f"train has {len(examples)} groups to take {self.shots} examples from"
            raise _unfit("shots", what, "set fewer shots")
        if self.prior == "divided" and not measured:
            raise _no_prior()
        located = locate(self.model)
        llama = Llama(located.path, threads=self.threads, context=self.context)
        if self.prompt == "chat" and len(llama.markup("<|im_start|>")) != 1:
            raise _unfit("prompt", "the model does not know ChatML", "set prompt: plain")
        labels = _labels(llama, script)
        try:
            shared = [*llama.opening(), *_tokens(llama, script.shared(examples))]
            llama.hold(shared)
        except TooLong:
            what = f"the menu and the examples do not fit in {self.context} tokens"
            raise _unfit("context", what, "give a larger context or fewer shots") from None
        chooser = Chooser(llama=llama, script=script, labels=labels)
        seen: list[NextToken] = []
        if self.prior == "divided":
            # Measured once per prompt and model: another process of the run reads it back.
            asked = [sample.input for sample in measured]
            kept = PriorFile(
                workdir / "prior.json", [located.artifact.digest, shared, labels, asked]
            )
            prior = kept.read()
            if prior is None:
                seen = list(chooser.expect_each(measured))
                if not seen:
                    raise _no_prior()
                prior = kept.write(chooser.average(seen))
            chooser = replace(chooser, prior=prior)
        spent = perf_counter() - started
        return Built(
            system=chooser,
            usage=Usage(
                busy_s=spent,
                latency_s=spent,
                tokens_in=len(shared) + sum(token.tokens_in for token in seen),
                tokens_cached=sum(token.tokens_cached for token in seen),
                tokens_out=sum(token.tokens_out for token in seen),
                calls=1 + len(seen),
            ),
            artifacts=(located.artifact,),
            notes={
                "options": len(menu),
                "shots": len(examples),
                "prior_samples": len(seen),
                "shared_tokens": len(shared),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chooser:
    """A model with its menu held in memory.  Its reply depends on the question alone."""

    llama: Llama
    script: Script
    labels: tuple[int, ...]
    """The label token of each option of the menu."""

    prior: tuple[float, ...] = ()
    """Log-probability to take from each label; empty to take nothing."""

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions, one after the other."""
        for question in questions:
            yield self._reply(question)

    def expect(self, asked: object) -> NextToken:
        """Return what the model expects after a question.  Raises ``TooLong``."""
        return self.llama.next_token(_tokens(self.llama, self.script.asked(asked)))

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
            found = self.expect(question.input)
        except TooLong:
            said = Failed("too_long", f"more than {self.llama.context} tokens with the menu")
            spent = perf_counter() - started
            return Reply(question.id, said, Usage(busy_s=spent, latency_s=spent), question.attempt)
        except PluginError as error:
            return Reply(question.id, Crash("llama_cpp", str(error)), attempt=question.attempt)
        spent = perf_counter() - started
        usage = Usage(
            busy_s=spent,
            latency_s=spent,
            first_token_s=spent,  # the first token is the whole reply
            tokens_in=found.tokens_in,
            tokens_cached=found.tokens_cached,
            tokens_out=found.tokens_out,
            calls=1,
        )
        return Reply(question.id, self._choose(found), usage, question.attempt)

    def _choose(self, found: NextToken) -> Answer | Bottom | Failed:
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


def _tokens(llama: Llama, pieces: Iterable[Piece]) -> list[int]:
    return list(_each_token(llama, pieces))


def _each_token(llama: Llama, pieces: Iterable[Piece]) -> Iterator[int]:
    for piece in pieces:
        yield from (llama.text(piece.text) if isinstance(piece, Text) else llama.markup(piece.text))


def _labels(llama: Llama, script: Script) -> tuple[int, ...]:
    """Return the first token of each option's answer, all different."""
    first: dict[int, str] = {}
    for option, said in zip(script.menu, script.spoken(), strict=True):
        token = llama.text(said)[0]
        if token in first:
            raise _unfit(
                "labels",
                f"the options {first[token]!r} and {option.name!r} begin with the same token",
                "set labels: letters" if script.labels == "words" else "set labels: words",
            )
        first[token] = option.name
    return tuple(first)


def _unfit(option: str, what: str, hint: str) -> PlanError:
    return PlanError(what, where=f"options.{option}", hint=hint, code="A104")


def _no_prior() -> PlanError:
    what = "the examples leave no train samples to measure the prior on"
    return _unfit("shots", what, "set fewer shots, or prior: kept")
