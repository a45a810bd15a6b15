"""Safetensors files: a head in JSON, then the bytes of every tensor without a gap.

The format: github.com/huggingface/safetensors, README; what its own library refuses is refused here, and
names that come twice too.

*Covered*: what is not of the head's form ends before anything is built of it, so that a file takes no more
than a few times the bytes of its head; every byte of the file belongs to one tensor.  *Not covered*:
damage of the weights, which only a digest tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from ..faults import Fault, damaged
from ..header import ModelFile, ModelHeader, TensorEntry
from .mapped import Mapped
from .opened import open_mapped
from .plain_numbers import BITS, bytes_of, plain_numbers
from .spans import MOST_TENSORS, check_end, check_shape, in_order, named

LONGEST_HEAD = 100_000_000
"""Bytes, as the format's own library allows."""

LONGEST_ENTRY = 2**12
"""Bytes that are said of one tensor, its name left out."""

MOST_TEXTS = 2**16
"""Entries of the metadata."""

_TYPES = frozenset(BITS) - {"C128", "U4", "I4", "U2", "I2"}
_METADATA = "__metadata__"

Whole = Annotated[int, msgspec.Meta(ge=0)]


class _Entry(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    dtype: str
    shape: list[Whole]
    data_offsets: tuple[Whole, Whole]


class _Key:
    """A key that equals no other, so that one that comes twice stays in a dictionary twice."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _TooManyError(ValueError):
    pass


_ENTRY = msgspec.json.Decoder(_Entry)
_TEXTS = msgspec.json.Decoder(dict[str, str] | None)


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that begins so is meant to be one: eight bytes of length, then an object."""
    return head[8:9] == b"{" and head[9:].lstrip()[:1] in (b'"', b"}", b"")


def open_safetensors(path: Path) -> ModelFile:
    """Open a safetensors file and check its head whole.

    Raises ``DataError`` A205, with a sentence for each fault, ``PluginError`` A403 for no file.
    """
    return open_mapped(path, read=_read, decode=_numbers)


def _numbers(path: Path, entry: TensorEntry, raw: memoryview) -> Any:
    return plain_numbers(entry.dtype, raw, entry.shape, path=path)


def _read(mapped: Mapped) -> ModelHeader:
    path, size = mapped.path, mapped.size
    length = int.from_bytes(mapped.data[:8], "little")
    if length > LONGEST_HEAD:
        raise damaged(Fault.OVERSIZED, path, f"its head would have {length:,} bytes")
    begin = 8 + length
    if size < max(begin, 10):
        raise damaged(Fault.TRUNCATED, path, f"{size:,} bytes, the head alone takes {begin:,}")
    metadata, pieces = _pieces(mapped.data[8:begin], path)
    placed = in_order(path, [_entry(path, key.name, raw, begin) for key, raw in pieces.items()])
    end = begin
    for entry in placed:
        if entry.start > end:
            gap = f"{entry.start - end:,} bytes before {named(entry.name)}"
            raise damaged(Fault.HOLE, path, gap)
        end = entry.start + entry.size
    check_end(path, size, end)
    return ModelHeader(
        format="safetensors",
        variant="one file",
        size=size,
        tensors=tuple(placed),
        metadata=metadata,
        notes=_notes(placed),
    )


def _pieces(head: memoryview, path: Path) -> tuple[dict[str, str], dict[_Key, msgspec.Raw]]:
    """Return the metadata, and what is said of each tensor, not yet parsed."""
    if bytes(head[:1]) != b"{":
        raise damaged(Fault.NONSENSE, path, "its head does not begin with {")
    found = _object(head, path, most=MOST_TENSORS)
    texts = [key for key in found if key.name == _METADATA]
    if len(texts) > 1:
        raise damaged(Fault.NONSENSE, path, f"it has {_METADATA} twice")
    seen: set[str] = set()
    for key in found:
        if key.name in seen:
            raise damaged(Fault.DUPLICATE, path, named(key.name))
        seen.add(key.name)
    text = found.pop(texts[0]) if texts else msgspec.Raw(b"null")
    if bytes(memoryview(text)[:1]) == b"{":
        _object(text, path, most=MOST_TEXTS)
    try:
        metadata = _TEXTS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise damaged(Fault.NONSENSE, path, f"{_METADATA}: {named(str(problem))}") from None
    return metadata or {}, found


def _object(text: memoryview | msgspec.Raw, path: Path, *, most: int) -> dict[_Key, msgspec.Raw]:
    """Return the pairs of a JSON object, each value as it stands."""
    left = most

    def key(_kind: type, name: str) -> _Key:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooManyError
        return _Key(name)

    try:
        return msgspec.json.decode(text, type=dict[_Key, msgspec.Raw], dec_hook=key)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        if left < 0:
            raise damaged(Fault.OVERSIZED, path, f"it has more than {most:,} entries") from None
        raise damaged(Fault.NONSENSE, path, f"its head: {named(str(problem))}") from None


def _entry(path: Path, name: str, text: msgspec.Raw, begin: int) -> TensorEntry:
    if len(memoryview(text)) > LONGEST_ENTRY:
        what = f"the entry of {named(name)} has over {LONGEST_ENTRY:,} bytes"
        raise damaged(Fault.OVERSIZED, path, what)
    try:
        found = _ENTRY.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        what = f"the entry of {named(name)}: {named(str(problem))}"
        raise damaged(Fault.NONSENSE, path, what) from None
    if len(_object(text, path, most=6)) != 3:
        raise damaged(Fault.NONSENSE, path, f"the entry of {named(name)} says something twice")
    check_shape(path, name, found.shape)
    if found.dtype not in _TYPES:
        raise damaged(Fault.UNKNOWN_TYPE, path, f"{named(name)} is {named(found.dtype)}")
    first, after = found.data_offsets
    entry = TensorEntry(
        name=name,
        dtype=found.dtype,
        shape=tuple(found.shape),
        start=begin + first,
        size=max(after - first, 0),
    )
    bits = entry.numbers * BITS[found.dtype]
    if after < first or bits % 8 or bytes_of(found.dtype, entry.numbers) != entry.size:
        what = f"{named(name)}, {found.dtype} {list(entry.shape)}, has {after - first:,} bytes"
        raise damaged(Fault.WRONG_SIZE, path, what)
    return entry


def _notes(tensors: list[TensorEntry]) -> tuple[str, ...]:
    uneven = [t.name for t in tensors if t.size and t.start % max(BITS[t.dtype] // 8, 1)]
    if not uneven:
        return ()
    what = f"tensors that do not begin at a multiple of their number's size: {len(uneven):,}"
    return (f"{what}, {named(uneven[0])} for one",)
