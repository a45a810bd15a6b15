"""The values in the head of a GGUF file, read one after another within bounds.

*Covered*: nothing is believed that the file has no bytes for, so that a head that claims 2**60 of something
ends at once; lists stay packed, so that a head takes no more than twice its bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from struct import Struct
from typing import overload

from ..faults import Fault, damaged
from .spans import named

_STRUCTS = {
    kind: Struct(f"<{code}")
    for kind, code in enumerate(["B", "b", "H", "h", "I", "i", "f", "?", "-", "-", "Q", "q", "d"])
    if code != "-"
}
_BOOL, _TEXT, _LIST = 7, 8, 9
_U32, _U64 = _STRUCTS[4], _STRUCTS[10]
_PACKED = {kind: "B" if kind == _BOOL else code.format[-1] for kind, code in _STRUCTS.items()}

LONGEST_HEAD = 2**28
"""Bytes: the largest vocabularies take about ten million."""

MOST_TEXTS = 2**22
"""Texts in all lists of a head together: the largest vocabularies have about 300,000, and as many merges."""

LONGEST_KEY = 2**16


class Texts(Sequence[str]):
    """The texts of a list, each decoded when it is asked for; bytes that are no UTF-8 stay, escaped."""

    def __init__(self, data: bytes, ends: array[int]) -> None:
        self._data, self._ends = data, ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        begin = (self._ends[at - 1] if at else 0) + 8
        return self._data[begin : self._ends[at]].decode("utf-8", "surrogateescape")


class Values:
    """A place in the head of a GGUF file, which moves on with each value that is read."""

    def __init__(self, data: memoryview, path: Path) -> None:
        self.at, self._path, self._size = 0, path, len(data)
        self._data = data[:LONGEST_HEAD]
        self._texts_left = MOST_TEXTS

    def _take(self, size: int) -> int:
        """Move on by so many bytes, and return where they begin."""
        begin = self.at
        if begin + size > len(self._data):
            if begin + size <= self._size:
                raise damaged(
                    Fault.OVERSIZED, self._path, f"its head has over {LONGEST_HEAD:,} bytes"
                )
            what = (
                f"{size:,} bytes are said to follow byte {begin:,}, and {self._size - begin:,} do"
            )
            # A claim beyond any real head is no download that was cut off.
            raise damaged(
                Fault.TRUNCATED if size <= LONGEST_HEAD else Fault.OVERSIZED, self._path, what
            )
        self.at += size
        return begin

    def u32(self) -> int:
        """Read a whole number of 32 bits."""
        return int(_U32.unpack_from(self._data, self._take(4))[0])

    def u64(self) -> int:
        """Read a whole number of 64 bits."""
        return int(_U64.unpack_from(self._data, self._take(8))[0])

    def count(self, what: str, *, smallest: int, most: int) -> int:
        """Read how many things follow, of at least so many bytes each."""
        found = self.u64()
        if found > most or found * smallest > self._size:
            raise damaged(Fault.OVERSIZED, self._path, f"it says that {found:,} {what} follow")
        return found

    def text(self, *, longest: int = LONGEST_HEAD) -> str:
        """Read a text; it must be UTF-8."""
        size = self.u64()
        if longest < size <= self._size:
            raise damaged(Fault.OVERSIZED, self._path, f"a name of {size:,} bytes at {self.at:,}")
        begin = self._take(size)
        try:
            return str(self._data[begin : self.at], "utf-8")
        except UnicodeDecodeError:
            raise damaged(Fault.NONSENSE, self._path, f"no UTF-8 at byte {begin:,}") from None

    def value(self, key: str) -> object:
        """Read a value of any kind, with its kind before it."""
        kind = self.u32()
        if kind == _TEXT:
            return self.text()
        if kind == _LIST:
            return self._list(key)
        if kind not in _STRUCTS:
            what = f"{named(key)} has the unknown kind {kind}"
            raise damaged(Fault.NONSENSE, self._path, what)
        code = _STRUCTS[kind]
        return code.unpack_from(self._data, self._take(code.size))[0]

    def _list(self, key: str) -> Sequence[object]:
        kind = self.u32()
        if kind == _TEXT:
            return self._texts(self.count("texts", smallest=8, most=2**60), key)
        if kind not in _STRUCTS:
            if kind == _LIST:
                raise damaged(Fault.UNSUPPORTED, self._path, f"{named(key)} is a list of lists")
            what = f"{named(key)} is a list of the unknown kind {kind}"
            raise damaged(Fault.NONSENSE, self._path, what)
        size = _STRUCTS[kind].size
        count = self.count("numbers", smallest=size, most=2**60)
        begin = self._take(count * size)
        found: array[int] | array[float] = array(_PACKED[kind])
        found.frombytes(self._data[begin : self.at])
        return found

    def _texts(self, count: int, key: str) -> Texts:
        self._texts_left -= count
        if self._texts_left < 0:
            what = f"{named(key)} has {count:,} texts; all lists may have {MOST_TEXTS:,}"
            raise damaged(Fault.OVERSIZED, self._path, what)
        ends: array[int] = array("Q")
        begin = at = self.at
        data, unpack, last = self._data, _U64.unpack_from, len(self._data) - 8
        for _ in range(count):
            if at > last:
                self.at = at
                self._take(8)  # which says what is wrong
            at += 8 + unpack(data, at)[0]
            ends.append(at - begin) if at <= last + 8 else self._take(at - begin)
        self.at = at
        return Texts(bytes(data[begin:at]), ends)
