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
    HOLE = "bytes between two tensors belong to none"
    INCOMPLETE = "a part of the model is missing"
    OUTSIDE = "the file names another one outside of its folder"
    UNSORTED = "the index of tensors is not in order"
    MISALIGNED = "a tensor does not begin where it must"
    WRONG_SIZE = "the bytes of a tensor are not those of its shape and type"
    CHECKSUM = "a checksum is not the one that the file says"
    NONSENSE = "the head makes no sense"
    UNKNOWN_TYPE = "a tensor has a type that assay does not know"
    UNSUPPORTED = "the file is of a kind that assay tells but does not read"
    UNKNOWN_FORMAT = "the file is of no format that assay knows"
    ENCRYPTED = "the file is encrypted"
    COLUMN_MAJOR = "the file stores its tensors column by column"


_HINTS = {
    Fault.INCOMPLETE: "fetch the missing file into the same folder",
    Fault.OUTSIDE: "do not use it, unless you know why; then put the file beside it",
    Fault.UNSUPPORTED: "convert it with the program that wrote it",
    Fault.UNKNOWN_TYPE: "convert it with the program that wrote it",
    Fault.ENCRYPTED: "decrypt it with the program that wrote it",
    Fault.COLUMN_MAJOR: "import it again with the program that wrote it: it lacks a transposition",
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
