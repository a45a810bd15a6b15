"""The recipe ``lm.gguf``: a GGUF model on this machine, asked by a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay import Artifact, Needs, PluginError

from ..header import read_header
from ..models import check_name, locate, size_of
from ..server import require_llama
from .llama_speaker import LlamaSpeaker
from .recipe import Prompting, require
from .speaker import Speaker

_KV_BYTES = 24 * 1024
"""Keys and values of one token, where the file is not there to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gguf(Prompting):
    """Put each question to a GGUF model, and take its words for the answer.

    A question that does not fit the context is ``Failed("too_long")``, an answer that takes longer
    than ``timeout_s`` ``Failed("timeout")``, no words at all ``Failed("no_text")``.  An answer that
    is cut at ``max_tokens`` or at the end of the context stands as it is; its evidence says
    ``finish: length``.  Nothing but the temperature shapes the draw: no top-k, top-p or penalty.

    >>> Gguf(model="smollm2-135m-instruct", system="Be brief.").seeded
    False

    Raises ``PlanError`` A102, A103, A104 for options that are wrong or do not fit the task or the
    file.  *Not to be trusted when* ``threads`` exceeds the idle cores, or for the timing of a model
    whose answers run into ``timeout_s``.
    """

    model: Path | str
    """A name in ``models.MODELS``, or a path to a GGUF file."""

    chat: Literal["template", "plain"] = "template"
    """``template`` is the chat template of the file; ``plain`` gives the words without marks, for
    models that were not taught to converse."""

    threads: int = 1
    context: int = 4096
    """Tokens that fit, prompt and answer together."""

    overlong: Literal["fail", "cut"] = "fail"
    """A question about likelihoods that does not fit the context fails, or loses its beginning."""

    prefix: Literal["shared", "apart"] = "shared"
    """Questions about likelihoods: ``apart`` computes every context whole, whatever the one before was."""

    @property
    def needs(self) -> Needs:
        """Return the cores and the memory: the file, the keys and values, 300 MB besides."""
        held = size_of(self.model) + self._kv_bytes() * self.context
        return Needs(cpus=self.threads, memory_mb=300 + held // 2**20)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the model file, digested and compared with the pinned digest.

        Raises ``PluginError`` A401 without xllamacpp, A403 when the file is missing, is another, or
        is no whole GGUF file.
        """
        return self._files()

    def _kv_bytes(self) -> int:
        path = Path(self.model)
        try:
            return (read_header(path).kv_bytes or _KV_BYTES) if path.is_file() else _KV_BYTES
        except PluginError:  # ``loads`` says so
            return _KV_BYTES

    @property
    def _in_flight(self) -> int:
        return 1

    def _check(self) -> None:
        check_name(self.model)
        require("threads", self.threads, 1)
        require("context", self.context, 64)

    def _files(self) -> tuple[Artifact, ...]:
        require_llama("lm.gguf")
        located = locate(self.model)
        read_header(located.path)
        return (located.artifact,)

    def _speaker(self) -> Speaker:
        path = locate(self.model).path
        return LlamaSpeaker(
            path,
            chat=self.chat,
            threads=self.threads,
            context=self.context,
            overlong=self.overlong,
            prefix=self.prefix,
        )
