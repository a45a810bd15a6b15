"""Model files byte by byte, so that a test can say the one thing that is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from struct import pack
from typing import Any
from zlib import crc32

import pytest

from assay import DataError
from assay.families.supply.faults import Fault
from assay.families.supply.formats.opening import open_model

U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, LIST, U64, I64, F64 = range(13)


def safetensors_bytes(head: Mapping[str, Any] | bytes, data: bytes = b"") -> bytes:
    """A head, as JSON or as it is, and what follows it."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    text += b" " * (not isinstance(head, bytes)) * (-len(text) % 8)  # as its own library pads it
    return pack("<Q", len(text)) + text + data


def tensor(dtype: str, shape: Iterable[int], begin: int, end: int) -> dict[str, Any]:
    """What a safetensors head says of a tensor."""
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def text(value: str | bytes) -> bytes:
    """A text as GGUF has it."""
    data = value.encode() if isinstance(value, str) else value
    return pack("<Q", len(data)) + data


def pair(key: str, kind: int, value: bytes) -> bytes:
    """An entry of GGUF metadata."""
    return text(key) + pack("<I", kind) + value


def described(name: str, shape: Iterable[int], kind: int, offset: int) -> bytes:
    """What a GGUF head says of a tensor; the shape is written as GGUF has it, innermost first."""
    dims = list(shape)
    return (
        text(name)
        + pack("<I", len(dims))
        + pack(f"<{len(dims)}Q", *dims)
        + pack("<IQ", kind, offset)
    )


def gguf_bytes(
    tensors: Iterable[bytes] = (),
    pairs: Iterable[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    """A GGUF file; ``data`` begins at the alignment."""
    tensors, pairs = list(tensors), list(pairs)
    head = b"GGUF" + pack("<IQQ", version, len(tensors), len(pairs))
    head += b"".join(pairs) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + data


def varint(value: int) -> bytes:
    """A whole number as protocol buffers have it."""
    data = b""
    while value >= 0x80:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protocol buffer: a varint, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def initialiser(
    name: str, dims: Iterable[int], kind: int, raw: bytes | None, *more: bytes
) -> bytes:
    """A TensorProto, as a field of a graph."""
    data = b"".join(field(1, dim) for dim in dims) + field(2, kind) + field(8, name.encode())
    return field(5, data + (b"" if raw is None else field(9, raw)) + b"".join(more))


def onnx_bytes(*graph: bytes, after: bytes = b"") -> bytes:
    """A ModelProto with a graph."""
    return (
        field(1, 10)
        + field(2, b"tests")
        + field(7, b"".join(graph))
        + field(8, field(2, 17))
        + after
    )


def mended(data: bytes) -> bytes:
    """An APR file with the checksums that its bytes have; other bytes as they are."""
    if data[:4] not in (b"APRN", b"APR1", b"APR2", b"APR\0") or len(data) < 12:
        return data
    if data[:4] in (b"APR2", b"APR\0") and len(data) >= 68:
        data = data[:40] + pack("<I", crc32(data[:40] + data[44:64])) + data[44:]
    return data[:-4] + pack("<I", crc32(data[:-4]))


def refused(path: Path, data: bytes, fault: Fault) -> str:
    """Write a file, and return how it is refused; the fault must be that one."""
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        open_model(path)
    assert caught.value.code == "A205"
    said = caught.value.what
    assert said.startswith(fault.value), said
    return said
