"""Where tensors may stand: the checks that every format shares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.visible import plain

from ..faults import Fault, damaged
from ..header import TensorEntry

MOST_TENSORS = 2**18
"""Tensors of one file; the largest models have about 100,000, over all their shards."""

MOST_DIMENSIONS = 32
LONGEST_DIMENSION = 2**48
LONGEST_FILE = 2**46
"""Bytes: seventy terabytes.  A head that describes more is no download that was cut off."""

LONGEST_NAME = 80


def named(name: str) -> str:
    r"""Return a name from a file as an error message may have it: short, and nothing a terminal obeys.

    >>> named("a\x1b[31m" + "b" * 99)[:20]
    'a\\x1b[31mbbbbbbbbbbb'
    """
    shown = plain(name[: 2 * LONGEST_NAME])
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}..."


def check_shape(path: Path, name: str, shape: Iterable[int]) -> None:
    """Raise A205 for a shape that no tensor has."""
    dims = tuple(shape)
    if len(dims) > MOST_DIMENSIONS:
        raise damaged(Fault.OVERSIZED, path, f"{named(name)} has {len(dims):,} dimensions")
    if any(dim < 0 for dim in dims):
        raise damaged(Fault.NONSENSE, path, f"{named(name)} has a negative dimension")
    if any(dim >= LONGEST_DIMENSION for dim in dims):
        raise damaged(Fault.OVERSIZED, path, f"{named(name)} has a dimension of {max(dims):,}")


def in_order(path: Path, entries: Iterable[TensorEntry]) -> list[TensorEntry]:
    """Return tensors by their place; raises A205 where two of one file share bytes."""
    placed = sorted(entries, key=lambda entry: (entry.home, entry.start, entry.size))
    last: TensorEntry | None = None
    for entry in placed:
        if last and entry.home == last.home and entry.start < last.start + last.size:
            names = f"{named(last.name)} and {named(entry.name)}"
            raise damaged(Fault.OVERLAPPING, path, f"{names}, at byte {entry.start:,}")
        if entry.size:
            last = entry
    return placed


def check_end(path: Path, size: int, end: int, *, padded: int | None = None) -> None:
    """Raise A205 where the file does not end where its head says, or within the padding after it."""
    what = f"it has {size:,} bytes, its head describes {end:,}"
    if size < end:
        raise damaged(Fault.OVERSIZED if end > LONGEST_FILE else Fault.TRUNCATED, path, what)
    if size > (end if padded is None else padded):
        raise damaged(Fault.TRAILING, path, what)
