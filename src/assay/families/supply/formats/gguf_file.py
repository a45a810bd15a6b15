"""GGUF files, versions 2 and 3: metadata, what is said of each tensor, then their bytes, aligned.

The format: github.com/ggml-org/ggml/blob/master/docs/gguf.md.

*Covered*: everything that the head says of a place or a size is held to the file.  *Not covered*: damage of
the weights, which only a digest tells; version 1 and big-endian files are told, and not read.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from ..extras import extra
from ..faults import Fault, damaged
from ..header import ModelFile, ModelHeader, TensorEntry
from .gguf_types import NUMBER_OF, REMOVED, TYPES
from .gguf_values import LONGEST_KEY, Values
from .mapped import Mapped
from .opened import open_mapped
from .plain_numbers import BITS, plain_numbers
from .spans import MOST_TENSORS, check_end, check_shape, in_order, named

MAGIC = b"GGUF"
MOST_ENTRIES = 2**16
MOST_DIMENSIONS = 4
"""As ggml has it."""

_VERSIONS = (2, 3)
_ALIGNMENT = 32
_NO_NUMBERS = ("Q8_1", "Q8_K", "Q1_0")
"""Types of which the package ``gguf`` makes no numbers: what is in between in a computation, or new."""


def open_gguf(path: Path) -> ModelFile:
    """Open a GGUF file and check its head whole.

    Raises ``DataError`` A205, with a sentence for each fault, ``PluginError`` A403 for no file.
    """
    return open_mapped(path, read=_read, decode=_numbers)


def _numbers(path: Path, entry: TensorEntry, raw: memoryview) -> Any:
    if entry.dtype in BITS:
        return plain_numbers(entry.dtype, raw, entry.shape, path=path)
    if entry.dtype in _NO_NUMBERS:
        raise damaged(Fault.UNSUPPORTED, path, f"{named(entry.name)} is {entry.dtype}")
    import numpy as np

    quants = extra("gguf.quants")
    number = NUMBER_OF[entry.dtype]
    _, block, size = TYPES[number]
    kind = extra("gguf").GGMLQuantizationType(number)
    rows = np.frombuffer(raw, np.uint8).reshape(*entry.shape[:-1], entry.shape[-1] // block * size)
    with np.errstate(
        all="ignore"
    ):  # damaged scales may be infinite: whoever looks at numbers tells
        return quants.dequantize(rows, kind).reshape(entry.shape)


def _read(mapped: Mapped) -> ModelHeader:
    path, values = mapped.path, Values(mapped.data, mapped.path)
    if mapped.data[:4] != MAGIC:
        raise damaged(Fault.UNKNOWN_FORMAT, path, "it does not begin with GGUF")
    values.at = 4
    version = values.u32()
    if version not in _VERSIONS:
        raise _other_version(version, path)
    count = values.count("tensors", smallest=24, most=MOST_TENSORS)
    entries = values.count("entries of metadata", smallest=13, most=MOST_ENTRIES)
    metadata: dict[str, object] = {}
    for _ in range(entries):
        key = values.text(longest=LONGEST_KEY)
        if key in metadata:
            raise damaged(Fault.NONSENSE, path, f"it has {named(key)} twice")
        metadata[key] = values.value(key)
    alignment = _alignment(metadata, path)
    described = [_described(values, path) for _ in range(count)]
    begin = values.at + -values.at % alignment
    placed = _placed(described, begin, alignment, mapped)
    return ModelHeader(
        format="gguf",
        variant=f"v{version}",
        size=mapped.size,
        tensors=tuple(placed),
        metadata=metadata,
    )


def _other_version(version: int, path: Path) -> Exception:
    if version == 1:
        return damaged(Fault.UNSUPPORTED, path, "GGUF version 1, of August 2023")
    if int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS:
        return damaged(Fault.UNSUPPORTED, path, "its numbers are big-endian")
    return damaged(Fault.UNSUPPORTED, path, f"GGUF version {version:,}; 2 and 3 are known")


def _alignment(metadata: dict[str, object], path: Path) -> int:
    found = metadata.get("general.alignment", _ALIGNMENT)
    if not isinstance(found, int) or not 0 < found <= 2**20 or found & (found - 1):
        what = f"general.alignment is {named(repr(found))}, and must be a power of two"
        raise damaged(Fault.NONSENSE, path, what)
    return found


def _described(values: Values, path: Path) -> TensorEntry:
    """Read what is said of a tensor; its start is counted from where the weights begin."""
    name = values.text(longest=LONGEST_KEY)
    count = values.u32()
    if count > MOST_DIMENSIONS:
        raise damaged(Fault.OVERSIZED, path, f"{named(name)} has {count:,} dimensions")
    shape = tuple(values.u64() for _ in range(count))[::-1]
    kind, start = values.u32(), values.u64()
    check_shape(path, name, shape)
    if kind not in TYPES:
        removed = f", {REMOVED[kind]}, which ggml no longer reads" if kind in REMOVED else ""
        raise damaged(Fault.UNKNOWN_TYPE, path, f"{named(name)} has the type {kind}{removed}")
    dtype, block, size = TYPES[kind]
    row = shape[-1] if shape else 1
    if row % block:
        what = f"{named(name)}: rows of {row:,} numbers, {dtype} has blocks of {block}"
        raise damaged(Fault.WRONG_SIZE, path, what)
    return TensorEntry(
        name=name, dtype=dtype, shape=shape, start=start, size=prod(shape) // block * size
    )


def _placed(
    described: list[TensorEntry], begin: int, alignment: int, mapped: Mapped
) -> list[TensorEntry]:
    """Return the tensors in the order of the file, their starts counted from its first byte."""
    path, seen = mapped.path, set[str]()
    for entry in described:
        if entry.name in seen:
            raise damaged(Fault.DUPLICATE, path, named(entry.name))
        seen.add(entry.name)
        if entry.start % alignment:
            what = f"{named(entry.name)} at {entry.start:,}, which is no multiple of {alignment}"
            raise damaged(Fault.MISALIGNED, path, what)
    placed = in_order(
        path,
        [
            TensorEntry(
                name=one.name,
                dtype=one.dtype,
                shape=one.shape,
                start=begin + one.start,
                size=one.size,
            )
            for one in described
        ],
    )
    end = max((entry.start + entry.size for entry in placed), default=begin)
    check_end(path, mapped.size, end, padded=end + -end % alignment)
    return placed
