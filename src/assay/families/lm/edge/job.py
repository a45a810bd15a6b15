"""What a process that is measured is told, and what it says: one line of JSON each."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from ..prompted.transformers_speaker import Dtype

RuntimeName: TypeAlias = Literal["transformers", "llama.cpp"]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Job(_Line):
    """What to load, and what to do with it."""

    runtime: RuntimeName
    path: str
    """The GGUF file, or the folder of safetensors."""

    threads: int = Field(ge=1)
    dtype: Dtype
    prompt: int = Field(ge=2)
    generate: int = Field(ge=2)


class Ready(_Line):
    """The model is loaded and warm."""

    load_s: float
    prompt_sha256: str
    """Of the prompt's token ids, as decimal numbers with commas between them."""

    no_energy: str | None
    """Why energy is not measured; None when it is."""


class Timed(_Line):
    """One answer."""

    stamps: list[tuple[float, int]]
    joules: float | None
    cpu_s: float
    """Processor time of this process meanwhile, all threads together."""

    peak_bytes: int | None
    """The most memory that this process has had so far; None where the system does not say."""


class Said(_Line):
    """A line of the process: exactly one of these."""

    ready: Ready | None = None
    timed: Timed | None = None
    fault: str | None = None
    """Why nothing can be measured."""
