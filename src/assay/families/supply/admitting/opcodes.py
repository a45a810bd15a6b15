"""Pickles told by their opcodes, followed without doing what they say.

The machine is that of ``pickle.Unpickler``: a stack, marks, a memo.  An import that is called counts whether
or not the stream comes to its end, since the unpickler has called by then.

*Covered*: protocols 0 to 5, with and without the opcode that names the protocol; several pickles in a row;
streams that break off, or are nonsense after a call; skipped over are texts and bytes of any length.
*Not covered*: what the names mean (``builtins.dict`` is as much a call as ``os.system``); an import alone, of
protocol 0, in a stream that breaks off after it; pickles that do not begin at the first byte.
"""

from __future__ import annotations

import pickletools
import re
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import mmap
from typing import TypeAlias

Bytes: TypeAlias = bytes | mmap

MOST_OPCODES = 200_000
MOST_CALLS = 16
"""That are told: one would do."""

SHOWN = 120
"""Characters that are kept of a text: a name of a module is shorter."""

NEWEST = 5
_CODES = {ord(op.code): op for op in pickletools.opcodes}
_WHOLE = re.compile(rb"\s*[+-]?[0-9a-fA-FxXoObB_]+L?\s*")
"""More than any unpickler takes: 0x10 is a whole number to them, too."""

_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_PLAIN, _MARK, _MADE = object(), object(), object()
"""What stands on the stack beside names and texts: data, a mark, the result of a call."""


@dataclass(frozen=True, slots=True)
class _Imported:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickled:
    """What a stream of opcodes does."""

    protocol: int | None
    """As it says itself; None where it does not."""

    calls: tuple[str, ...]
    """What it calls: ``posix.system``; ``?`` for what only a run would tell."""

    imports: tuple[str, ...]
    ends: bool
    """Whether it comes to its end."""

    whole: bool
    """Whether it ends where the file does."""

    opcodes: int

    @property
    def is_code(self) -> bool:
        """Whether reading it runs something, or would seem to."""
        meant = self.whole or bool(self.imports) or self.protocol is not None
        return bool(self.calls) or (self.ends and meant) or self.opcodes >= MOST_OPCODES


class _EndError(Exception):
    """An unpickler would stop here."""


@dataclass(slots=True)
class _Machine:
    data: Bytes
    at: int = 0
    stack: list[object] = field(default_factory=list)
    memo: dict[int, object] = field(default_factory=dict)
    protocol: int | None = None
    calls: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    ended_at: int = -1
    opcodes: int = 0

    def run(self) -> None:
        while self.opcodes < MOST_OPCODES and len(self.calls) < MOST_CALLS:
            self.step()

    def step(self) -> None:
        """Follow one opcode; ``_EndError`` where an unpickler would give up."""
        op = _CODES.get(self.take(1)[0])
        if op is None:
            raise _EndError
        argument = self.argument(op)
        self.opcodes += 1
        name = op.name
        if name in _SPECIAL:
            _SPECIAL[name](self, argument)
            return
        popped = self.pop_for(op)
        if name in _FILLS and popped[0] is not _PLAIN:
            self.call(
                popped[0]
            )  # ``append``, ``extend``, ``add`` or ``__setitem__`` of what was imported
        if name == "BUILD":
            if isinstance(popped[0], _Imported) or popped[0] is _MADE:
                self.call(popped[0])
            self.stack.append(popped[0])  # data takes an empty state, and stays
            return
        if name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ"):
            self.call(popped[0] if popped else _PLAIN)
            self.stack.append(_MADE)
            return
        is_text = op.arg is not None and op.stack_after == [pickletools.pyunicode]
        pushed: object = _PLAIN
        if is_text or name in ("STRING", "BINSTRING", "SHORT_BINSTRING"):
            pushed = argument.decode("utf-8", "replace")
        elif name in ("NEXT_BUFFER", "READONLY_BUFFER", "PERSID", "BINPERSID"):
            pushed = _MADE
        self.stack.extend(pushed for _ in op.stack_after)

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise _EndError
        self.at += count
        return bytes(piece)

    def line(self, name: str) -> bytes:
        """Return the beginning of a line; of a last one without an end unpicklers drop a letter."""
        end = self.data.find(b"\n", self.at)
        end = len(self.data) - 1 if end < 0 else end
        if end < self.at:
            raise _EndError
        found = bytes(self.data[self.at : min(end, self.at + SHOWN)])
        quoted = found[:1] + bytes(self.data[max(end - 1, self.at + 1) : end])
        if not _is_right(name, found, quoted):
            raise _EndError
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
            raise _EndError
        start, self.at = self.at, self.at + length
        return bytes(self.data[start : start + min(length, SHOWN)])

    def pop_for(self, op: pickletools.OpcodeInfo) -> list[object]:
        """Return what an opcode takes from the stack, the lowest first."""
        before = list(op.stack_before)
        above: list[object] = []
        if pickletools.stackslice in before:
            above = self.pop_to_mark()
            before = before[: before.index(pickletools.markobject)]
        if len(self.stack) < len(before) or _MARK in self.stack[len(self.stack) - len(before) :]:
            raise _EndError
        lower = [self.stack.pop() for _ in before][::-1]
        return lower + above

    def pop_to_mark(self) -> list[object]:
        above: list[object] = []
        while self.stack:
            if (top := self.stack.pop()) is _MARK:
                return above[::-1]
            above.append(top)
        raise _EndError

    def top(self) -> object:
        if not self.stack or self.stack[-1] is _MARK:
            raise _EndError
        return self.stack[-1]

    def call(self, what: object) -> None:
        if isinstance(what, _Imported):
            self.calls.append(what.name)
        elif what is _MADE:
            self.calls.append("?")
        else:  # a number or a text is not called
            raise _EndError

    def bring(self, name: str) -> _Imported:
        self.imports.append(name)
        return _Imported(name)


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


