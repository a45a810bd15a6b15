"""Tensors of an ONNX file: what each says of itself, and where its bytes stand.

The messages: onnx/onnx.proto, ``TensorProto``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any

from ..extras import extra
from ..faults import Fault, damaged
from ..header import TensorEntry
from .plain_numbers import BITS, bytes_of, plain_numbers
from .spans import check_shape, named
from .wire import FIXED32, FIXED64, LENGTH, VARINT, Field, Wire

TYPES = MappingProxyType(
    {
        1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 8: "STRING", 9: "BOOL",
        10: "F16", 11: "F64", 12: "U32", 13: "U64", 14: "C64", 15: "C128", 16: "BF16",
        17: "F8_E4M3", 18: "F8_E4M3FNUZ", 19: "F8_E5M2", 20: "F8_E5M2FNUZ", 21: "U4", 22: "I4",
        23: "F4", 24: "F8_E8M0", 25: "U2", 26: "I2", 27: "F6_E2M3", 28: "F6_E3M2",
    }
)  # fmt: skip

_WIDTHS = {4: 4, 10: 8}
"""Fields whose values have a fixed width: float_data, double_data.  Those of 5, 7, 11 are varints."""

_PLAIN = {4: "F32", 10: "F64"}
_LISTS = (4, 5, 7, 10, 11)
_HIGH = bytes(range(128, 256))


@dataclass(slots=True, kw_only=True)
class _Said:
    """What one TensorProto says, gathered field by field."""

    name: str = ""
    dims: list[int] = field(default_factory=list)
    kind: int = 0
    raw: Field | None = None
    values: list[Field] = field(default_factory=list)
    strings: int = 0
    outside: bool = False
    external: dict[str, str] = field(default_factory=dict)


def read_tensor(wire: Wire, message: Field) -> TensorEntry:
    """Return what a TensorProto says, its size held to its shape and type.  Raises A205."""
    said = _gather(wire, message)
    name, path = named(said.name), wire.path
    if not said.name:
        raise damaged(Fault.NONSENSE, path, f"a tensor at byte {message.begin:,} has no name")
    check_shape(path, said.name, said.dims)
    if said.kind not in TYPES:
        raise damaged(Fault.UNKNOWN_TYPE, path, f"{name} has the type {said.kind}")
    places = [said.raw is not None, bool(said.values), said.outside, bool(said.strings)]
    if sum(places) > 1:
        raise damaged(Fault.NONSENSE, path, f"{name} has its numbers in two places")
    home, begin, size = "", message.begin, message.end - message.begin
    if said.outside:
        home, begin, size = _outside(said, path)
    elif span := said.raw or _one_list(said):
        begin, size = span.begin, span.end - span.begin
    entry = TensorEntry(
        name=said.name,
        dtype=TYPES[said.kind],
        shape=tuple(said.dims),
        start=begin,
        size=size,
        home=home,
    )
    _check_size(wire, entry, said)
    return entry


def _gather(wire: Wire, message: Field) -> _Said:
    said = _Said()
    for one in wire.message(message):
        match one.number:
            case 1:
                said.dims += wire.varints(one)
            case 2:
                said.kind = one.value if one.kind == VARINT else 0
            case 3:
                raise damaged(Fault.UNSUPPORTED, wire.path, "a tensor that is cut into segments")
            case 8:
                said.name = wire.text(one)
            case 9:
                said.raw = one
            case 6:
                said.strings += 1
            case 13:
                pair = {part.number: wire.text(part) for part in wire.message(one)}
                said.external[pair.get(1, "")] = pair.get(2, "")
            case 14:
                said.outside = one.value == 1
            case number if number in _LISTS and one.end > one.begin:
                said.values.append(one)
    return said


def _one_list(said: _Said) -> Field | None:
    """Return the numbers where they stand in one piece, as they are in memory."""
    first = said.values[0] if len(said.values) == 1 else None
    plain = first and first.kind == LENGTH and _PLAIN.get(first.number) == TYPES[said.kind]
    return first if plain else None


def _outside(said: _Said, path: Path) -> tuple[str, int, int]:
    """Return the file beside it that has a tensor's bytes, and where they stand in it."""
    place = said.external.get("location", "")
    try:
        begin = int(said.external.get("offset") or "0")
        size = int(said.external.get("length") or "-1")
    except ValueError:
        raise damaged(Fault.NONSENSE, path, f"{named(said.name)}: no offset or length") from None
    if not place or begin < 0:
        raise damaged(Fault.NONSENSE, path, f"{named(said.name)} does not say where it is")
    check_beside(path, place)
    if size < 0:  # it may be left out: the rest of the file, which the size check then bounds
        size = bytes_of(TYPES[said.kind], _product(said.dims)) if TYPES[said.kind] in BITS else 0
    return place, begin, size


