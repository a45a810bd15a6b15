"""What a reader of one layout found, and the checks of tensors that all layouts share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from re import compile as pattern
from typing import Any

from ...faults import Fault, damaged
from ...header import TensorEntry
from ..spans import check_shape, named
from .codecs import sizes_of
from .layouts import Bytes

SIDE = "assay.file/"
"""What the names of side files begin with, among the tensors."""

MOST_DIMENSIONS = 8
_SIDE_NAME = pattern(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A file that was understood."""

    variant: str
    data: Bytes
    """The bytes in which the tensors stand: the file, or what was unpacked from it."""

    tensors: tuple[TensorEntry, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    made: Mapping[str, bytes] = field(default_factory=dict)
    """Bytes of tensors that the file has in another form, as text."""

    checksum: str = ""
    """What the last four bytes are called, where they are the CRC32 of all before and not yet checked."""


def checked_size(entry: TensorEntry, path: Path) -> TensorEntry:
    """Return the entry if its bytes fit its shape; A205 otherwise, also for absurd shapes."""
    check_shape(path, entry.name, entry.shape)
    if len(entry.shape) > MOST_DIMENSIONS:
        raise damaged(
            Fault.OVERSIZED,
            path,
            f"{named(entry.name)} has {len(entry.shape)} dimensions; the format has 8",
        )
    if prod(max(1, length) for length in entry.shape) > 1 << 50:
        raise damaged(Fault.OVERSIZED, path, f"{named(entry.name)} has the shape {entry.shape}")
    sizes = sizes_of(entry.dtype, entry.shape)
    if entry.size not in sizes:
        raise damaged(
            Fault.WRONG_SIZE,
            path,
            f"{named(entry.name)}, {entry.dtype} of {entry.shape}, takes {sizes[0]:,} bytes, "
            f"not {entry.size:,}",
        )
    return entry


def check_names(names: Iterable[str], path: Path) -> None:
    """Raise A205 for a name that comes twice, or a side file that is no plain file name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise damaged(Fault.DUPLICATE, path, named(name))
        seen.add(name)
        if name.startswith(SIDE) and not is_side_name(name.removeprefix(SIDE)):
            raise damaged(Fault.OUTSIDE, path, f"{named(name)} is no file of a folder")


def is_side_name(name: str) -> bool:
    """Is this the name of a file in a folder, and of nothing elsewhere?"""
    return _SIDE_NAME.fullmatch(name) is not None
