"""What can be wrong with a model file, each with a sentence of its own."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from assay import DataError


class Fault(Enum):
    """A fault of a model file; the value is what a reader is told."""

    TRUNCATED = "the file is cut short"
    TRAILING = "the file goes on after its end"
    OVERSIZED = "the file says it holds more than a real file could"
    OVERLAPPING = "two tensors share bytes"
    DUPLICATE = "two tensors have the same name"
    UNSORTED = "the index of tensors is not in order"
    MISALIGNED = "a tensor does not begin where it must"
    WRONG_SIZE = "the bytes of a tensor are not those of its shape and type"
    CHECKSUM = "a checksum is not the one that the file says"
    NONSENSE = "the head makes no sense"
    UNKNOWN_TYPE = "a tensor has a type that assay does not know"
    UNSUPPORTED = "the file is of a kind that assay tells but does not read"
    UNKNOWN_FORMAT = "the file is of no format that assay knows"


_HINTS = {
    Fault.UNSUPPORTED: "convert it with the program that wrote it",
    Fault.UNKNOWN_TYPE: "convert it with the program that wrote it",
    Fault.UNKNOWN_FORMAT: "give a safetensors, GGUF, ONNX or APR file",
}


def damaged(fault: Fault, path: Path, detail: str = "", *, hint: str = "") -> DataError:
    """Return the error A205 of a model file; ``detail`` names the tensor, the byte, the numbers.

    >>> print(damaged(Fault.TRUNCATED, Path("m.apr"), "16 of 516 bytes"))
    A205 the file is cut short: 16 of 516 bytes
      at: m.apr
      try: fetch the file again and compare its size and sha256
    """
    return DataError(
        f"{fault.value}: {detail}" if detail else fault.value,
        where=str(path),
        hint=hint or _HINTS.get(fault, "fetch the file again and compare its size and sha256"),
        code="A205",
    )
