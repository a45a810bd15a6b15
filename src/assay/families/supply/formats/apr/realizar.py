"""The reader of ``APRN`` as realizar 0.2 writes it: a payload of JSON, whose numbers become tensors."""

from __future__ import annotations

from pathlib import Path
from struct import Struct
from typing import Any

import msgspec
import numpy as np

from assay import DataError

from ...faults import Fault, damaged
from ...header import TensorEntry
from .layouts import Bytes, Layout
from .metadata import parse
from .parsed import Parsed
from .version1 import model_type

_HEAD = Struct("<4sBBBBHIII10s")
_COMPRESSED, _ENCRYPTED, _SIGNED = 1, 2, 4
_MOST = 1 << 26  # bytes of JSON; as Python's numbers they take thrice as many


class _Payload(msgspec.Struct):
    weights: list[list[float]]
    biases: list[list[float]]
    dimensions: list[int]


def read_realizar(data: Bytes, path: Path) -> Parsed:
    """Return the layers of a file of realizar's 0.2 as ``layers.N.weight`` (out x in) and ``.bias``.

    It has no checksum: damage that leaves it JSON is not noticed.  Raises A205.
    """
    _, _, _, flags, _, kind, metadata, payload, _, _ = _HEAD.unpack(data[: _HEAD.size])
    if flags & _ENCRYPTED:
        raise damaged(Fault.ENCRYPTED, path, "flag 0x2 is set")
    if flags & _COMPRESSED:
        raise damaged(Fault.UNSUPPORTED, path, "a compressed file of realizar 0.2")
    if payload > _MOST:
        raise damaged(Fault.OVERSIZED, path, f"a payload of {payload} bytes; the limit is {_MOST}")
    start = _HEAD.size + metadata
    made = _layers(_payload(data[start:], path), path)
    said, notes = _metadata(data[_HEAD.size : start], path)
    if flags & _SIGNED:
        notes.append(
            "a flag says signed; where the signature stands is not known: none was checked"
        )
    return Parsed(
        variant=Layout.REALIZAR.value,
        data=data,
        metadata=said,
        tensors=tuple(
            TensorEntry(name=name, dtype="F32", shape=shape, start=start, size=len(raw))
            for name, (shape, raw) in made.items()
        ),
        made={name: raw for name, (_, raw) in made.items()},
        notes=(
            f"model type {model_type(kind)} ({kind})",
            "its numbers are JSON: every tensor is said to begin where the JSON does",
            "this layout has no checksum",
            *notes,
        ),
    )


def _payload(data: Bytes, path: Path) -> _Payload:
    try:
        return msgspec.json.decode(data, type=_Payload)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise damaged(Fault.NONSENSE, path, f"the payload is not realizar's: {error}") from error


def _layers(payload: _Payload, path: Path) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """Return the tensors, held to the dimensions that the file says."""
    lengths = payload.dimensions
    if len(payload.weights) != len(payload.biases) or len(lengths) != len(payload.weights) + 1:
        raise damaged(
            Fault.NONSENSE,
            path,
            f"{len(payload.weights)} weights, {len(payload.biases)} biases, dimensions {lengths}",
        )
    made: dict[str, tuple[tuple[int, ...], bytes]] = {}
    for number, weight in enumerate(payload.weights):
        inner, outer = lengths[number], lengths[number + 1]
        for part, shape, values in (
            ("weight", (outer, inner), weight),
            ("bias", (outer,), payload.biases[number]),
        ):
            name = f"layers.{number}.{part}"
            if len(values) != np.prod(shape, dtype=object) or min(shape) < 0:
                raise damaged(
                    Fault.WRONG_SIZE, path, f"{name} has {len(values)} numbers for {shape}"
                )
            with np.errstate(over="ignore"):
                made[name] = (shape, np.asarray(values, "<f4").tobytes())
    return made


def _metadata(data: Bytes, path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the metadata; its own reader ignores what is no JSON, and so do we, aloud."""
    try:
        return (parse(data, path, "the metadata") if data else {}), []
    except DataError as error:
        return {}, [f"the metadata was left out: {error.what}"]