def check_beside(path: Path, place: str) -> Path:
    """Return where a file that a model names stands; raises A205 unless it is inside of its folder."""
    parts = (*PurePosixPath(place).parts, *PureWindowsPath(place).parts)
    folder = path.absolute().parent
    outside = (
        "\0" in place
        or ".." in parts
        or PurePosixPath(place).is_absolute()
        or bool(PureWindowsPath(place).anchor)
    )
    if not outside:
        try:
            found = (folder / place).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name that is too long
            outside = True
        else:
            outside = not found.is_relative_to(folder.resolve())
    if outside:
        raise damaged(Fault.OUTSIDE, path, named(place))
    return folder / place


def _product(dims: list[int]) -> int:
    numbers = 1
    for dim in dims:
        numbers *= dim
    return numbers


def _check_size(wire: Wire, entry: TensorEntry, said: _Said) -> None:
    path, name = wire.path, named(entry.name)
    what = f"{name}, {entry.dtype} {list(entry.shape)}"
    if entry.dtype == "STRING":
        if said.strings != entry.numbers:
            raise damaged(Fault.WRONG_SIZE, path, f"{what}, has {said.strings:,} texts")
        return
    if said.raw or said.outside:
        if entry.size != bytes_of(entry.dtype, entry.numbers):
            raise damaged(Fault.WRONG_SIZE, path, f"{what}, has {entry.size:,} bytes")
        return
    if len({one.number for one in said.values}) > 1:
        raise damaged(Fault.NONSENSE, path, f"{name} has its numbers in two places")
    wanted = entry.numbers * (2 if entry.dtype[0] == "C" else 1)
    if BITS[entry.dtype] < 8:  # several in one number of int32_data
        wanted = -(-wanted * BITS[entry.dtype] // 8)
    found = sum(_count(wire, one) for one in said.values)
    if found != wanted:
        raise damaged(Fault.WRONG_SIZE, path, f"{what}, has {found:,} numbers")


def _count(wire: Wire, values: Field) -> int:
    """Return how many numbers a field of values has."""
    if values.kind in (VARINT, FIXED32, FIXED64):
        return 1
    size = values.end - values.begin
    if width := _WIDTHS.get(values.number):
        return size // width if size % width == 0 else -1
    # Every varint ends with the one byte of it that is below 128.
    return len(bytes(wire.data[values.begin : values.end]).translate(None, _HIGH))


def tensor_numbers(path: Path, entry: TensorEntry, raw: memoryview, *, whole: bool) -> Any:
    """Return a tensor as an array; ``whole`` where its bytes are the TensorProto itself.

    Raises A205 where ``onnx`` itself cannot make numbers of it.
    """
    if entry.dtype == "STRING":
        raise damaged(Fault.UNSUPPORTED, path, f"{named(entry.name)} is a list of texts")
    if not whole and BITS[entry.dtype] >= 8:
        return plain_numbers(entry.dtype, raw, entry.shape, path=path)
    import numpy as np

    onnx = extra("onnx")
    try:
        proto = onnx.TensorProto.FromString(bytes(raw)) if whole else onnx.TensorProto()
        if not whole:
            kind = next(number for number, name in TYPES.items() if name == entry.dtype)
            proto.data_type, proto.raw_data = kind, bytes(raw)
            proto.dims.extend(entry.shape)
        found = extra("onnx.numpy_helper").to_array(proto)
    except (ValueError, TypeError, extra("google.protobuf.message").DecodeError) as problem:
        what = f"{named(entry.name)}: {named(str(problem))}"
        raise damaged(Fault.NONSENSE, path, what) from None
    if entry.dtype[0] == "F" or entry.dtype == "BF16":
        return found.astype(np.float32, copy=False)
    return (
        found.astype(np.int8 if entry.dtype[0] == "I" else np.uint8)
        if BITS[entry.dtype] < 8
        else found
    )
