"""The journal: one line per reply, each line a commit.

Covered: a process killed at any byte (the torn tail is cut off and asked again), a bit flipped in
a line (its checksum names it), a disk that fills up (the error says so, the lines before it stay).
A power cut: what was not flushed is asked again, whether it is gone, reads as zeros, or lost its evidence.
Not covered: a disk that acknowledges a flush and forgets it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from ..core.errors import SealError
from ..core.record import Record
from .canon import CHUNK, disk_errors, make_folder, open_plain, sync, sync_folder
from .decisions import Deciding, Decisions, decision_digest, decisions_of, said_digest
from .line import Decided, Line, decode, decode_unchecked, encode, to_line

SYNC_LINES = 100
"""A flush to the disk at least every so many lines; a power cut loses at most these."""

TAIL = 2 * SYNC_LINES
"""Lines at the end of a journal that a power cut may have harmed: one write may bring many at once."""

_MOST_TAIL = 1 << 24
_HOLE = b"\0"
"""No line has this byte: a disk that has a file's size and not what was written shows it."""


class Writer:
    """Appends records to a journal and their evidence to a pack.

    ``write`` returns once the line is with the operating system (safe from a killed process);
    every 100 lines, and on ``close``, it is on the disk (safe from a power cut).
    """

    def __init__(self, path: Path, pack: Path) -> None:
        self._path, self._pack_path = path, pack
        with disk_errors(path):
            self._file = appended(path)
        self._pack: Any = None
        self._since = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, records: Iterable[Record], details: Mapping[tuple[str, int], bytes]) -> None:
        """Append records; ``details`` is evidence by sample and attempt."""
        with disk_errors(self._path):
            pieces = []
            for record in records:
                evidence = details.get((record.sample, record.attempt))
                at = self._keep(zlib.compress(evidence)) if evidence else None
                pieces.append(encode(to_line(record, at)))
            self._append(pieces)

    def take(self, kept: Iterable[tuple[Line, bytes]]) -> None:
        """Append lines of another journal, each with the entry of its pack, or with nothing."""
        with disk_errors(self._path):
            pieces = []
            for line, packed in kept:
                at = self._keep(packed) if packed else None
                spent = msgspec.structs.replace(line.usage, at=at)
                pieces.append(encode(Line(decided=line.decided, usage=spent)))
            self._append(pieces)

    def _append(self, pieces: list[bytes]) -> None:
        write_all(self._file.fileno(), b"".join(pieces))
        self._since += len(pieces)
        if self._since >= SYNC_LINES:
            self.sync()

    def sync(self) -> None:
        """Flush evidence first, then the lines that point to it."""
        with disk_errors(self._path):
            if self._pack is not None:
                sync(self._pack.fileno())
            sync(self._file.fileno())
        self._since = 0

    def close(self) -> None:
        """Flush and close, also when the flush fails."""
        if self._file.closed:
            return
        try:
            self.sync()
        finally:
            self._file.close()
            if self._pack is not None:
                self._pack.close()

    def _keep(self, packed: bytes) -> tuple[int, int]:
        if self._pack is None:
            self._pack = appended(self._pack_path)
        start = os.fstat(self._pack.fileno()).st_size
        write_all(self._pack.fileno(), packed)
        return start, len(packed)


def appended(path: Path) -> FileIO:
    """Open a file to write at its end; a new one has a name that a power cut does not take away."""
    new = not path.exists()
    make_folder(path.parent)
    file = path.open("ab", buffering=0)
    if new:
        sync_folder(path.parent)
    return file


