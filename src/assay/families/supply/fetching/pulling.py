"""Bring the bytes of one file from a server into a part, going on where an earlier try stopped.

*Covered*: connections that are cut, silent or slow, files that change under way, servers without ranges,
lengths that are other than announced, disks and limits that are too small.  *Not covered*: whether the
bytes are the right ones: who calls it hashes what stands on the disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from ..keeping.parts import Part
from .heads import Head
from .patience import Halted, Hitch, Patience
from .web import Address, Reply, asked

PIECE = 1 << 18
WORTH = 1 << 20
"""A try that brought so much does not count as one that failed."""

STEP = 64 << 20
"""How much is asked for at once where nobody says how long a file is."""

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be pulled."""

    address: Address
    size: int | None
    """As the lock or the Hub names it."""

    is_named: bool
    """Whether a digest is known, so that a part may be continued without a tag of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reins:
    """What holds a download: patience, room, and the one who looks on."""

    patience: Patience
    stop: Event
    room_for: Callable[[int, int], object]
    """Raises where a file of so many bytes, so many of them still to come, finds no room."""

    limit: int
    """Bytes above which no file finds room."""

    came: Callable[[int], object]
    """Hears how many bytes came; less than none where they have to come again."""

    sized: Callable[[int], object]
    """Hears how long the file is, where nobody knew before."""

    tell: Callable[[str], object]
    """Hears why it waits."""

    heard: Callable[[Head], object]
    """Keeps what the server said, before the bytes that it said it of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """The file is in the part, whole as far as lengths tell."""

    etag: str | None
    was_continued: bool
    """Whether some of it came in an earlier try."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that it is still the file of the head."""


def pull(wanted: Wanted, part: Part, head: Head, reins: Reins) -> Pulled | Unchanged:
    """Bring a file into its part.

    ``head`` is what the server said of the file before.  Raises ``PluginError`` A405 where it cannot be
    had, whatever ``reins.room_for`` raises, ``Halted``.
    """
    line, tried = _Line(wanted, part, head, reins), 0
    while True:
        had = line.at
        try:
            return line.go_on()
        except Hitch as hitch:
            tried = 1 if line.at - had >= WORTH else tried + 1
            where, tell = wanted.address.where, reins.tell
            reins.patience.pause(tried, hitch, where=where, stop=reins.stop, tell=tell)


class _Line:
    """One file on its way."""

    def __init__(self, wanted: Wanted, part: Part, head: Head, reins: Reins) -> None:
        self.wanted, self.part, self.reins = wanted, part, reins
        self.head = head
        self.at = part.file.seek(0, os.SEEK_END)
        self.was_continued = self.is_sized = False
        if self.at:
            reins.came(self.at)

    def go_on(self) -> Pulled | Unchanged:
        """Ask once, and take what comes."""
        too_long = self.wanted.size is not None and self.at > self.wanted.size
        if too_long or not (self.wanted.is_named or self.head.etag):
            self._restart()
        if self.at:
            self.was_continued = True
        if self.at and self.at == self.wanted.size:
            return self._done()
        asking: dict[str, str] = {}
        if self.at:
            asking["Range"] = f"bytes={self.at}-"
            if not self.wanted.is_named and self.head.etag:
                asking["If-Range"] = self.head.etag
        elif self.head.sha256 and self.head.etag:
            asking["If-None-Match"] = self.head.etag
        patience = self.reins.patience
        with asked(self.wanted.address, asking, timeout_s=patience.timeout_s) as reply:
            if reply.status == 304:
                return Unchanged()
            whole = self._begin(reply)
            if reply.status != 416:
                self._take(reply, whole)
        return self._done()

    def _begin(self, reply: Reply) -> int | None:
        """Make the part fit the answer; return how long the whole file is."""
        whole: int | None
        if reply.status == 200:
            self._restart()
            whole = reply.length
        else:
            said = _RANGE.fullmatch((reply.headers.get("Content-Range") or "").strip())
            whole = int(said[3]) if said and said[3] != "*" else None
            other = not self.wanted.is_named and reply.etag != self.head.etag
            if reply.status == 416 and whole == self.at and not other:
                return whole
            if reply.status == 416 or other or said is None or said[1] != str(self.at):
                self._restart()
                raise Hitch("the server goes on from another place than it was asked to")
        self.head = Head(etag=reply.etag)
        self.reins.heard(self.head)
        if whole is not None:
            self.reins.room_for(whole, whole - self.at)
            if self.wanted.size is None and not self.is_sized:
                self.is_sized = True
                self.reins.sized(whole)
                self.reins.came(self.at)
        return whole

    def _take(self, reply: Reply, whole: int | None) -> None:
        patience, size = self.reins.patience, self.wanted.size
        roomy = self.at if whole is None else whole
        since, came = patience.clock(), 0
        # Longer than it is named is wrong for certain: a byte more than it should be proves it.
        most = None if size is None else size + 1
        while piece := reply.body.read1(PIECE if most is None else min(PIECE, most - self.at)):
            if self.reins.stop.is_set():
                raise Halted
            if self.at + len(piece) > roomy:
                self.reins.room_for(self.at + len(piece), STEP)
                roomy = min(self.at + STEP, self.reins.limit)
            self.part.file.write(piece)
            self.part.file.flush()
            self.at += len(piece)
            self.reins.came(len(piece))
            came += len(piece)
            if self.at == most:
                return
            now = patience.clock()
            if now - since >= patience.timeout_s:
                if came < patience.least_rate * (now - since):
                    raise Hitch(f"it came slower than {patience.least_rate:,} bytes a second")
                since, came = now, 0
        if whole is not None and self.at < whole:
            raise Hitch(f"the connection was cut after {self.at:,} of {whole:,} bytes")

    def _restart(self) -> None:
        if self.at:
            self.reins.came(-self.at)
        self.part.file.seek(0)
        self.part.file.truncate()
        self.at = 0
        self.was_continued = False

    def _done(self) -> Pulled:
        return Pulled(etag=self.head.etag, was_continued=self.was_continued)
