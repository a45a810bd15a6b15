"""Archives listed without being unpacked: ZIP from its end, tar from its beginning.

*Covered*: lists longer than any archive of a model has, members that lie, archives in front of which
something else stands.  *Not covered*: members that are encrypted, or packed by a method that Python lacks.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from .stream import Bytes

MOST_LISTED = 1 << 21
"""Bytes of a ZIP archive's list of members: some forty thousand of them."""

MOST_MEMBERS = 50_000
_END, _END64, _LISTED = b"PK\x05\x06", b"PK\x06\x06", b"PK\x01\x02"
_END_SIZE, _LONGEST_COMMENT, _LOCATOR_SIZE = 22, 1 << 16, 20
BLOCK = 512

ZIP_FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError, EOFError,
    ValueError, OverflowError, struct.error, zlib.error, lzma.LZMAError, KeyError, IndexError,
)  # fmt: skip
"""What ``zipfile`` raises of archives that somebody wrote to make it raise."""


class ZipEnd(NamedTuple):
    """Where a ZIP archive lists its members."""

    start: int
    size: int


def zip_end(data: Bytes) -> ZipEnd | None:
    """Return where a file lists the members of a ZIP archive that ends it; None where it is none."""
    at = data.rfind(_END, max(0, len(data) - _END_SIZE - _LONGEST_COMMENT))
    if at < 0 or len(data) - at < _END_SIZE:
        return None
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    end = at
    if data[at - _LOCATOR_SIZE : at - _LOCATOR_SIZE + 4] == b"PK\x06\x07":
        end64 = data.rfind(_END64, max(0, at - _LOCATOR_SIZE - 1024), at)
        if end64 >= 0:
            size, end = int.from_bytes(data[end64 + 40 : end64 + 48], "little"), end64
    start = end - size
    if size and (start < 0 or data[start : start + 4] != _LISTED):
        return None
    return ZipEnd(start=start, size=size)


class TarMember(NamedTuple):
    """A file of a tar archive."""

    name: str
    start: int
    size: int


def is_tar(data: Bytes) -> bool:
    """Whether a file begins with the head of a tar archive's member: its checksum tells."""
    return _tar_size(data, 0) is not None


def tar_members(data: Bytes) -> Iterator[TarMember]:
    """Yield the members of a tar archive, at most ``MOST_MEMBERS``."""
    at = 0
    for _ in range(MOST_MEMBERS):
        size = _tar_size(data, at)
        if size is None:
            return
        name = bytes(data[at : at + 100]).split(b"\0")[0].decode("utf-8", "replace")
        yield TarMember(name, at + BLOCK, size)
        at += BLOCK + -(-size // BLOCK) * BLOCK


def _tar_size(data: Bytes, at: int) -> int | None:
    head = bytes(data[at : at + BLOCK])
    if len(head) < BLOCK:
        return None
    said = _octal(head[148:156])
    counted = sum(head) - sum(head[148:156]) + 8 * ord(" ")
    size = _octal(head[124:136])
    if said is None or size is None or said != counted or not head[0]:
        return None
    return size


def _octal(digits: bytes) -> int | None:
    text = digits.strip(b" \0")
    if digits[:1] == b"\x80":  # GNU: too large for octal digits
        return int.from_bytes(digits[1:], "big")
    if not text or set(text) - set(b"01234567"):
        return None
    return int(text, 8)


def leads_out(name: str) -> bool:
    """Whether a member would be unpacked outside of the folder it is unpacked to.

    >>> leads_out("a/../../b"), leads_out("/etc/passwd"), leads_out("a/b..c")
    (True, True, False)
    """
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name[:1] in ("/", "\\") or name[1:2] == ":"
