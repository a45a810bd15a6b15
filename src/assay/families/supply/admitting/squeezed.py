"""Compressed files, of which a bounded beginning is unpacked."""

from __future__ import annotations

import bz2
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

from ..extras import extra
from .stream import Bytes

MOST_IN = 1 << 25
"""Bytes of a compressed file that are looked at."""

MEMORY = 1 << 27
"""Bytes that an unpacker may take beside what it yields."""

_ZFILE = re.compile(rb"ZF0x[0-9a-f]{1,16}L? *")
"""What joblib wrote before 0.10."""


class Squeeze(NamedTuple):
    """A way to compress."""

    name: str
    unpack: Callable[[bytes, int], bytes]


def squeeze_of(data: Bytes) -> Squeeze | None:
    """Return how a file is compressed, by its first bytes; None where it is not.

    >>> squeeze_of(zlib.compress(b"a")).name
    'zlib'
    """
    head = bytes(data[:32])
    if head[:2] == b"\x1f\x8b":
        return Squeeze("gzip", lambda data, most: _inflate(data, most, 31))
    if head[:3] == b"BZh":
        return Squeeze("bzip2", lambda data, most: bz2.BZ2Decompressor().decompress(data, most))
    if head[:6] == b"\xfd7zXZ\0" or head[:3] == b"\x5d\0\0":
        return Squeeze("xz", _lzma)
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return Squeeze("Zstandard", _zstd)
    if head[:4] == b"\x04\x22\x4d\x18":
        return Squeeze("LZ4", _lz4)
    if found := _ZFILE.match(head):
        start = found.end()
        return Squeeze("joblib", lambda data, most: _inflate(data[start:], most, 15))
    if (
        len(head) > 2
        and head[0] & 0x0F == 8
        and head[0] >> 4 <= 7
        and not (head[0] << 8 | head[1]) % 31
    ):
        return Squeeze("zlib", lambda data, most: _inflate(data, most, 15))
    return None


def unpack(squeeze: Squeeze, data: Bytes, most: int) -> bytes | None:
    """Return at most ``most`` bytes of what a file unpacks to; None where it does not."""
    try:
        return squeeze.unpack(bytes(data[:MOST_IN]), most)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError, RuntimeError):
        return None


def member_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Return at most ``most`` bytes of a member of a ZIP archive, and take no more memory than that.

    ``zipfile`` unpacks what is packed by bzip2 or LZMA whole, however little of it is asked for.
    Raises what ``zipfile`` and the unpackers raise.
    """
    if info.compress_type == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor().decompress(_packed(archive, info), most)
    if info.compress_type == zipfile.ZIP_LZMA:
        # A version, the length of the properties, the properties: before them the old format has nothing.
        data = _packed(archive, info)
        end = 4 + int.from_bytes(data[2:4], "little")
        return _lzma(data[4:end] + b"\xff" * 8 + data[end:], most)
    with archive.open(info) as file:
        return file.read(most)


def _packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if archive.fp is None or info.flag_bits & 1:
        raise zipfile.BadZipFile("it is closed, or locked with a password")
    archive.fp.seek(info.header_offset)
    head = archive.fp.read(30)
    if head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("a member does not begin where it should")
    archive.fp.read(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"))
    return archive.fp.read(min(info.compress_size, MOST_IN))


def _inflate(data: bytes, most: int, window: int) -> bytes:
    return zlib.decompressobj(window).decompress(data, most)


def _lzma(data: bytes, most: int) -> bytes:
    return lzma.LZMADecompressor(memlimit=MEMORY).decompress(data, most)


def _zstd(data: bytes, most: int) -> bytes:
    if find_spec("zstandard") is None:
        raise ValueError("not installed")
    zstd = extra("zstandard")
    try:
        reader = zstd.ZstdDecompressor(max_window_size=MEMORY).stream_reader(data)
        found: bytes = reader.read(most)
    except zstd.ZstdError as error:
        raise ValueError from error
    return found


def _lz4(data: bytes, most: int) -> bytes:
    if find_spec("lz4") is None:
        raise ValueError("not installed")
    found: bytes = extra("lz4.frame").LZ4FrameDecompressor().decompress(data, max_length=most)
    return found
