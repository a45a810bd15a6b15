"""ONNX files: a graph and its initialisers in one protocol buffer, or with bytes in files beside it.

The messages: onnx/onnx.proto.  *Covered*: the frame of every node and the place, type and size of every
initialiser; files beside it are looked at inside of its folder only.  *Not covered*: the arguments of nodes,
which only ``onnx.checker`` and a runtime read; damage of the weights, which only a digest tells.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from assay import DataError

from ..faults import Fault, damaged
from ..header import ModelFile, ModelHeader, TensorEntry
from .mapped import Mapped
from .onnx_tensors import TYPES, check_beside, read_tensor, tensor_numbers
from .opened import OpenModel
from .spans import MOST_TENSORS, in_order, named
from .wire import LENGTH, VARINT, Field, Wire

LONGEST = 2**31
"""Bytes: a protocol buffer has no more."""

_MOST_VALUES = 2**16
_LARGE = 1024
"""Bytes from which a node holds more than its arguments."""

_MODEL = {1: VARINT, 2: LENGTH, 3: LENGTH, 4: LENGTH, 5: VARINT, 6: LENGTH, 7: LENGTH, 8: LENGTH,
          14: LENGTH, 20: LENGTH, 25: LENGTH, 26: LENGTH}  # fmt: skip
"""The fields of a ModelProto, and what each is on the wire."""

_TEXTS = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}


@dataclass(slots=True)
class _Model:
    """What was gathered of a file."""

    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: list[TensorEntry] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    operators: Counter[str] = field(default_factory=Counter)
    domains: set[str] = field(default_factory=set)
    in_nodes: int = 0
    sparse: int = 0
    graphs: int = 0


def looks_like_onnx(mapped: Mapped) -> bool:
    """Whether a file is meant to be a ModelProto: the only format here that has no magic number."""
    head = mapped.data[:4]
    wire = Wire(mapped)
    if len(head) >= 3 and head[0] == 0x08 and head[1] < 0x80:
        return _MODEL.get(head[2] >> 3) == head[2] & 7
    seen: list[int] = []
    try:
        for one in wire.fields(0, mapped.size):
            if _MODEL.get(one.number) != one.kind or len(seen) > 1000:
                return False
            seen.append(one.number)
    except DataError:
        return False
    return 7 in seen


def open_onnx(path: Path) -> ModelFile:
    """Open an ONNX file and check its initialisers, those in files beside it too.

    Raises ``DataError`` A205, with a sentence for each fault, ``PluginError`` A403 for no file.
    """
    maps = {"": Mapped(path)}
    try:
        found = _read(maps[""])
        for home in sorted({one.home for one in found.tensors} - {""}):
            maps[home] = _beside(path, home)
        tensors = _checked(path, found.tensors, maps)
        header = ModelHeader(
            format="onnx",
            variant=f"IR {found.metadata.get('ir_version', '?')}",
            size=maps[""].size,
            tensors=tuple(tensors),
            metadata=found.metadata,
            notes=tuple(_notes(found, maps)),
        )
    except BaseException:
        for mapped in maps.values():
            mapped.close()
        raise
    return OpenModel(header, maps, path=path, decode=partial(_numbers, path, found.whole))


def _numbers(path: Path, whole: set[str], entry: TensorEntry, raw: memoryview) -> Any:
    return tensor_numbers(path, entry, raw, whole=entry.name in whole)


def _read(mapped: Mapped) -> _Model:
    if mapped.size > LONGEST:
        raise damaged(
            Fault.OVERSIZED, mapped.path, f"{mapped.size:,} bytes; ONNX has 2 GiB at most"
        )
    wire, found = Wire(mapped), _Model()
    for one in wire.fields(0, mapped.size):
        if _MODEL.get(one.number, one.kind) != one.kind:
            raise damaged(Fault.NONSENSE, mapped.path, f"field {one.number} at {one.begin:,}")
        if one.number not in _MODEL:
            what = f"field {one.number} at byte {one.begin:,}, which no ONNX file has"
            raise damaged(Fault.TRAILING if found.graphs else Fault.NONSENSE, mapped.path, what)
        _model_field(wire, one, found)
    if found.graphs != 1:
        what = "it has no graph" if not found.graphs else "it has two graphs"
        raise damaged(Fault.NONSENSE, mapped.path, what)
    found.metadata["operators"] = dict(found.operators.most_common())
    return found


def _model_field(wire: Wire, one: Field, found: _Model) -> None:
    metadata = found.metadata
    match one.number:
        case 1:
            metadata["ir_version"] = one.value
        case 5:
            metadata["model_version"] = one.value
        case 7:
            found.graphs += 1
            _graph(wire, one, found)
        case 8:
            parts = {part.number: part for part in wire.message(one)}
            domain = wire.text(parts[1]) if 1 in parts else ""
            metadata.setdefault("opset", {})[domain] = parts[2].value if 2 in parts else 0
        case 14:
            pair = {part.number: wire.text(part) for part in wire.message(one)}
            metadata.setdefault("properties", {})[pair.get(1, "")] = pair.get(2, "")
        case number if number in _TEXTS:
            metadata[_TEXTS[number]] = wire.text(one)
        case _:
            for _each in wire.message(one):  # its frame is held to its bounds
                pass


def _graph(wire: Wire, message: Field, found: _Model) -> None:
    for one in wire.message(message):
        match one.number:
            case 1:
                _node(wire, one, found)
            case 2:
                found.metadata["graph"] = wire.text(one)
            case 5:
                if len(found.tensors) >= MOST_TENSORS:
                    what = f"it has more than {MOST_TENSORS:,} initialisers"
                    raise damaged(Fault.OVERSIZED, wire.path, what)
                entry = read_tensor(wire, one)
                found.tensors.append(entry)
                if (entry.start, entry.size) == (one.begin, one.end - one.begin) and not entry.home:
                    found.whole.add(entry.name)
            case 11 | 12:
                values = found.metadata.setdefault("inputs" if one.number == 11 else "outputs", [])
                if len(values) >= _MOST_VALUES:
                    raise damaged(Fault.OVERSIZED, wire.path, "it has too many inputs or outputs")
                values.append(_value(wire, one))
            case 15:
                found.sparse += 1


def _node(wire: Wire, message: Field, found: _Model) -> None:
    operator = domain = ""
    for one in wire.message(message):
        if one.number == 4:
            operator = wire.text(one)
        elif one.number == 7:
            domain = wire.text(one)
    shown = f"{domain}.{operator}" if domain else operator
    # So that a file of nothing but new names does not grow in memory.
    found.operators[
        shown if shown in found.operators or len(found.operators) < 1000 else "..."
    ] += 1
    if len(found.domains) < 100:
        found.domains.add(domain)
    if message.end - message.begin > _LARGE:
        found.in_nodes += message.end - message.begin


def _value(wire: Wire, message: Field) -> dict[str, Any]:
    """Return an input or output: its name, type and shape, as far as it says them."""
    said: dict[str, Any] = {"name": "", "dtype": "", "shape": None}
    for one in wire.message(message):
        if one.number == 1:
            said["name"] = wire.text(one)
        elif one.number == 2:
            for kind in wire.message(one):
                if kind.number == 1:  # a tensor, and no sequence, map or optional
                    _tensor_type(wire, kind, said)
    return said


def _tensor_type(wire: Wire, message: Field, said: dict[str, Any]) -> None:
    for one in wire.message(message):
        if one.number == 1:
            said["dtype"] = TYPES.get(one.value, str(one.value))
        elif one.number == 2:
            said["shape"] = [
                next(
                    (
                        part.value if part.number == 1 else wire.text(part)
                        for part in wire.message(dim)
                        if part.number in (1, 2)
                    ),
                    "?",
                )
                for dim in wire.message(one)
                if dim.number == 1
            ]


def _beside(path: Path, home: str) -> Mapped:
    place = check_beside(path, home)
    if not place.is_file():
        raise damaged(Fault.INCOMPLETE, path, f"its weights stand in {named(home)}")
    return Mapped(place)


def _checked(path: Path, tensors: list[TensorEntry], maps: dict[str, Mapped]) -> list[TensorEntry]:
    """Return the tensors by their place, those of the file itself first."""
    seen: set[str] = set()
    for entry in tensors:
        if entry.name in seen:
            raise damaged(Fault.DUPLICATE, path, named(entry.name))
        seen.add(entry.name)
        if entry.start + entry.size > maps[entry.home].size:
            what = f"{named(entry.home)} has {maps[entry.home].size:,} bytes"
            end = f"{named(entry.name)} would end at {entry.start + entry.size:,}"
            raise damaged(Fault.TRUNCATED, path, f"{what}, {end}")
    # Two names for the very same bytes are how ONNX ties weights; any other overlap is none of its.
    tied = {(entry.home, entry.start, entry.size): entry for entry in reversed(tensors)}
    in_order(path, tied.values())
    return sorted(tensors, key=lambda entry: (entry.home, entry.start))


def _notes(found: _Model, maps: dict[str, Mapped]) -> list[str]:
    notes = []
    if len(maps) > 1:
        names = ", ".join(named(home) for home in list(maps)[1:4])
        size = sum(mapped.size for home, mapped in maps.items() if home)
        notes.append(f"its weights stand in files beside it: {names}, {size:,} bytes")
    if found.in_nodes:
        notes.append(f"{found.in_nodes:,} bytes stand in large nodes, and in no list of tensors")
    if found.sparse:
        notes.append(f"{found.sparse:,} sparse tensors are not looked at")
    if own := sorted(found.domains - {"", "ai.onnx", "ai.onnx.ml"}):
        notes.append(f"it needs operators of {', '.join(map(named, own[:5]))}")
    return notes
