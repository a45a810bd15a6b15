"""The cache of model files: by digest, within a limit, shared by processes.

*Covered*: two processes that put, use and evict the same file at once; a process that is killed at any
moment (a file is there whole or not at all, and what is kept is read from the folder each time); a file
that is shorter or longer than it was put; files that are pinned or in use, which nothing evicts.
*Not covered*: whoever can write to the folder; file systems without ``flock``; bits that turn in a file of
the right size, until ``gc`` reads it.  The limit counts files that are whole: parts of downloads and the
evidence of what was refused come on top.

    blobs/sha256/<hex>   the files, read-only           notes/<hex>.json   origins; its time is the last use
    incoming/*.part      in the making, locked          pins/<hex>         what nothing evicts
    refused/             evidence that nothing loads    lock               held to place and to evict
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from assay import DataError, PluginError

from .collecting import Collected, collect
from .kept import Gone, Kept, Stays
from .notes import Note, Origin, read_note, touch
from .parts import Part, held, is_file, open_part
from .refusing import refuse
from .room import Room
from .shelf import Shelf, sync, told

GB = 10**9
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelCache:
    """Files by their sha256, below a folder, of ``limit`` bytes together.

    >>> import io, tempfile
    >>> cache = ModelCache(Path(tempfile.mkdtemp()), limit=10)
    >>> kept = cache.put(io.BytesIO(b"weights"), name="a.gguf", source="")
    >>> cache.get(kept.sha256).read_bytes()
    b'weights'
    >>> cache.put(io.BytesIO(b"others"), name="b.gguf", source="").size
    6
    >>> cache.get(kept.sha256) is None  # what was used least recently made room
    True
    """

    folder: Path
    limit: int = 10 * GB

    @property
    def shelf(self) -> Shelf:
        """Which file stands where."""
        return Shelf(self.folder)

    @property
    def room(self) -> Room:
        """How much fits."""
        return Room(self.shelf, self.limit)

    @property
    def incoming(self) -> Path:
        """Where parts are: for ``open_part``."""
        return self.shelf.incoming

    def ls(self) -> tuple[Kept, ...]:
        """Return what is kept, used most recently first.  Not a use."""
        with told(self.folder):
            return self.shelf.list()

    def get(self, digest: str) -> Path | None:
        """Return a file, and count that as a use; None where it is not kept.

        Nothing keeps it from being evicted afterwards: see ``using``.  Raises ``DataError`` A207 where
        its size is not the one that was put: the file is then evidence, and no longer kept.
        """
        with told(self.folder), held(self.shelf.blob(digest)) as file:
            return None if file is None else self._used(digest, file)

    @contextmanager
    def using(self, digest: str) -> Iterator[Path]:
        """Hold a file while the block runs: nothing evicts it.

        Raises ``PluginError`` A403 where it is not kept, A207 as ``get`` does.
        """
        with held(self.shelf.blob(digest)) as file:
            if file is None:
                raise PluginError(
                    f"no file of sha256 {digest[:12]}... is in the cache",
                    where=str(self.folder),
                    hint="fetch it: assay model fetch",
                    code="A403",
                )
            with told(self.folder):
                path = self._used(digest, file)
            yield path

    def _used(self, digest: str, file: BufferedReader) -> Path:
        """Count a use of a file that is held; A207 where it is not the one that was put."""
        path, note = self.shelf.blob(digest), self.shelf.note(digest)
        known, size = read_note(note), os.fstat(file.fileno()).st_size
        sound = known.size == size if known else file_digest(file, "sha256").hexdigest() == digest
        if not sound:
            why = f"{size:,} bytes, where {known.size:,} were put" if known else "its bytes changed"
            with self.shelf.alone():
                evidence = path
                if is_file(file.fileno(), path):  # nobody else has set it aside meanwhile
                    evidence = refuse(self.folder, path, named=digest, why=why)
                    self.shelf.forget(digest)
            raise DataError(
                f"HALT checksum: a file in the cache is not the one that was put: {why}",
                where=str(evidence),
                hint="fetch it again; what was there is kept as evidence",
                code="A207",
            )
        # A folder that is read-only remembers no use; ``gc`` may have set the file aside meanwhile.
        with suppress(PermissionError, FileNotFoundError):
            if known is None:
                with self.shelf.alone():
                    self.shelf.write(digest, Note(size=size))
            touch(note)
        return path

    def put(
        self,
        what: BinaryIO | Path,
        *,
        name: str,
        source: str,
        sha256: str | None = None,
        licence: str | None = None,
    ) -> Kept:
        """Copy a stream or a file into the cache, making room for it; the copy is durable.

        ``sha256`` is what its bytes must have.  Raises ``DataError`` A207 where they have another (the
        copy is evidence then), ``AssayError`` A504 where there can be no room (nothing is evicted then),
        A500 where the folder cannot be written or the disk is too full.
        """
        origin = Origin(name=name, source=source, licence=licence)
        with told(self.folder):
            if isinstance(what, Path):
                with what.open("rb") as file:
                    size = os.fstat(file.fileno()).st_size
                    self.room.check_size(size)
                    self.room.check_disk(size)
                    return self._copied(file, origin, sha256)
            return self._copied(what, origin, sha256)

    def _copied(self, source: BinaryIO, origin: Origin, named: str | None) -> Kept:
        with open_part(self.incoming, f"put-{secrets.token_hex(8)}") as part:
            try:
                written = 0
                while piece := source.read(PIECE):
                    written += len(piece)
                    self.room.check_size(written)
                    part.file.write(piece)
                return self.adopt(part, origin, sha256=named)
            finally:
                part.path.unlink(missing_ok=True)

    def adopt(self, part: Part, origin: Origin, *, sha256: str | None = None) -> Kept:
        """Move a part of this cache to its place, once every byte of it has been hashed.

        The file counts as in use until the block of the part ends.  Raises as ``put`` does; with A207 the
        part is evidence, with A504 and A500 it stays where it is.
        """
        with told(self.folder):
            part.file.flush()
            part.file.seek(0)
            found = file_digest(part.file, "sha256").hexdigest()
            if sha256 is not None and found != sha256:
                why = f"sha256 {found}, where {sha256} was named"
                evidence = refuse(self.folder, part.path, named=origin.name, why=why)
                raise DataError(
                    f"HALT checksum: {origin.name} has sha256 {found[:12]}..., and {sha256[:12]}..."
                    " was named",
                    where=str(evidence),
                    hint="compare both with the publisher; fetch again only when the change is meant",
                    code="A207",
                )
            os.fchmod(part.file.fileno(), 0o444)
            os.fsync(part.file.fileno())
            with self.shelf.alone():
                self._place(part, found, origin)
                kept = self.shelf.kept(found)
        assert kept is not None  # nobody evicts it while the lock is held
        return kept

    def _place(self, part: Part, digest: str, origin: Origin) -> None:
        size = os.fstat(part.file.fileno()).st_size
        path, note = self.shelf.blob(digest), read_note(self.shelf.note(digest))
        is_there = path.exists() and path.stat().st_size == size
        if not is_there:
            if path.exists():
                refuse(self.folder, path, named=digest, why="cut short or longer than it was put")
            self.room.make(size)
        told_by = replace(note, size=size) if note else Note(size=size)
        self.shelf.write(digest, told_by.told(origin))
        touch(self.shelf.note(digest))
        if is_there:
            part.path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part.path.replace(path)
        part.share()
        sync(path.parent)

    def room_for(self, size: int) -> int:
        """Make room for a file of ``size`` bytes; return how many bytes were freed.

        Call it before a download, once ``get`` has said that the file is not there.  Raises
        ``AssayError`` A504 where there can be no room, A500 where the disk has less free; nothing is
        evicted then.
        """
        with told(self.folder), self.shelf.alone():
            going = self.room.victims(size)
            self.room.check_disk(size - sum(each.size for each in going))
            return self.room.make(size)

    def pin(self, digest: str) -> None:
        """Keep a file from eviction until ``unpin``.  ``DataError`` A403 where it is not kept."""
        with self.using(digest), told(self.folder), self.shelf.alone():
            pin = self.shelf.pin(digest)
            pin.parent.mkdir(parents=True, exist_ok=True)
            pin.touch()
            sync(pin.parent)

    def unpin(self, digest: str) -> None:
        """Let a file be evicted again."""
        with told(self.folder), self.shelf.alone():
            self.shelf.pin(self.shelf.blob(digest).name).unlink(missing_ok=True)

    def evict(self, digest: str) -> Gone | Stays:
        """Remove a file unless it is pinned or in use.

        A pipeline calls it once a run of the model has passed; what others need stays.
        """
        with told(self.folder), self.shelf.alone():
            return self.shelf.remove(digest)

    def gc(self) -> Collected:
        """Read every file again, set rotten ones aside, and remove what no file needs."""
        with told(self.folder):
            return collect(self.room)
