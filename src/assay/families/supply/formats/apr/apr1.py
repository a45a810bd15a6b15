"""The reader of ``APR1``: JSON metadata, a JSON index, tensors, a CRC32; and of its compressed wrapper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ...extras import extra
from ...faults import Fault, damaged
from ...header import TensorEntry
from ..spans import MOST_TENSORS, check_end, in_order, named
from .codecs import IDS
from .layouts import Bytes, Layout, word
from .metadata import LIMIT, parse
from .parsed import Parsed, check_names, checked_size
from .whole import check_crc

MOST = 1 << 30
"""Bytes that a compressed file may hold; aprender's own limit of v1."""

_WHISPER = "APR1 as whisper.apr writes it, with a binary head of its own"


class _Entry(msgspec.Struct):
    name: str
    dtype: str
    shape: list[int]
    offset: int
    size: int


def read_apr1(data: Bytes, path: Path, layout: Layout = Layout.APR1) -> Parsed:
    """Return what an APR1 file holds.  Raises A205; the whisper variant is told, not read."""
    size = word(data, 4)
    if len(data) < 12:
        raise damaged(Fault.TRUNCATED, path, f"{len(data)} bytes")
    if bytes(data[8:9]) != b"{":
        raise damaged(Fault.UNSUPPORTED, path, _WHISPER)
    if size > LIMIT:
        raise damaged(Fault.OVERSIZED, path, f"metadata of {size} bytes; the limit is {LIMIT}")
    at = 8 + size
    if at + 12 > len(data):
        raise damaged(Fault.TRUNCATED, path, f"{len(data)} bytes; the index begins at byte {at}")
    metadata = parse(data[8:at], path, "the metadata")
    count, index_size = word(data, at), word(data, at + 4)
    start = at + 8 + index_size
    if count > MOST_TENSORS or index_size > LIMIT * 4:
        raise damaged(Fault.OVERSIZED, path, f"{count} tensors, an index of {index_size} bytes")
    if start + 4 > len(data):
        raise damaged(
            Fault.TRUNCATED, path, f"{len(data)} bytes; its tensors begin at byte {start}"
        )
    entries = [_entry(entry, start, path) for entry in _index(data[at + 8 : start], path)]
    if len(entries) != count:
        raise damaged(Fault.NONSENSE, path, f"{count} tensors are said, {len(entries)} are listed")
    check_names((entry.name for entry in entries), path)
    entries = [checked_size(entry, path) for entry in entries]
    end = max((entry.start + entry.size for entry in entries), default=start) + 4
    check_end(path, len(data), end)
    in_order(path, entries)
    return Parsed(
        variant=layout.value,
        data=data,
        tensors=tuple(entries),
        metadata=metadata,
        checksum="the CRC32 at the end",
    )


def read_wrapped(data: Bytes, path: Path) -> Parsed:
    """Return what a compressed APR1 file holds, unpacked into memory.

    The size that the file says is bounded before anything is unpacked: by ``MOST``, and for LZ4 by the
    255 bytes that one byte can stand for.  Raises A205, or A401 without the extra.
    """
    if len(data) < 9:
        raise damaged(Fault.TRUNCATED, path, f"{len(data)} bytes; the head alone takes 9")
    how, size, packed = data[4], word(data, 5), data[9:]
    if size > MOST:
        raise damaged(Fault.OVERSIZED, path, f"{size} bytes unpacked; the limit is {MOST}")
    match how:
        case 0:
            inner: Bytes = packed
        case 1:
            inner = _lz4(packed, size, path)
        case 2:
            inner = _zstd(packed, size, path)
        case _:
            raise damaged(Fault.UNSUPPORTED, path, f"compression {how}")
    if len(inner) != size:
        kind = Fault.TRUNCATED if len(inner) < size else Fault.TRAILING
        raise damaged(kind, path, f"{len(inner)} bytes unpacked, {size} are said")
    if bytes(inner[:4]) != b"APR1":
        raise damaged(Fault.NONSENSE, path, "what is compressed does not begin with APR1")
    parsed = read_apr1(memoryview(inner), path, Layout.WRAPPED)
    check_crc(parsed.data, path, parsed.checksum)
    return Parsed(
        variant=parsed.variant,
        data=parsed.data,
        tensors=parsed.tensors,
        metadata=parsed.metadata,
        notes=("the places of its tensors are those in what was unpacked",),
    )


def _index(data: Bytes, path: Path) -> list[_Entry]:
    try:
        return msgspec.json.decode(data, type=list[_Entry])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise damaged(Fault.NONSENSE, path, f"the index is no list of tensors: {error}") from error


def _entry(entry: _Entry, start: int, path: Path) -> TensorEntry:
    if entry.dtype not in IDS:
        raise damaged(
            Fault.UNKNOWN_TYPE, path, f"{named(entry.name)} is of type {named(entry.dtype)}"
        )
    if min(entry.offset, entry.size, *entry.shape, 0) < 0 or not entry.name:
        raise damaged(
            Fault.NONSENSE, path, f"{named(entry.name)!r} has a number below zero, or no name"
        )
    return TensorEntry(
        name=entry.name,
        dtype=entry.dtype,
        shape=tuple(entry.shape),
        start=start + entry.offset,
        size=entry.size,
    )


def _lz4(packed: Bytes, size: int, path: Path) -> Bytes:
    if size > 255 * len(packed) + 16:
        raise damaged(Fault.OVERSIZED, path, f"{len(packed)} bytes of LZ4 cannot hold {size}")
    block: Any = extra("lz4.block")
    prefixed = word(packed, 0) == size  # lz4_flex can put the size before the block
    for some in (packed[4:], packed) if prefixed else (packed,):
        try:
            return memoryview(block.decompress(some, uncompressed_size=size))
        except block.LZ4BlockError as error:
            why = error
    raise damaged(Fault.NONSENSE, path, f"what is compressed is no LZ4 block: {why}") from why


def _zstd(packed: Bytes, size: int, path: Path) -> Bytes:
    zstandard: Any = extra("zstandard")
    made = bytearray()
    try:
        # A window of 128 MiB is what decoders grant without being asked.
        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        with unpacker.stream_reader(packed) as reader:
            while len(made) <= size and (piece := reader.read(1 << 20)):
                made += piece
    except zstandard.ZstdError as error:
        raise damaged(Fault.NONSENSE, path, f"what is compressed is no zstd: {error}") from error
    return memoryview(made)
