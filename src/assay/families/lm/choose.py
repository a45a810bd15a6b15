"""Pick from a menu by asking a language model for one token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Literal

from assay import (
    Artifact,
    Built,
    Needs,
    PlanError,
    Sample,
    Usage,
)

from .chooser import Chooser, tokens_of
from .llama import Llama, NextToken
from .models import Located, check_name, locate, size_of
from .prior import PriorFile
from .prompt import Labels, Script, Style, menu_of, spread
from .q8 import encoded, require_gguf
from .server import TooLong, require_llama

_PRIOR_PER_OPTION = 4
_KV_BYTES = 24 * 1024
"""Keys and values of one token: 30 layers x 2 x 192 numbers of 2 bytes, rounded up."""

_LARGER = 2
"""A file of 4 bits a weight and more grows less than this in 8 bits; the working set is less."""


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

    encoding: Literal["shipped", "q8_0"] = "shipped"
    """``q8_0`` loads the same weights in blocks of 8 bits: made once, kept in the cache."""

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
        larger = _LARGER if self.encoding == "q8_0" else 1
        held = size_of(self.model) * larger + _KV_BYTES * self.context
        return Needs(cpus=self.threads, memory_mb=300 + held // 2**20)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the model file, digested and compared with the pinned digest, and what it became.

        The last one is the file that llama.cpp opens.  With ``encoding: q8_0`` it is made here, so
        that it is named before anything runs.  Raises ``PluginError`` A401 without xllamacpp (or
        gguf), A403 when the file is missing or another; what ``encoded`` raises.
        """
        require_llama("lm.choose")
        return tuple(file.artifact for file in self._files())

    def _files(self) -> tuple[Located, ...]:
        if self.encoding == "shipped":
            return (locate(self.model),)
        require_gguf()
        shipped = locate(self.model)
        return (shipped, encoded(shipped))

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
        files = self._files()
        loaded = files[-1]
        llama = Llama(loaded.path, threads=self.threads, context=self.context)
        if self.prompt == "chat" and len(llama.markup("<|im_start|>")) != 1:
            raise _unfit("prompt", "the model does not know ChatML", "set prompt: plain")
        labels = _labels(llama, script)
        try:
            shared = [*llama.opening(), *tokens_of(llama, script.shared(examples))]
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
                workdir / "prior.json", [loaded.artifact.digest, shared, labels, asked]
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
            artifacts=tuple(file.artifact for file in files),
            notes={
                "options": len(menu),
                "shots": len(examples),
                "prior_samples": len(seen),
                "shared_tokens": len(shared),
            },
        )


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
