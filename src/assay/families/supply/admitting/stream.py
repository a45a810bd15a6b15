"""Opcodes of a pickle and their arguments, read one by one: texts and bytes of any length are skipped over."""

from __future__ import annotations

import pickletools
import re
from dataclasses import dataclass
from mmap import mmap
from typing import TypeAlias

Bytes: TypeAlias = bytes | mmap

SHOWN = 120
"""Characters that are kept of a text: a name of a module is shorter."""

_CODES = {ord(op.code): op for op in pickletools.opcodes}
_WHOLE = re.compile(rb"\s*[+-]?[0-9a-fA-FxXoObB_]+L?\s*")
"""More than any unpickler takes: 0x10 is a whole number to them, too."""

_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


class EndError(Exception):
    """An unpickler would stop here."""


@dataclass(slots=True)
class Opcodes:
    """Reads opcodes from the first byte on; raises ``EndError`` where an unpickler would give up."""

    data: Bytes
    at: int = 0

    def opcode(self) -> pickletools.OpcodeInfo:
        """Return the next opcode."""
        op = _CODES.get(self.take(1)[0])
        if op is None:
            raise EndError
        return op

    def take(self, count: int) -> bytes:
        """Return so many bytes."""
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise EndError
        self.at += count
        return bytes(piece)

    def line(self, name: str) -> bytes:
        """Return the beginning of a line; of a last one without an end unpicklers drop a letter."""
        end = self.data.find(b"\n", self.at)
        end = len(self.data) - 1 if end < 0 else end
        if end < self.at:
            raise EndError
        found = bytes(self.data[self.at : min(end, self.at + SHOWN)])
        quoted = found[:1] + bytes(self.data[max(end - 1, self.at + 1) : end])
        if not _is_right(name, found, quoted):
            raise EndError
        self.at = end + 1
        return found

    def argument(self, op: pickletools.OpcodeInfo) -> bytes:
        """Return an opcode's argument, of a long one the beginning."""
        if op.arg is None:
            return b""
        size = op.arg.n
        if size == pickletools.UP_TO_NEWLINE:
            line = self.line(op.name)
            return line + b"\n" + self.line("") if op.name in ("GLOBAL", "INST") else line
        if size >= 0:
            return self.take(size)
        signed = size == pickletools.TAKEN_FROM_ARGUMENT4
        length = int.from_bytes(self.take(_LENGTHS[size]), "little", signed=signed)
        if not 0 <= length <= len(self.data) - self.at:
            raise EndError
        start, self.at = self.at, self.at + length
        return bytes(self.data[start : start + min(length, SHOWN)])


def _is_right(name: str, line: bytes, quoted: bytes) -> bool:
    """Whether the unpickler would read that line after the opcode of that name.

    ``quoted`` is the line's first and last byte.
    """
    match name:
        case "INT" | "LONG":
            return bool(_WHOLE.fullmatch(line))
        case "GET" | "PUT":
            return _is(int, line)
        case "FLOAT":
            return _is(float, line)
        case "STRING":
            return quoted in (b"''", b'""')
        case _:
            return True


def _is(number: type[int | float], line: bytes) -> bool:
    try:
        number(line)
    except ValueError:
        return False
    return True
