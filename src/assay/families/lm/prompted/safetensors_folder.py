"""The recipe ``lm.transformers``: a model in safetensors on this machine, asked by a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay import Artifact, AssayError, Needs

from ..folder import count_weights, find_model
from ..loading import require as require_transformers
from ..models import MODELS, locate
from .recipe import Prompting, require
from .speaker import Speaker
from .transformers_speaker import Together, TransformersSpeaker

_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformers(Prompting):
    """Put each question to a model in safetensors, and take its words for the answer.

    No code of a model is run, no pickle is read and no network is used.  A question that does not
    fit the model's context is ``Failed("too_long")``, an answer that takes longer than
    ``timeout_s`` ``Failed("timeout")``; the clock is looked at after each token.  Nothing but the
    temperature shapes the draw, whatever defaults the folder has.

    >>> Transformers(model="models/smol").seeded
    False

    Raises ``PlanError`` A102 and A104 for options that are wrong or do not fit the folder or the
    machine.  *Not to be trusted when* answers are compared across devices, versions of torch or
    numbers of threads: low bits differ, and with them, now and then, a token.
    """

    model: Path | str
    """A folder with config.json, *.safetensors and the tokenizer's files; a file of a format that is
    installed (``.apr``, ``.gguf``), from which one is made; or a name in ``models.MODELS``."""

    chat: Literal["template", "plain"] = "template"
    """``template`` is the chat template of the tokenizer; ``plain`` gives the words without marks,
    for models that were not taught to converse."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """``auto`` takes a GPU where there is one; the evidence says which it was."""

    dtype: Literal["float32", "float16", "bfloat16"] = "float32"

    batch: int = 8
    """Prompts that are computed together; what they begin alike with is computed once."""

    overlong: Literal["fail", "cut"] = "fail"
    """A question about likelihoods that does not fit the context fails, or loses its beginning."""

    prefix: Literal["shared", "apart"] = "shared"
    """``apart`` computes every prompt whole, whatever others begin with."""

    @property
    def needs(self) -> Needs:
        """Return the memory: the weights in the precision that is asked for, and 1 GB besides."""
        try:
            held = count_weights(self._path) * _BYTES[self.dtype]
        except AssayError:  # ``loads`` says so
            held = 0
        return Needs(gpu=self.device == "cuda", memory_mb=1000 + held // 2**20)

    def loads(self) -> tuple[Artifact, ...]:
        """Return every file that is read, digested.

        Raises ``PluginError`` A401 without torch and transformers, A403 when the folder holds no
        model, pickles, or a model that brings code of its own; what its format raises for a file.
        """
        return self._files()

    @property
    def _path(self) -> Path:
        """Where the model is; a name is one of a file that a package brings, pinned by its digest."""
        return locate(self.model).path if self.model in MODELS else Path(self.model)

    @property
    def _in_flight(self) -> int:
        return 1

    def _check(self) -> None:
        require("batch", self.batch, 1)

    def _files(self) -> tuple[Artifact, ...]:
        require_transformers("lm.transformers")
        return find_model(self._path).artifacts

    @property
    def folder(self) -> Path:
        """Where transformers reads the model: its folder, or the one that is made of its file.

        Raises what ``loads`` raises.
        """
        return find_model(self._path).path

    def _speaker(self) -> Speaker:
        folder = self.folder
        together = Together(batch=self.batch, overlong=self.overlong, prefix=self.prefix)
        return TransformersSpeaker(
            folder, chat=self.chat, device=self.device, dtype=self.dtype, together=together
        )
