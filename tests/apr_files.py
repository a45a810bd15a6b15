"""``.apr`` files built from the description of the format alone, whole or with one thing wrong."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from assay import AssayError
from assay.families.supply.formats.apr import open_apr
from assay.families.supply.formats.apr.reading import read_apr
from assay.families.supply.formats.apr.whole import check_crc

GOLDEN_METADATA = {
    "model_type": "linear_regression",
    "name": "golden-v2",
    "license": None,
    "data_source": None,
    "data_license": None,
    "version": "0.0.0-golden",
    "created_at": "1700000000",
    "total_size": 0,
    "param_count": 8,
}
WEIGHTS = (1, 2, 0.5, -0.5, 4, -2, 0.25, 8)


@dataclass(frozen=True)
class Entry:
    """A tensor of a v2 file; what is ``None`` is what it should be."""

    name: bytes
    kind: int
    shape: tuple[int, ...]
    data: bytes
    offset: int | None = None
    size: int | None = None


GOLDEN = (
    Entry(b"bias", 0, (1,), struct.pack("<f", 0.125)),
    Entry(b"weights", 0, (8,), struct.pack("<8f", *WEIGHTS)),
)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 64)


def sealed(data: bytes) -> bytes:
    """Append the CRC32 of all that stands before it."""
    return data + struct.pack("<I", crc32(data))


def resealed(data: bytes) -> bytes:
    """Give a v2 file that was changed the checksums of a whole one."""
    head = crc32(data[:40] + data[44:64])
    return sealed(data[:40] + struct.pack("<I", head) + data[44:-4])


def v2(
    entries: Sequence[Entry] = GOLDEN,
    *,
    metadata: bytes | None = None,
    flags: int = 0x400,
    magic: bytes = b"APR\0",
    version: tuple[int, int] = (2, 0),
) -> bytes:
    text = (
        json.dumps(GOLDEN_METADATA, separators=(",", ":")).encode()
        if metadata is None
        else metadata
    )
    index, body = b"", b""
    for entry in entries:
        offset = len(body) if entry.offset is None else entry.offset
        size = len(entry.data) if entry.size is None else entry.size
        index += struct.pack("<H", len(entry.name)) + entry.name
        index += bytes([entry.kind, len(entry.shape)])
        index += b"".join(struct.pack("<Q", length) for length in entry.shape)
        index += struct.pack("<QQ", offset, size)
        body += padded(entry.data)
    at = 64 + len(padded(text))
    head = magic + bytes(version)
    head += struct.pack("<HIQIQQ", flags, len(entries), 64, len(text), at, at + len(padded(index)))
    head += bytes(24)
    return resealed(head + padded(text) + padded(index) + body + bytes(4))


def v1(
    *,
    metadata: bytes = b"\x81\xa4name\xa1m",
    payload: bytes = b"\x01" * 12,
    flags: int = 0,
    compression: int = 0,
    unpacked: int = 12,
    major: int = 1,
    kind: int = 1,
    quality: int = 85,
) -> bytes:
    head = b"APRN" + bytes([major, 0])
    head += struct.pack("<HIII", kind, len(metadata), len(payload), unpacked)
    head += bytes([compression, flags, quality]) + bytes(9)
    signature = bytes(64) + bytes(range(32)) if flags & 2 else b""
    return sealed(head + metadata + payload + signature)


def realizar(
    payload: object = None, *, metadata: bytes = b'{"name":"tiny"}', flags: int = 0
) -> bytes:
    if payload is None:
        payload = {"weights": [[1, 2, 3, 4, 5, 6]], "biases": [[0.5, -0.5]], "dimensions": [3, 2]}
    text = json.dumps(payload).encode()
    head = b"APRN" + bytes([1, 0, flags, 0])
    head += struct.pack("<HIII", 0x20, len(metadata), len(text), len(text)) + bytes(10)
    return head + metadata + text


def apr1(
    entries: Sequence[dict[str, object]] | None = None,
    *,
    data: bytes = struct.pack("<3f", 1, 2, 3) + b"\x01\xff",
    metadata: bytes = b'{"model_type":"mlp"}',
    count: int | None = None,
) -> bytes:
    if entries is None:
        entries = [
            {"name": "w", "dtype": "F32", "shape": [3, 1], "offset": 0, "size": 12},
            {"name": "q", "dtype": "I8", "shape": [2], "offset": 12, "size": 2},
        ]
    index = json.dumps(entries).encode()
    said = len(entries) if count is None else count
    head = b"APR1" + struct.pack("<I", len(metadata)) + metadata
    return sealed(head + struct.pack("<II", said, len(index)) + index + data)


def wrapped(how: int, packed: bytes, size: int) -> bytes:
    return b"APR\0" + bytes([how]) + struct.pack("<I", size) + packed


def refused(data: bytes) -> AssayError | None:
    """Read a file of these bytes without writing it; return what it is refused with, if it is."""
    try:
        parsed = read_apr(data, Path("fuzzed.apr"))
        if parsed.checksum:
            check_crc(data, Path("fuzzed.apr"), parsed.checksum)
    except AssayError as error:
        return error
    return None


def fault_of(path: Path, data: bytes) -> AssayError | None:
    """Open a file of these bytes and read all of it; return what it was refused with, if it was."""
    path.write_bytes(data)
    try:
        with open_apr(path) as file:
            for entry in file.header.tensors:
                assert file.numbers(entry.name).shape == entry.shape
            for name in file.header.side_files:
                file.side_file(name)
    except AssayError as error:
        return error
    return None