def write_all(handle: int, data: bytes) -> None:
    """Write every byte, also when the system takes them in pieces."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


@dataclass(frozen=True)
class Journal:
    """A journal that was read: what it holds, and what had to be cut off."""

    path: Path
    last: Mapping[tuple[str, int], bool]
    """(sample, attempt) to whether its last line is a crash: a million lines need not be held."""

    torn_bytes: int = 0

    @cached_property
    def seen(self) -> frozenset[tuple[str, int]]:
        """(sample, attempt) that need not be asked again."""
        return frozenset(key for key, crashed in self.last.items() if not crashed)

    @property
    def crashes(self) -> int:
        """How many crashes are left that no later line supersedes."""
        return sum(self.last.values())

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that count, read again: a crash that a later line supersedes does not."""
        found: dict[tuple[str, int], Line] = {}
        for line in read_lines(self.path) if self.last else ():
            found[line.decided.sample, line.decided.attempt] = line
        return tuple(found.values())


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a sealed journal; trust the seal, not each checksum."""
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                yield decode_unchecked(raw)
            except DAMAGED as error:
                raise damaged(path, number, error) from None


DAMAGED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a line raises that somebody has changed."""


def damaged(path: Path, number: int, why: Exception) -> SealError:
    """Return the error of a line of a sealed journal that cannot be read; number 0 is any line."""
    return SealError(
        f"{f'line {number}' if number else 'a line'} of a journal cannot be read: {why}",
        where=f"{path}:{number}" if number else str(path),
        hint="run `assay verify` on the run directory",
        code="A304",
    )


def first_tries(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines of first attempts, which every number but pass@k and its kin speaks of."""
    return (line for line in lines if line.decided.attempt == 0)


def repair(path: Path) -> Journal:
    """Read a journal that may end in the middle of a line, and cut that tail off.

    A damaged line *before* the tail is not an accident of a killed process: ``SealError`` A304.  Zeros near the end
    are one of a power cut: what was written last was not yet where it belongs.
    A crashed line is superseded by a later one for the same sample and attempt.
    """
    if not path.exists():
        return Journal(path, {})
    last: dict[tuple[str, int], bool] = {}
    good = torn = 0
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            if not raw.endswith(b"\n"):
                torn = len(raw)
                break
            try:
                line = decode(raw)
            except (ValueError, *DAMAGED) as error:
                rest = file.read(_MOST_TAIL + 1)
                torn = len(raw) + len(rest)
                if not rest or (
                    _HOLE in raw and len(rest) <= _MOST_TAIL and rest.count(b"\n") <= TAIL
                ):
                    break
                raise SealError(
                    f"line {number} of the journal is damaged: {error}",
                    where=f"{path}:{number}",
                    hint="delete this one file and run the same command: the cell is asked again",
                    code="A304",
                ) from None
            last[line.decided.sample, line.decided.attempt] = line.crashed
            good += len(raw)
    if torn:
        with disk_errors(path), path.open("r+b") as file:
            file.truncate(good)
            os.fsync(file.fileno())
    return Journal(path, last, torn)


def pieces(path: Path) -> Iterator[bytes]:
    """Yield a lines file in pieces of whole lines, a megabyte each: memory stays bounded."""
    with open_plain(path) as file:
        while piece := file.read(CHUNK):
            yield piece + file.readline()


class _Named(msgspec.Struct, frozen=True, gc=False):
    sample: str


class _Name(msgspec.Struct, frozen=True, gc=False):
    decided: _Named


_name = msgspec.json.Decoder(_Name).decode


def lines_of(path: Path, samples: Container[str]) -> Iterator[Line]:
    """Yield the lines of a sealed journal that are about some samples; the rest is skipped over.

    Raises ``SealError`` A304 for a line that is none.
    """
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                if _name(raw).decided.sample in samples:
                    yield decode_unchecked(raw)
            except DAMAGED as error:
                raise damaged(path, number, error) from None


__all__ = [
    "DAMAGED",
    "Decided",
    "Deciding",
    "Decisions",
    "Journal",
    "Line",
    "Writer",
    "damaged",
    "decision_digest",
    "decisions_of",
    "first_tries",
    "lines_of",
    "pieces",
    "read_lines",
    "repair",
    "said_digest",
    "write_all",
]
