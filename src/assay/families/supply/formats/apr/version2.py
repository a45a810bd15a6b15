r"""The reader of APR v2, ``APR\0`` and its early form ``APR2``.

*Covered*: both checksums, bounds, alignment, order, names, overlaps, what stands between the end of the
tensors and of the file.  *Not covered*: decompression and decryption of tensors, which no writer of
v2 does; such files are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

from assay import DataError

from ...faults import Fault, damaged
from ...header import TensorEntry
from ..spans import MOST_TENSORS, check_end, in_order, named
from .codecs import IDS, LEGACY
from .layouts import Bytes, Layout
from .metadata import LIMIT, parse
from .parsed import MOST_DIMENSIONS, Parsed, check_names, checked_size

HEAD = Struct("<4sBBHIQIQQI20s")
HEAD_SIZE = HEAD.size  # 64
FOOTER = 4
ALIGNMENT = 64
LONGEST_NAME = 256

LZ4, ZSTD, ENCRYPTED, SIGNED, SHARDED, QUANTISED = 1, 2, 4, 8, 0x10, 0x20
HAS_VOCAB, ROW_MAJOR, COLUMN_MAJOR = 0x200, 0x400, 0x800

_TYPES = {number: name for name, number in IDS.items()} | LEGACY
_PLACE = Struct("<QQ")


def aligned(size: int) -> int:
    """Return ``size`` rounded up to a multiple of 64.

    >>> aligned(0), aligned(1), aligned(64)
    (0, 64, 64)
    """
    return -(-size // ALIGNMENT) * ALIGNMENT


def header_checksum(head: bytes) -> int:
    """Return the CRC32 of a header of 64 bytes without the field of the checksum itself."""
    return crc32(head[44:64], crc32(head[:40]))


@dataclass(frozen=True, slots=True)
class _Head:
    flags: int
    tensors: int
    metadata: int
    metadata_size: int
    index: int
    data: int


def read_v2(data: Bytes, path: Path, layout: Layout) -> Parsed:
    """Return what a v2 file holds; the checksum of its body is left to the caller, ``Parsed.checksum``.

    Raises A205, with a fault of its own for each kind of damage.
    """
    head = _head(data, path)
    end = head.metadata + head.metadata_size
    metadata = parse(data[head.metadata : end], path, "the metadata")
    entries, notes = _index(data, head, path)
    check_names((entry.name for entry in entries), path)
    entries = [_checked(entry, head, path) for entry in entries]
    _check_extent(entries, head, len(data), path)
    return Parsed(
        variant=layout.value,
        data=data,
        tensors=tuple(entries),
        metadata=metadata,
        notes=(*_said(head, metadata), *notes),
        checksum="the footer CRC32",
    )


def _head(data: Bytes, path: Path) -> _Head:
    if len(data) < HEAD_SIZE + FOOTER:
        raise damaged(
            Fault.TRUNCATED, path, f"{len(data)} bytes; the head and the footer alone take 68"
        )
    head = bytes(data[:HEAD_SIZE])
    _, major, minor, flags, count, at, size, index, tensors, checksum, _ = HEAD.unpack(head)
    if checksum != header_checksum(head):
        raise damaged(
            Fault.CHECKSUM,
            path,
            f"the header CRC32 is {header_checksum(head):08x}, the header says {checksum:08x}",
        )
    if major != 2:
        raise damaged(Fault.UNSUPPORTED, path, f"version {major}.{minor} of the format")
    if flags & COLUMN_MAJOR:
        raise damaged(Fault.COLUMN_MAJOR, path, "flag 0x800 is set")
    if flags & ENCRYPTED:
        raise damaged(Fault.ENCRYPTED, path, "flag 0x4 is set")
    if size > LIMIT:
        raise damaged(Fault.OVERSIZED, path, f"metadata of {size} bytes; the limit is {LIMIT}")
    if count > MOST_TENSORS:
        raise damaged(Fault.OVERSIZED, path, f"{count} tensors; the limit is {MOST_TENSORS}")
    if tensors > len(data) - FOOTER:
        raise damaged(
            Fault.TRUNCATED,
            path,
            f"{len(data)} bytes; its tensors begin at byte {tensors}, a footer of 4 bytes ends it",
        )
    if not HEAD_SIZE <= at <= at + size <= index <= tensors:
        raise damaged(
            Fault.NONSENSE,
            path,
            f"metadata at {at} ({size} bytes), index at {index}, tensors at {tensors}: "
            "they must follow one another",
        )
    if index - at - size >= ALIGNMENT or at != HEAD_SIZE:
        lost = f"{index - at - size + at - HEAD_SIZE:,} bytes around the metadata"
        raise damaged(Fault.HOLE, path, lost)
    if tensors % ALIGNMENT:
        raise damaged(
            Fault.MISALIGNED, path, f"the tensors begin at byte {tensors}, not 64-aligned"
        )
    return _Head(flags, count, at, size, index, tensors)


def _index(data: Bytes, head: _Head, path: Path) -> tuple[list[TensorEntry], list[str]]:
    """Return the entries in the order of the file, each inside the room that the index has."""
    room = memoryview(data)[head.index : head.data]  # not copied: a forger may say it is vast
    at, before, entries = 0, b"", []
    legacy = 0
    for number in range(head.tensors):
        size = int.from_bytes(room[at : at + 2], "little")
        after = at + 2 + size
        dims = room[after + 1] if after + 1 < len(room) else 0
        end = after + 2 + 8 * dims + _PLACE.size
        if at + 2 < len(room) and not 0 < size <= LONGEST_NAME:
            raise damaged(Fault.NONSENSE, path, f"tensor {number} has a name of {size} bytes")
        if dims > MOST_DIMENSIONS:
            raise damaged(Fault.OVERSIZED, path, f"tensor {number} has {dims} dimensions")
        if end > len(room):
            raise damaged(
                Fault.TRUNCATED, path, f"the index ends inside tensor {number} of {head.tensors}"
            )
        raw = bytes(room[at + 2 : after])
        try:
            name = raw.decode()
        except UnicodeDecodeError as error:
            raise damaged(Fault.NONSENSE, path, f"the name {raw!r} is not UTF-8") from error
        if raw < before:
            raise damaged(Fault.UNSORTED, path, f"{named(name)} after {named(before.decode())}")
        shape = [
            int.from_bytes(room[place : place + 8], "little")
            for place in range(after + 2, after + 2 + 8 * dims, 8)
        ]
        start, length = _PLACE.unpack_from(room, end - _PLACE.size)
        legacy += room[after] in LEGACY
        entries.append(
            TensorEntry(
                name=name,
                dtype=_type(room[after], name, path),
                shape=tuple(shape),
                start=head.data + start,
                size=length,
            )
        )
        at, before = end, raw
    if head.data - head.index - at >= ALIGNMENT:
        lost = f"{head.data - head.index - at:,} bytes between the index and the tensors"
        raise damaged(Fault.HOLE, path, lost)
    notes = [f"{legacy} tensors have the type ids 8 and 9 of older files"] if legacy else []
    return entries, notes


def _type(number: int, name: str, path: Path) -> str:
    if number in _TYPES:
        return _TYPES[number]
    why = "; older files may have meant BF16 by it, which nothing proves" if number == 2 else ""
    raise damaged(Fault.UNKNOWN_TYPE, path, f"{named(name)} is of type {number}{why}")


def _checked(entry: TensorEntry, head: _Head, path: Path) -> TensorEntry:
    if entry.start % ALIGNMENT:
        raise damaged(
            Fault.MISALIGNED, path, f"{named(entry.name)} at byte {entry.start}, not 64-aligned"
        )
    packed = head.flags & (LZ4 | ZSTD)
    try:
        return checked_size(entry, path)
    except DataError as error:
        if packed:
            raise damaged(
                Fault.UNSUPPORTED,
                path,
                f"a flag says compressed, and {named(entry.name)} seems to be",
            ) from error
        raise


def _check_extent(entries: list[TensorEntry], head: _Head, size: int, path: Path) -> None:
    """Hold the tensors to the file: they fill it, each to the next multiple of 64, up to the footer."""
    ends = max((aligned(entry.start + entry.size) for entry in entries), default=head.data)
    check_end(path, size, ends + FOOTER)
    before = head.data
    for entry in in_order(path, entries):
        if entry.start > before:
            raise damaged(
                Fault.HOLE, path, f"{entry.start - before:,} bytes before {named(entry.name)}"
            )
        before = max(before, aligned(entry.start + entry.size))


def _said(head: _Head, metadata: Mapping[str, Any]) -> list[str]:
    """Return what the flags say that a reader should know."""
    notes = []
    if not head.flags & ROW_MAJOR:
        notes.append("written before the flag that says row-major; taken to be row-major")
    if head.flags & (LZ4 | ZSTD):
        notes.append("a flag says compressed; the tensors are not")
    if head.flags & SIGNED:
        notes.append(
            "a flag says signed; the format has no place for a signature: none was checked"
        )
    if head.flags & SHARDED:
        part = metadata.get("sharding")
        part = part if isinstance(part, dict) else {}
        notes.append(f"shard {part.get('shard_index')} (from 0) of {part.get('shard_count')}")
    return notes
