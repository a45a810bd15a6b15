"""Shards: what several processes answered of one cell, each in a file that nobody else writes.

Every try at a part of a cell has files of its own, named by the part and the try: a process that was
given up and goes on all the same can never write into what its successor writes.  Whoever reads
takes the whole lines from the front, up to the first that is torn, damaged, or points to evidence
that did not arrive, and asks the rest again.

Covered: a process or machine that is lost at any byte, and one that is only thought to be lost; a file
server that kept a line and lost its evidence, or left a hole.  Not covered: a file server that shows
another machine's finished file without its end after that machine has closed it.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .canon import disk_errors, sync
from .evidence import MOST_EVIDENCE
from .journal import DAMAGED, Writer, write_all
from .line import Line, decode

LINES, PACK, ENDS, REPLIES = ".jsonl", ".pack", ".ends", ".replies"

WHOLE = "whole"
"""Stands in the name of a shard whose system is stateful: its lines are of use only all together."""


UNREADABLE = (ValueError, OSError, zlib.error, *DAMAGED)


class End(msgspec.Struct, frozen=True):
    """A system's process that ended, and took the blame for one question."""

    sample: str
    attempt: int
    why: str
    detail: str


_ends = msgspec.json.Decoder(End).decode


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """The files of one try at one part of a cell."""

    part: str
    tried: str
    """Names the try; tries sort in the order in which they were begun."""

    folder: Path
    whole: bool = False

    @property
    def lines(self) -> Path:
        """One line per reply, as in a journal."""
        return self._file(LINES)

    @property
    def pack(self) -> Path:
        """Their evidence."""
        return self._file(PACK)

    @property
    def ends(self) -> Path:
        """One line for each process of the system that ended."""
        return self._file(ENDS)

    @property
    def replies(self) -> Path:
        """Replies that are not checked where they came."""
        return self._file(REPLIES)

    def _file(self, kind: str) -> Path:
        whole = f".{WHOLE}" if self.whole else ""
        return self.folder / f"{self.part}.{self.tried}{whole}{kind}"

    def writer(self) -> Writer:
        """Return what appends to the shard."""
        return Writer(self.lines, self.pack)

    def read(self) -> Iterator[tuple[Line, bytes]]:
        """Yield the whole lines, each with its entry of the pack or nothing; nothing is changed."""
        try:
            file = self.lines.open("rb")
        except FileNotFoundError:
            return
        with file:
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                try:
                    line = decode(raw)
                    packed = b"" if line.usage.at is None else self._entry(line.usage.at)
                except UNREADABLE:
                    return
                yield line, packed

    def _entry(self, at: tuple[int, int]) -> bytes:
        with self.pack.open("rb") as file:
            file.seek(at[0])
            packed = file.read(max(at[1], 0))
        unpacker = zlib.decompressobj()  # its checksum tells a whole entry from a hole
        unpacker.decompress(packed, MOST_EVIDENCE)
        if not unpacker.eof:
            raise ValueError("cut off")
        return packed

    def end(self, end: End) -> None:
        """Note that a process of the system ended."""
        with disk_errors(self.ends):
            self.ends.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.ends, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                write_all(handle, msgspec.json.encode(end) + b"\n")
                sync(handle)
            finally:
                os.close(handle)

    def read_ends(self) -> list[End]:
        """Return the ends that were noted."""
        found = []
        with suppress(FileNotFoundError):
            for raw in self.ends.read_bytes().splitlines():
                with suppress(*UNREADABLE):
                    found.append(_ends(raw))
        return found

    def remove(self, *, kept: Container[str] = ()) -> None:
        """Remove the files, but for some kinds.  Who still writes them writes into the void."""
        for kind in (LINES, ENDS, PACK, REPLIES):
            if kind not in kept:
                self._file(kind).unlink(missing_ok=True)


def shards_in(folder: Path, part: str = "*") -> list[Shard]:
    """Return the shards of a cell in the order of their names: parts, and the tries at each."""
    found = set()
    for path in folder.glob(f"{part}.*"):
        words = path.name.split(".")
        if f".{words[-1]}" in (LINES, PACK, ENDS, REPLIES) and len(words) in (3, 4):
            found.add(Shard(words[0], words[1], folder, whole=words[2] == WHOLE))
    return sorted(found)


Found = dict[tuple[str, int], tuple[Line, bytes]]
"""Sample and attempt to a line and its evidence."""


def answered(shards: Iterable[Shard]) -> Found:
    """Return one line for each question that shards answer: the first, and a crash only for lack of better."""
    found: Found = {}
    for shard in shards:
        for line, packed in shard.read():
            key = line.decided.sample, line.decided.attempt
            if key not in found or (found[key][0].crashed and not line.crashed):
                found[key] = line, packed
    return found


def remove_folder(folder: Path) -> None:
    """Remove a folder with whatever is in it, also while somebody still writes there."""
    shutil.rmtree(folder, ignore_errors=True)
