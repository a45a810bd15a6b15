"""Pick from a menu by asking a language model: for one token, or for a name that it is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Literal

from assay import Artifact, Built, Needs, PlanError, Sample, System, Usage
from assay.recipes import Inner

from .chooser import Chooser, tokens_of
from .decoders import Opened, Source, opened_file, opened_folder, source_of
from .endpoint_chooser import Constraint, EndpointChooser, Menu
from .labels import label_tokens, named_listing, no_prior, unfit
from .likelihood.tokens import require_one_opening
from .llama import NextToken
from .models import MODELS, Located, check_name, locate, size_of
from .prior import PriorFile
from .prompt import Labels, Script, Style, menu_of, name_of, spread
from .prompted.endpoint import OpenAi
from .prompted.gguf_file import Gguf
from .prompted.safetensors_folder import Transformers
from .prompted.speaker import Draw
from .q8 import encoded, require_gguf
from .server import TooLong, require_llama

_PRIOR_PER_OPTION = 4
_KV_BYTES = 24 * 1024
"""Keys and values of one token: 30 layers x 2 x 192 numbers of 2 bytes, rounded up."""

_LARGER = 2
"""A file of 4 bits a weight and more grows less than this in 8 bits; the working set is less."""


_MOST = 2**31
"""Tokens: as many as a model takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """Ask a language model which option of a menu fits.

    The menu is every answer in the train split, sorted, and last "none of these", which is
    ``Bottom("none_of_these")``.  ``by: next_token`` reads the answer from the log-probabilities of one next
    token: the confidence is their softmax over the labels, and the best real option is the proposal of a
    decline.  A label that is not among the 200 most probable tokens has no score; with none of them the
    reply is ``Failed("no_label_in_top_200")``.  ``by: constrained`` has the model write the name of an
    option, the likeliest token each time of those that the menu leaves open; the confidence is the share of
    these tokens that it gave to the one that it wrote, multiplied over tokens.  Predictions that are no
    numbers are ``Failed("non_finite")``, a question that does not fit the context ``Failed("too_long")``.
    ``tokens_in`` counts the whole prompt, ``tokens_cached`` the shared part of it that was not computed again.

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
    """A name in ``models.MODELS``, or a path to a GGUF file, which llama.cpp runs; or a path to what
    ``lm.transformers`` takes."""

    ask: Inner | None = None
    """What is asked instead of ``model``: lm.gguf, lm.transformers or lm.openai, with options of its own."""

    by: Literal["next_token", "constrained"] = "next_token"
    """Whether a label is read from the next token, or a name written that the model is held to."""

    constraint: Constraint = "response_format"
    """How an endpoint is told the list, of ``by: constrained``."""

    encoding: Literal["shipped", "q8_0"] = "shipped"
    """``q8_0`` loads the same weights in blocks of 8 bits: made once, kept in the cache."""

    shots: int = 0
    """Answered train samples in the prompt: round-robin over the options, one per group."""

    prompt: Style = "plain"
    """``chat`` is ChatML, for models trained on it."""

    labels: Labels = "words"
    """What names an option: the first token of its own name, or a letter."""

    prior: Literal["divided", "kept"] | None = None
    """``divided`` takes from each label what the model gives it whatever the question, measured on
    up to four more train samples per option; ``kept`` takes the log-probabilities as they are.  None is
    ``divided`` with ``by: next_token``, and ``kept`` with ``by: constrained``, which has no other."""

    threads: int = 1
    context: int = 2048
    """Tokens that fit, the menu and the examples included."""

    def __post_init__(self) -> None:
        if not self._is_folder:
            check_name(self.model)
        if self.by == "constrained" and self.prior == "divided":
            raise unfit(
                "prior",
                "a prior cannot be divided out of what is written",
                "leave it out, or set by: next_token",
            )
        given = (self.model, self.encoding, self.threads, self.context)
        if self.ask is not None and given != ("smollm2-135m-instruct", "shipped", 1, 2048):
            raise PlanError(
                "options of a model stand beside ask",
                where="options.ask",
                hint="move model, threads and context into its options; encoding goes with model only",
                code="A102",
            )
        if self._is_folder and (self.encoding, self.threads) != ("shipped", 1):
            raise unfit(
                "model",
                "encoding and threads are options of llama.cpp, and this is no GGUF file",
                "leave them out",
            )
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
        if (source := self._source) is not None:
            return source.needs
        larger = _LARGER if self.encoding == "q8_0" else 1
        held = size_of(self.model) * larger + _KV_BYTES * self.context
        return Needs(cpus=self.threads, memory_mb=300 + held // 2**20)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the model file, digested and compared with the pinned digest, and what it became.

        The last one is the file that llama.cpp opens.  With ``encoding: q8_0`` it is made here, so
        that it is named before anything runs.  Raises ``PluginError`` A401 without xllamacpp (or
        gguf), A403 when the file is missing or another; what ``encoded`` raises; what the recipe of ``ask``
        raises.
        """
        if (source := self._source) is not None:
            return source.loads()
        require_llama("lm.choose")
        return tuple(file.artifact for file in self._files())

    @property
    def _is_folder(self) -> bool:
        """Whether the model is a path, and none to a GGUF file.  The disk is not asked."""
        named = self.model in MODELS or str(self.model).endswith(".gguf")
        return not named and (isinstance(self.model, Path) or "/" in self.model)

    @property
    def _source(self) -> Source | None:
        """What is asked, unless it is a GGUF file of ``model``."""
        if self.ask is not None:
            return source_of(self.ask)
        return Transformers(model=self.model, chat="plain") if self._is_folder else None

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
        divides = self.by == "next_token" and self.prior != "kept"
        more = _PRIOR_PER_OPTION * len(menu) if divides else 0
        picked = list(islice(spread(train), self.shots + more))
        examples, measured = picked[: self.shots], picked[self.shots :]
        if len(examples) < self.shots:
            what = f"train has {len(examples)} groups to take {self.shots} examples from"
            raise unfit("shots", what, "set fewer shots")
        if divides and not measured:
            raise no_prior()
        notes = {"seed": seed, "options": len(menu), "shots": len(examples), "prior_samples": 0}
        files = self.loads()
        source = self._source
        if isinstance(source, OpenAi):
            system: System = self._served(source, script, examples)
            return Built(system=system, artifacts=files, notes=notes)
        opened = self._opened(source, files)
        notes["threads"] = opened.threads
        chooser, shared = self._holding(opened, script, examples)
        seen: list[NextToken] = []
        if divides:
            # Measured once per prompt and model: another process of the run reads it back.
            asked = [sample.input for sample in measured]
            made_of = [*opened.made_of, shared, chooser.labels, asked]
            kept = PriorFile(workdir / "prior.json", made_of)
            prior = kept.read()
            if prior is None:
                seen = list(chooser.expect_each(measured))
                if not seen:
                    raise no_prior()
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
            artifacts=files,
            notes=notes | {"prior_samples": len(seen), "shared_tokens": len(shared)},
        )

    def _opened(self, source: Source | None, files: Sequence[Artifact]) -> Opened:
        match source:
            case None:
                loaded = self._files()[-1]
                return opened_file(
                    loaded.path,
                    loaded.artifact.digest,
                    threads=self.threads,
                    context=self.context,
                )
            case Transformers():
                context = _MOST if self.ask is not None else self.context
                return opened_folder(source, files, context=context)
            case Gguf():
                path = locate(source.model).path
                return opened_file(
                    path, files[-1].digest, threads=source.threads, context=source.context
                )
            case OpenAi():
                raise AssertionError("an endpoint is not opened")

    def _holding(
        self, opened: Opened, script: Script, examples: Sequence[Sample]
    ) -> tuple[Chooser, list[int]]:
        """Return the system, and the tokens that every prompt of it begins with."""
        decoder = opened.decoder
        if self.prompt == "chat" and len(decoder.markup("<|im_start|>")) != 1:
            raise unfit("prompt", "the model does not know ChatML", "set prompt: plain")
        if self.by == "constrained":
            chooser = Chooser(llama=decoder, script=script, listing=named_listing(decoder, script))
        else:
            chooser = Chooser(llama=decoder, script=script, labels=label_tokens(decoder, script))
        try:
            shared = [*decoder.opening(), *tokens_of(decoder, script.shared(examples))]
            require_one_opening(shared, opened.bos)
            decoder.hold(shared)
        except TooLong:
            what = f"the menu and the examples do not fit in {decoder.context} tokens"
            raise unfit("context", what, "give a larger context or fewer shots") from None
        return chooser, shared

    def _served(
        self, source: OpenAi, script: Script, examples: Sequence[Sample]
    ) -> EndpointChooser:
        if self.by != "constrained":
            raise unfit(
                "by",
                "an endpoint does not tell how likely every label is",
                "set by: constrained",
            )
        told = [(one.input, name_of(one.target)) for one in examples if one.target is not None]
        return EndpointChooser(
            speaker=source.speaker(),
            menu=Menu(script=script, constraint=self.constraint, examples=tuple(told)),
            draw=Draw(
                temperature=0.0, max_tokens=source.max_tokens, timeout_s=source.timeout_s, seed=0
            ),
            parallel=source.parallel,
            where=source.base_url,
        )
