"""What ``lm.choose`` can ask: a GGUF file in llama.cpp, a folder in transformers, an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from assay import Artifact, PlanError
from assay.recipes import Inner

from .chooser import Decoder
from .header import read_header
from .held_decoder import HeldDecoder
from .llama import Llama
from .prompted.endpoint import OpenAi
from .prompted.gguf_file import Gguf
from .prompted.safetensors_folder import Transformers
from .prompted.transformers_speaker import TransformersSpeaker

Local: TypeAlias = Gguf | Transformers
Source: TypeAlias = Local | OpenAi


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model in memory."""

    decoder: Decoder
    bos: int | None
    made_of: Sequence[str]
    """What its predictions depend on: digests, and how they are computed."""

    threads: int


def source_of(ask: Inner) -> Source:
    """Return the recipe that a plan names as what is asked.

    Raises ``PlanError`` A104 for one that cannot be held to a list, or has a prompt of its own.
    """
    made = ask.make()
    if not isinstance(made, Gguf | Transformers | OpenAi):
        raise PlanError(
            f"{ask.use} cannot be held to a list",
            where="options.ask",
            hint="name lm.gguf, lm.transformers or lm.openai",
            code="A104",
        )
    for option in ("system", "user", "stop", "temperature"):
        if getattr(made, option):
            raise PlanError(
                f"{ask.use} has the option {option}, and lm.choose makes the prompt and draws nothing",
                where="options.ask",
                hint=f"leave {option} out",
                code="A104",
            )
    return made


def opened_file(path: Path, digest: str, *, threads: int, context: int) -> Opened:
    """Return a GGUF file in llama.cpp.  Raises what ``Llama`` raises."""
    bos = read_header(path).number("tokenizer.ggml.bos_token_id")
    llama = Llama(path, threads=threads, context=context)
    return Opened(decoder=llama, bos=bos, made_of=[digest], threads=threads)


def opened_folder(recipe: Transformers, files: Sequence[Artifact], *, context: int) -> Opened:
    """Return a model in transformers.  Raises what ``TransformersSpeaker`` raises."""
    speaker = TransformersSpeaker(
        recipe.folder, chat="plain", device=recipe.device, dtype=recipe.dtype
    )
    tokenizer, model = speaker.loaded
    decoder = HeldDecoder(tokenizer, model, context=context)
    made_of = [*(file.digest for file in files), str(model.device), recipe.dtype]
    threads = int(speaker.ran["threads"])
    return Opened(decoder=decoder, bos=decoder.bos, made_of=made_of, threads=threads)
