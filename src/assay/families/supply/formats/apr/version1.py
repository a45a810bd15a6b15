"""The reader of ``APRN`` as aprender v1 writes it: its header, its metadata, nothing of its payload.

The payload is bincode of a Rust struct, which does not describe itself: without that struct no tensor
can be found in it.  *Covered*: the CRC32, first; sizes; what the flags say.  *Not covered*: signatures
(told, with the key, never verified), decryption.
"""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

import msgspec

from ...faults import Fault, damaged
from .layouts import Bytes, Layout, word
from .metadata import LIMIT
from .parsed import Parsed

_HEAD = Struct("<4sBBHIIIBBB9s")
_ENCRYPTED, _SIGNED, _STREAMING, _LICENSED = 1, 2, 4, 8
_SAYS = {
    4: "chunked for streaming",
    8: "licensed",
    16: "tensors 64-byte aligned",
    32: "quantised",
    64: "has a model card",
}
_COMPRESSION = ("not compressed", "zstd level 3", "zstd level 19", "LZ4, size before it")
_MODELS = {
    **dict(
        enumerate(("LinearRegression", "LogisticRegression", "DecisionTree", "RandomForest"), 1)
    ),
    **dict(enumerate(("GradientBoosting", "KMeans", "Pca", "NaiveBayes", "Knn", "Svm"), 5)),
    **dict(enumerate(("NgramLm", "Tfidf", "CountVectorizer"), 0x10)),
    0x20: "NeuralSequential",
    0x21: "NeuralCustom",
    0x30: "ContentRecommender",
    0x40: "MixtureOfExperts",
    0x50: "TransformerLM",
    0xFF: "Custom",
}
_MOST = 1 << 30
_SIGNATURE = 96


def model_type(number: int) -> str:
    """Return the name that aprender has for a kind of model.

    >>> model_type(1), model_type(0x99)
    ('LinearRegression', 'unknown')
    """
    return _MODELS.get(number, "unknown")


def read_v1(data: Bytes, path: Path) -> Parsed:
    """Return the metadata of a v1 file and what its header says, as notes.  Raises A205."""
    if len(data) < _HEAD.size + 4:
        raise damaged(Fault.TRUNCATED, path, f"{len(data)} bytes; the smallest file has 36")
    head = _HEAD.unpack(data[: _HEAD.size])
    _, major, minor, kind, metadata, payload, unpacked, compression, flags, quality, _ = head
    end = _HEAD.size + metadata + payload + (_SIGNATURE if flags & _SIGNED else 0) + 4
    _check_crc(data, end, path)
    if major != 1:
        raise damaged(Fault.UNSUPPORTED, path, f"version {major}.{minor} of APRN")
    if unpacked > _MOST or metadata > LIMIT:
        raise damaged(
            Fault.OVERSIZED, path, f"{unpacked} bytes unpacked, {metadata} bytes of metadata"
        )
    if compression >= len(_COMPRESSION):
        raise damaged(Fault.NONSENSE, path, f"compression {compression}")
    if end > len(data):
        raise damaged(Fault.TRUNCATED, path, f"{len(data)} of {end} bytes")
    if end < len(data) and not flags & (_STREAMING | _LICENSED):
        raise damaged(Fault.TRAILING, path, f"{len(data)} bytes; its parts end at {end}")
    key = bytes(data[len(data) - 36 : len(data) - 4]).hex() if flags & _SIGNED else ""
    return Parsed(
        variant=Layout.V1.value,
        data=data,
        metadata=_metadata(data[_HEAD.size : _HEAD.size + metadata], path),
        notes=(
            f"version {major}.{minor}, model type {model_type(kind)} ({kind})",
            f"payload of {payload} bytes, {_COMPRESSION[compression]}, {unpacked} bytes unpacked",
            "the payload is bincode of a Rust struct: without it no tensors can be listed",
            f"quality score {quality}" if quality else "never given a quality score",
            *(("encrypted (AES-256-GCM): assay does not decrypt",) if flags & _ENCRYPTED else ()),
            *((f"signed with the Ed25519 key {key}: not verified",) if key else ()),
            *(f"{says}" for bit, says in _SAYS.items() if flags & bit),
        ),
    )


def _check_crc(data: Bytes, end: int, path: Path) -> None:
    """Check the checksum before anything of the header is believed; then say why it is wrong."""
    found, said = crc32(data[: len(data) - 4]), word(data, len(data) - 4)
    if found == said:
        return
    if len(data) < end:
        raise damaged(Fault.TRUNCATED, path, f"{len(data)} of {end} bytes")
    if len(data) > end and not data[21] & (_STREAMING | _LICENSED):
        raise damaged(Fault.TRAILING, path, f"{len(data)} bytes; its parts end at {end}")
    raise damaged(
        Fault.CHECKSUM, path, f"the CRC32 at the end is {found:08x}, the file says {said:08x}"
    )


def _metadata(data: Bytes, path: Path) -> dict[str, Any]:
    if not data:
        return {}
    try:
        value = msgspec.msgpack.decode(data)
        made = _told(value)
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise damaged(Fault.NONSENSE, path, f"the metadata is not MessagePack: {error}") from error
    if not isinstance(made, dict):
        raise damaged(Fault.NONSENSE, path, "the metadata is not a map")
    return made


def _told(value: Any) -> Any:
    """Return a value that JSON can say: bytes as hexadecimal digits, times as text."""
    match value:
        case dict():
            return {str(key): _told(item) for key, item in value.items()}
        case list() | tuple():
            return [_told(item) for item in value]
        case bytes():
            return value.hex()
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case date():
            return value.isoformat()
    return repr(value)
