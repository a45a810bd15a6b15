"""Replies that wait for their check: what a system said, on the disk before anybody finds out whether it is right.

Whoever is lost while a reply is checked costs the check, never the question: it is read again from here.

Covered: a process or machine that is lost at any byte; a damaged line costs what stands behind it.
Not covered: what ``shards`` does not cover either.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from .canon import disk_errors, sync
from .journal import DAMAGED, SYNC_LINES, appended, write_all


class Said(msgspec.Struct, frozen=True, gc=False):
    """One reply, by its question; what it is made of is its writer's affair."""

    sample: str
    attempt: int
    crashed: bool
    """Whether the system was not observed: it may be asked again, for something better."""

    reply: msgspec.Raw


Kept = dict[tuple[str, int], Said]
"""Replies by sample and attempt."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Said).decode
_CRC = 8


class ReplyWriter:
    """Appends replies; they are with the operating system at once, and on the disk when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path, self._since = path, 0
        with disk_errors(path):
            self._file = appended(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._sync()
        finally:
            self._file.close()

    def write(self, replies: Iterable[Said]) -> None:
        """Append replies, each a line with a checksum."""
        lines = []
        for said in replies:
            body = _encode(said)
            lines.append(b"%08x %s\n" % (zlib.crc32(body), body))
        with disk_errors(self._path):
            write_all(self._file.fileno(), b"".join(lines))
        self._since += len(lines)
        if self._since >= SYNC_LINES:
            self._sync()

    def _sync(self) -> None:
        with disk_errors(self._path):
            sync(self._file.fileno())
        self._since = 0


def read_replies(path: Path) -> Iterator[Said]:
    """Yield the whole lines from the front, up to the first that is torn or damaged; nothing is changed."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for raw in file:
            body = raw[_CRC + 1 : -1]
            if not raw.endswith(b"\n") or raw[: _CRC + 1] != b"%08x " % zlib.crc32(body):
                return
            try:
                said = _decode(body)
            except DAMAGED:
                return
            yield said


def first_of(paths: Iterable[Path]) -> Kept:
    """Return one reply to each question: the first, and a crash only for lack of better."""
    found: Kept = {}
    for path in paths:
        for said in read_replies(path):
            key = said.sample, said.attempt
            if key not in found or (found[key].crashed and not said.crashed):
                found[key] = said
    return found
