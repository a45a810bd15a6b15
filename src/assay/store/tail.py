"""The lines that a journal has gained since it was last read: a run is watched, and never touched.

Covered: a journal that grows, ends in the middle of a line, is cut back by a resuming process, is begun again
by a stateful system, or is not there yet; a damaged line, which is counted and passed over.  Nothing is written
and no lock is taken.  Not covered: a line that is edited where it stands; ``assay verify`` finds it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from .canon import open_plain
from .journal import DAMAGED
from .line import Measured

PIECE = 1 << 22
"""Bytes that are read at once: what shows a run stays answerable."""

MARK = 64
"""Bytes before the place that was read to: they hold the line's checksum, and tell whether it is the same file."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """What is looked at of the half that was decided; answers are never made."""

    sample: str
    group: str
    outcome: str
    attempt: int = 0
    reason: str = ""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One line, as far as it is looked at."""

    decided: Said
    usage: Measured


_decode_all = msgspec.json.Decoder(Reply).decode_lines
_decode = msgspec.json.Decoder(Reply).decode


@dataclass(frozen=True, slots=True)
class Fresh:
    """What came."""

    replies: Sequence[Reply]
    again: bool = False
    """The journal is another one than before: what was read of it no longer counts."""

    left: int = 0
    """Bytes that were there and are not read yet."""

    damaged: int = 0
    """Lines that cannot be read."""


class Tail:
    """A journal, and how far it was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = 0
        self.changed = 0.0
        """When the journal was last written to, in seconds since 1970."""

        self._mark = b""

    def read(self, most: int = PIECE) -> Fresh:
        """Return the whole lines that came since, of about so many bytes."""
        try:
            with open_plain(self.path) as file:
                return self._read(file, most)
        except FileNotFoundError:
            again = self.at > 0
            self._begin()
            return Fresh((), again=again)

    def _read(self, file: BinaryIO, most: int) -> Fresh:
        facts = os.fstat(file.fileno())
        size, self.changed = facts.st_size, facts.st_mtime
        again = size < self.at or (size > self.at > 0 and not self._is_same(file))
        if again:
            self._begin()
        file.seek(self.at)
        data = file.read(most)
        end = data.rfind(b"\n") + 1
        if not end and len(data) == most:
            data += file.readline()
            end = len(data) if data.endswith(b"\n") else 0
        whole = data[:end]
        if not whole:
            return Fresh((), again=again)
        self.at += len(whole)
        self._mark = (self._mark + whole)[-MARK:]
        replies, damaged = _replies(whole)
        return Fresh(replies, again=again, left=max(size - self.at, 0), damaged=damaged)

    def _is_same(self, file: BinaryIO) -> bool:
        file.seek(self.at - len(self._mark))
        return file.read(len(self._mark)) == self._mark

    def _begin(self) -> None:
        self.at, self._mark = 0, b""


def _replies(whole: bytes) -> tuple[list[Reply], int]:
    try:
        return _decode_all(whole), 0
    except DAMAGED:
        pass
    found, damaged = [], 0
    for line in whole.splitlines():
        try:
            found.append(_decode(line))
        except DAMAGED:
            damaged += 1
    return found, damaged
