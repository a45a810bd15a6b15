"""What the head of a model file says, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorEntry:
    """Where a tensor stands in a file, and what it is."""

    name: str
    dtype: str
    """In capitals, as the field writes it: ``F32``, ``F16``, ``BF16``, ``I8``, ``Q4_K``, ``Q8_0``, ``APR_Q8``."""

    shape: tuple[int, ...]
    """Row-major, outermost first, as torch prints it (GGUF files store it the other way round)."""

    start: int
    """The tensor's first byte, counted from the beginning of the file."""

    size: int
    """Bytes."""

    home: str = ""
    """The file beside it that has the bytes (a shard, external data); empty for the file itself."""

    @property
    def numbers(self) -> int:
        """How many numbers the tensor holds."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHeader:
    """What a model file says of itself; nothing of it is trusted but its bounds."""

    format: str
    """``safetensors``, ``gguf``, ``onnx``, ``apr``."""

    variant: str
    """Which layout of it, as ``v2 (APR\\0)`` or ``v3``."""

    size: int
    """Bytes of the file."""

    tensors: tuple[TensorEntry, ...]
    metadata: Mapping[str, Any]
    """As the file has it, parsed."""

    side_files: tuple[str, ...] = ()
    """Files that the file carries beside its weights (``tokenizer.json``)."""

    notes: tuple[str, ...] = ()
    """What a careful reader should know, a sentence each."""

    @property
    def parameters(self) -> int:
        """How many numbers the tensors hold, side files left out."""
        return sum(tensor.numbers for tensor in self.tensors)

    @property
    def by_name(self) -> dict[str, TensorEntry]:
        """Return the tensors by name."""
        return {tensor.name: tensor for tensor in self.tensors}


class ModelFile(Protocol):
    """An open model file: mapped into memory, its head checked whole.  Close it, or use ``with``."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def header(self) -> ModelHeader:
        """What its head says."""

    def raw(self, name: str) -> memoryview:
        """Return the bytes of a tensor as they stand in the file, not copied.  ``KeyError`` for no such."""

    def numbers(self, name: str) -> Any:
        """Return a tensor as a NumPy array of float32, dequantised, in the tensor's shape.

        Integer tensors keep their own type.
        """

    def side_file(self, name: str) -> bytes:
        """Return a side file.  ``KeyError`` for none of that name."""

    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *what: object) -> None: ...