_FILLS = frozenset({"APPEND", "APPENDS", "ADDITEMS", "SETITEM", "SETITEMS"})


def _mark(machine: _Machine, _: bytes) -> None:
    machine.stack.append(_MARK)


def _pop(machine: _Machine, _: bytes) -> None:
    if not machine.stack:
        raise _EndError
    machine.stack.pop()


def _dup(machine: _Machine, _: bytes) -> None:
    machine.stack.append(machine.top())


def _proto(machine: _Machine, argument: bytes) -> None:
    if argument[0] > NEWEST:
        raise _EndError
    machine.protocol = max(machine.protocol or 0, argument[0])


def _nothing(machine: _Machine, _: bytes) -> None:
    """Frames change nothing here."""


def _stop(machine: _Machine, _: bytes) -> None:
    machine.top()
    machine.ended_at = machine.at
    machine.stack.clear()
    machine.memo.clear()


def _put(machine: _Machine, argument: bytes) -> None:
    machine.memo[int.from_bytes(argument, "little")] = machine.top()


def _put_line(machine: _Machine, argument: bytes) -> None:
    machine.memo[int(argument)] = machine.top()


def _memoize(machine: _Machine, _: bytes) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _get(machine: _Machine, argument: bytes) -> None:
    _recall(machine, int.from_bytes(argument, "little"))


def _get_line(machine: _Machine, argument: bytes) -> None:
    _recall(machine, int(argument))


def _recall(machine: _Machine, index: int) -> None:
    if index not in machine.memo:
        raise _EndError
    machine.stack.append(machine.memo[index])


def _named(argument: bytes) -> str:
    module, _, name = argument.decode("utf-8", "replace").partition("\n")
    if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
        raise _EndError  # nothing of that name can be imported
    return f"{module}.{name}"[:SHOWN]


def _global(machine: _Machine, argument: bytes) -> None:
    machine.stack.append(machine.bring(_named(argument)))


def _inst(machine: _Machine, argument: bytes) -> None:
    machine.pop_to_mark()
    machine.call(machine.bring(_named(argument)))
    machine.stack.append(_MADE)


def _stack_global(machine: _Machine, _: bytes) -> None:
    machine.top()
    name = machine.stack.pop()
    machine.top()
    module = machine.stack.pop()
    if _PLAIN in (name, module):
        raise _EndError
    texts = (each if isinstance(each, str) else "?" for each in (module, name))
    machine.stack.append(machine.bring(".".join(texts)))


def _extension(machine: _Machine, argument: bytes) -> None:
    machine.stack.append(machine.bring(f"extension {int.from_bytes(argument, 'little')}"))


_SPECIAL = {
    "MARK": _mark, "POP": _pop, "DUP": _dup, "PROTO": _proto, "FRAME": _nothing, "STOP": _stop,
    "PUT": _put_line, "BINPUT": _put, "LONG_BINPUT": _put, "MEMOIZE": _memoize,
    "GET": _get_line, "BINGET": _get, "LONG_BINGET": _get,
    "GLOBAL": _global, "INST": _inst, "STACK_GLOBAL": _stack_global,
    "EXT1": _extension, "EXT2": _extension, "EXT4": _extension,
}  # fmt: skip


def follow(data: Bytes) -> Pickled:
    r"""Follow the opcodes from the first byte on, as far as an unpickler would go.

    >>> follow(b"cos\nsystem\n(S'id'\ntR").calls
    ('os.system',)
    >>> follow(b"cat\nsat\non the mat\n").is_code
    False
    """
    machine = _Machine(data)
    with suppress(_EndError):
        machine.run()
    return Pickled(
        protocol=machine.protocol,
        calls=tuple(dict.fromkeys(machine.calls)),
        imports=tuple(dict.fromkeys(machine.imports)),
        ends=machine.ended_at >= 0,
        whole=machine.ended_at == len(data),
        opcodes=machine.opcodes,
    )
