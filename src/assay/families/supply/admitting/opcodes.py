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
from contextlib import suppress
from dataclasses import dataclass, field

from .stream import SHOWN, Bytes, EndError, Opcodes

MOST_OPCODES = 200_000
MOST_CALLS = 16
"""That are told: one would do."""

NEWEST = 5
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


@dataclass(slots=True)
class _Machine:
    read: Opcodes
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
        """Follow one opcode; ``EndError`` where an unpickler would give up."""
        op = self.read.opcode()
        argument = self.read.argument(op)
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

    def pop_for(self, op: pickletools.OpcodeInfo) -> list[object]:
        """Return what an opcode takes from the stack, the lowest first."""
        before = list(op.stack_before)
        above: list[object] = []
        if pickletools.stackslice in before:
            above = self.pop_to_mark()
            before = before[: before.index(pickletools.markobject)]
        if len(self.stack) < len(before) or _MARK in self.stack[len(self.stack) - len(before) :]:
            raise EndError
        lower = [self.stack.pop() for _ in before][::-1]
        return lower + above

    def pop_to_mark(self) -> list[object]:
        above: list[object] = []
        while self.stack:
            if (top := self.stack.pop()) is _MARK:
                return above[::-1]
            above.append(top)
        raise EndError

    def top(self) -> object:
        if not self.stack or self.stack[-1] is _MARK:
            raise EndError
        return self.stack[-1]

    def call(self, what: object) -> None:
        if isinstance(what, _Imported):
            self.calls.append(what.name)
        elif what is _MADE:
            self.calls.append("?")
        else:  # a number or a text is not called
            raise EndError

    def bring(self, name: str) -> _Imported:
        self.imports.append(name)
        return _Imported(name)


_FILLS = frozenset({"APPEND", "APPENDS", "ADDITEMS", "SETITEM", "SETITEMS"})


def _mark(machine: _Machine, _: bytes) -> None:
    machine.stack.append(_MARK)


def _pop(machine: _Machine, _: bytes) -> None:
    if not machine.stack:
        raise EndError
    machine.stack.pop()


def _dup(machine: _Machine, _: bytes) -> None:
    machine.stack.append(machine.top())


def _proto(machine: _Machine, argument: bytes) -> None:
    if argument[0] > NEWEST:
        raise EndError
    machine.protocol = max(machine.protocol or 0, argument[0])


def _nothing(machine: _Machine, _: bytes) -> None:
    """Frames change nothing here."""


def _stop(machine: _Machine, _: bytes) -> None:
    machine.top()
    machine.ended_at = machine.read.at
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
        raise EndError
    machine.stack.append(machine.memo[index])


def _named(argument: bytes) -> str:
    module, _, name = argument.decode("utf-8", "replace").partition("\n")
    if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
        raise EndError  # nothing of that name can be imported
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
        raise EndError
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
    machine = _Machine(Opcodes(data))
    with suppress(EndError):
        machine.run()
    return Pickled(
        protocol=machine.protocol,
        calls=tuple(dict.fromkeys(machine.calls)),
        imports=tuple(dict.fromkeys(machine.imports)),
        ends=machine.ended_at >= 0,
        whole=machine.ended_at == len(data),
        opcodes=machine.opcodes,
    )
