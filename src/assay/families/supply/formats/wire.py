"""Protocol buffers as they lie in a file: fields, walked without a schema and without copying.

The format: protobuf.dev/programming-guides/encoding.  *Covered*: a walk ends at the bounds it was given, and
after a bounded number of fields.  *Not covered*: whether a field has a type that its message gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..faults import Fault, damaged
from .mapped import Mapped

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MOST_FIELDS = 2**20
"""Fields that are looked at, of all messages together."""


class Field(NamedTuple):
    """A field: its number and kind; its value where it is a varint; where its bytes stand."""

    number: int
    kind: int
    value: int
    begin: int
    end: int


class Wire:
    """The messages in a mapped file."""

    def __init__(self, mapped: Mapped) -> None:
        self.data, self.path, self.size = mapped.data, mapped.path, mapped.size
        self._left = MOST_FIELDS

    def fields(self, begin: int, end: int) -> Iterator[Field]:
        """Yield the fields of the message between two bytes.  Raises ``DataError`` A205."""
        data, at = self.data, begin
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise damaged(Fault.OVERSIZED, self.path, f"it has over {MOST_FIELDS:,} fields")
            tag, after = data[at], at + 1  # nearly always one byte
            if tag >= 0x80:
                tag, after = self._varint(at, end)
            number, kind = tag >> 3, tag & 7
            if not number:
                raise self._wrong(at, end)
            value, start = 0, after
            if kind == VARINT:
                value, after = self._varint(after, end)
            elif kind == LENGTH:
                size, start = self._varint(after, end)
                after = start + size
            elif kind in (FIXED32, FIXED64):
                after += 4 if kind == FIXED32 else 8
            else:
                raise self._wrong(at, end)
            if after > end:
                what = f"field {number} at byte {at:,} would end at {after:,} of {end:,}"
                raise damaged(
                    Fault.TRUNCATED if end == self.size else Fault.NONSENSE, self.path, what
                )
            yield Field(number, kind, value, start, after)
            at = after

    def text(self, field: Field) -> str:
        """Return a field that is a text."""
        if field.kind != LENGTH:
            raise damaged(Fault.NONSENSE, self.path, f"no text at byte {field.begin:,}")
        return str(self.data[field.begin : field.end], "utf-8", "surrogateescape")

    def message(self, field: Field) -> Iterator[Field]:
        """Yield the fields of a field that is a message."""
        if field.kind != LENGTH:
            raise damaged(Fault.NONSENSE, self.path, f"no message at byte {field.begin:,}")
        return self.fields(field.begin, field.end)

    def varints(self, field: Field) -> list[int]:
        """Return the whole numbers of a field that may repeat: one, or packed; negative ones too."""
        if field.kind == VARINT:
            return [signed(field.value)]
        found, at = [], field.begin
        while field.kind == LENGTH and at < field.end:
            value, at = self._varint(at, field.end)
            found.append(signed(value))
            if len(found) > 1000:
                raise damaged(Fault.OVERSIZED, self.path, f"numbers at byte {field.begin:,}")
        return found

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 70:
            byte = self.data[at]
            value |= (byte & 0x7F) << shift
            at += 1
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, at
            shift += 7
        raise self._wrong(at, end)

    def _wrong(self, at: int, end: int) -> Exception:
        cut = at >= end == self.size
        what = f"byte {at:,} is no beginning or number of a field"
        return damaged(Fault.TRUNCATED if cut else Fault.NONSENSE, self.path, what)


def signed(value: int) -> int:
    """Return a number of 64 bits as one that may be negative.

    >>> signed(2**64 - 1)
    -1
    """
    return value - 2**64 if value >= 2**63 else value
