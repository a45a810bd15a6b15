"""Code looked for in a file, and in the archives and compressed files in it.

*Covered*: pickles bare, compressed, in ZIP and tar archives (checkpoints of torch, new and old; joblib; .npz),
and one in the other; arrays of Python objects; Keras models with Lambda layers; programs and scripts.
*Not covered*: archives of other kinds (7z, rar), which are no format that is let in; members beyond the
budget: such a file is refused as too large to look into.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from mmap import mmap
from typing import Any

from .archives import (
    MOST_LISTED,
    MOST_MEMBERS,
    ZIP_FAULTS,
    is_tar,
    leads_out,
    tar_members,
    zip_end,
)
from .opcodes import NEWEST, Pickled, follow
from .squeezed import member_of, squeeze_of, unpack
from .stream import Bytes

MOST_DEPTH = 4
MOST_MEMBER = 1 << 26
"""Bytes of a member that are looked at."""

MOST_UNPACKED = 1 << 28
"""Bytes that are unpacked in all."""

_NPY, _HDF5 = b"\x93NUMPY", b"\x89HDF\r\n\x1a\n"
_OBJECTS = re.compile(rb"\|O|'O'|\"O\"|object")
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"Lambda"')
_SCRIPT = re.compile(rb"#![ \t]*/?[\x21-\x7e]+[^\0]{0,200}?\n")
_LAMBDA_SEARCHED = 1 << 24
_PROGRAMS = {
    b"\x7fELF": "a program or library of Linux",
    b"\xfe\xed\xfa\xce": "a program of macOS",
    b"\xfe\xed\xfa\xcf": "a program of macOS",
    b"\xce\xfa\xed\xfe": "a program of macOS",
    b"\xcf\xfa\xed\xfe": "a program of macOS",
    b"\xca\xfe\xba\xbe": "a program of Java or macOS",
    b"\0asm": "a program in WebAssembly",
    b"dex\n": "a program of Android",
    b"!<arch>\n": "a library of object code",
}
_IS_NAMED = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".bin", "config.json")
"""Members that are looked at first."""


class OverrunError(Exception):
    """A file holds more than is looked at."""


@dataclass(frozen=True, slots=True)
class Code:
    """Code was found."""

    what: str
    """``a pickle, which runs code when it is read (it calls os.system)``."""

    inside: tuple[str, ...] = ()
    """The members that lead to it, the outermost first."""

    def __str__(self) -> str:
        """Say it in a sentence."""
        if not self.inside:
            return f"the file is {self.what}"
        return f"{' in '.join(reversed(self.inside))} in the file is {self.what}"


@dataclass(slots=True)
class Budget:
    """How much more is unpacked."""

    size: int = MOST_UNPACKED
    members: int = MOST_MEMBERS

    def spend(self, size: int, members: int = 0) -> None:
        """Take away; ``OverrunError`` where nothing is left."""
        self.size -= size
        self.members -= members
        if self.size < 0 or self.members < 0:
            raise OverrunError(
                f"it unpacks to more than {MOST_UNPACKED:,} bytes, or too many members"
            )


def code_in(data: Bytes, budget: Budget | None = None, depth: int = 0) -> Code | None:
    """Return the code in a file, if there is any.

    Raises ``OverrunError`` where what was looked at held none, and there is more than is looked at.

    >>> import pickle
    >>> print(code_in(pickle.dumps(print)))
    the file is a pickle, which runs code when it is read (it names builtins.print)
    """
    budget = budget or Budget()
    if found := _bare(data):
        return found
    if depth >= MOST_DEPTH:
        is_archive = squeeze_of(data) is not None or is_tar(data) or zip_end(data) is not None
        if is_archive:
            raise OverrunError(f"archives stand in archives more than {MOST_DEPTH} deep")
        return None
    overrun: OverrunError | None = None
    for name, inner in _members(data, budget):
        try:
            found = code_in(inner, budget, depth + 1)
        except OverrunError as error:  # another member may show what it is
            overrun = error
            continue
        if found is not None:
            return Code(found.what, (name, *found.inside))
    if overrun is not None:
        raise overrun
    return None


def is_archive(data: Bytes) -> str:
    """Return which kind of archive a file may be read as, whatever else it is; or nothing."""
    if zip_end(data) is not None:
        return "a ZIP archive"
    return "a tar archive" if is_tar(data) else ""


def names_out(data: Bytes) -> str:
    """Return a member of an archive that would be unpacked outside of its folder; or nothing."""
    names = [member.name for member in tar_members(data)] if is_tar(data) else []
    if (archive := _zip(data)) is not None:
        names += archive.namelist()
    return next((name for name in names if leads_out(name)), "")


def _bare(data: Bytes) -> Code | None:
    """Return what a file itself is, if it is code."""
    pickled = follow(data)
    if pickled.is_code:
        return Code(_told(pickled))
    head = bytes(data[:4096])
    if _SCRIPT.match(head):
        line = head.split(b"\n")[0][2:60].decode("ascii", "replace").strip()
        return Code(f"a script for {line}")
    for begins, what in _PROGRAMS.items():
        if head.startswith(begins):
            return Code(what)
    if head[:2] == b"MZ" and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        if bytes(data[at : at + 4]) == b"PE\0\0":
            return Code("a program of Windows")
    if head[2:4] == b"\r\n" and 3000 <= int.from_bytes(head[:2], "little") < 4000:
        return Code("a compiled Python module")
    if head.startswith(_NPY) and _OBJECTS.search(_npy_head(head)):
        return Code("an array of Python objects, which holds a pickle")
    is_keras = head.startswith(_HDF5) or head.lstrip()[:1] == b"{"
    if is_keras and _LAMBDA.search(data[:_LAMBDA_SEARCHED]):
        return Code("a Keras model with a Lambda layer, which is a Python function")
    return None


def _npy_head(head: bytes) -> bytes:
    wide = head[6:7] != b"\1"
    start = 12 if wide else 10
    return head[start : start + int.from_bytes(head[8:start], "little")]


def _told(pickled: Pickled) -> str:
    says = "a pickle, which runs code when it is read"
    named = pickled.calls or pickled.imports
    if not named:
        return says
    verb = "calls" if pickled.calls else "names"
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"{says} (it {verb} {', '.join(named[:3])}{more})"


def begins_as_pickle(data: Bytes) -> bool:
    r"""Whether a file begins with the opcode that names a pickle's protocol.

    >>> begins_as_pickle(b"\x80\x04"), begins_as_pickle(b"{}")
    (True, False)
    """
    return data[:1] == b"\x80" and 2 <= int.from_bytes(data[1:2], "big") <= NEWEST


def _members(data: Bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in a file that is an archive or compressed, those first that tell most."""
    if (squeeze := squeeze_of(data)) is not None:
        inner = unpack(squeeze, data, MOST_MEMBER)
        if inner is not None:
            budget.spend(len(inner), 1)
            yield f"what {squeeze.name} holds", inner
    if is_tar(data):
        members = sorted(tar_members(data), key=lambda member: _rank(member.name, member.size))
        for member in members:
            inner = bytes(data[member.start : member.start + min(member.size, MOST_MEMBER)])
            budget.spend(len(inner), 1)
            yield member.name, inner
    if (archive := _zip(data)) is not None:
        infos = sorted(archive.infolist(), key=lambda info: _rank(info.filename, info.file_size))
        for info in infos:
            budget.spend(0, 1)
            with suppress(*ZIP_FAULTS):
                inner = member_of(archive, info, MOST_MEMBER)
                budget.spend(len(inner))
                yield info.filename, inner


def _rank(name: str, size: int) -> tuple[bool, int]:
    return not name.lower().endswith(_IS_NAMED) and name != "pickle", size


def _zip(data: Bytes) -> zipfile.ZipFile | None:
    """Return a file as a ZIP archive.  ``OverrunError`` for a list of members that is too long."""
    end = zip_end(data)
    if end is None:
        return None
    if end.size > MOST_LISTED:
        raise OverrunError(f"its list of members has {end.size:,} bytes")
    file: Any = BytesIO(data) if isinstance(data, bytes) else _Window(data)
    try:
        return zipfile.ZipFile(file)
    except ZIP_FAULTS:
        return None


class _Window:
    """A mapped file to read from, with a place of its own."""

    def __init__(self, data: mmap) -> None:
        self._data, self._at = data, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, to: int, whence: int = 0) -> int:
        at = to + {0: 0, 1: self._at, 2: len(self._data)}[whence]
        if at < 0:
            raise ValueError("before the beginning")
        self._at = at
        return at

    def read(self, count: int | None = None) -> bytes:
        end = len(self._data) if count is None or count < 0 else self._at + count
        found = bytes(self._data[self._at : end])
        self._at += len(found)
        return found
