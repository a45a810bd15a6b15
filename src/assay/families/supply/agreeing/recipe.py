"""``supply.logits``: what a model file expects at a place of a text, over its whole vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from assay import Answer, Artifact, Built, Failed, Needs, PlanError, Question, Reply, Sample, Usage
from assay.predictions import answer, asked_place

from ..extras import require
from .models import Model, find_model
from .speakers import Speaker

Array: TypeAlias = Any
Runner: TypeAlias = Literal["transformers", "llama.cpp"]


class Expecting:
    """A model that answers with its logits; those of the last text are kept where one pass gives all."""

    def __init__(self, speaker: Speaker, *, whole: bool) -> None:
        self._speaker, self._whole = speaker, whole
        self._text, self._tokens, self._logits = "", list[int](), None

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer each question."""
        for asked in questions:
            place = asked_place(asked.input)
            if place is None:
                why = Failed("not_asked_so", "the question has no text and position")
                yield Reply(asked.id, why, attempt=asked.attempt)
                continue
            said, tokens = self._said(*place)
            yield Reply(asked.id, said, Usage(tokens_in=tokens, calls=1), attempt=asked.attempt)

    def _said(self, text: str, position: int) -> tuple[Answer | Failed, int]:
        if text != self._text:
            self._text, self._tokens = text, self._speaker.tokens(text)
            places = range(len(self._tokens))
            self._logits = self._speaker.logits(self._tokens, places) if self._whole else None
        tokens = self._tokens[: position + 1]
        if len(tokens) <= position:
            return Failed("too_short", f"the text has {len(tokens)} tokens"), len(tokens)
        found = (
            self._logits[position]
            if self._logits is not None
            else self._speaker.logits(self._tokens, [position])[0]
        )
        if not np.isfinite(found).all():
            return Failed("non_finite", "a logit is NaN or infinite"), len(tokens)
        return Answer(answer(tokens, found)), len(tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """The recipe of ``supply.logits``."""

    model: Path
    """An APR, GGUF or safetensors file, or a model folder."""

    run: Runner | None = None
    """None: llama.cpp for a GGUF file, else transformers."""

    seeded: bool = False
    needs: Needs = Needs(memory_mb=2000)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the files of the model, digested.

        Raises ``PluginError`` A401 and A403, ``DataError`` A205 for a damaged file, ``PlanError`` A104
        where llama.cpp is to run another format than its own.
        """
        found = find_model(self.model)
        runner = _runner(found, self.run)
        require(*(("torch", "transformers") if runner == "transformers" else ("xllamacpp",)))
        return found.files

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Load the model."""
        found = find_model(self.model)
        whole = _runner(found, self.run) == "transformers"
        speaker = _speaker(found, whole=whole)
        return Built(
            system=Expecting(speaker, whole=whole),
            artifacts=found.files,
            notes={"ran": speaker.ran, "vocabulary": speaker.vocabulary},
        )


def _runner(found: Model, asked: Runner | None) -> Runner:
    if asked == "llama.cpp" and found.format != "gguf":
        raise PlanError(
            f"llama.cpp runs GGUF files, and {found.path.name} is {found.format}",
            where="options.run",
            hint="set run: transformers",
            code="A104",
        )
    return asked or ("llama.cpp" if found.format == "gguf" else "transformers")


def _speaker(found: Model, *, whole: bool) -> Speaker:
    if whole:
        from .torch_speaker import TorchModel

        return TorchModel(found.folder())
    from .llama_speaker import LlamaModel

    size = int((found.source.config or {})["vocab_size"])
    return LlamaModel(found.path, vocabulary=size)
