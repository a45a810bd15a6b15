"""The folder of the cache: which file stands where, and one process at a time that changes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay import AssayError
from assay.locks import locking

from .kept import Gone, Kept, Stays
from .notes import Note, Origin, read_note, write_note
from .parts import claimed

_HEX = frozenset("0123456789abcdef")


def is_digest(text: str) -> bool:
    """Whether a text is a sha256 in hex.

    >>> is_digest("0f" * 32), is_digest("0F" * 32), is_digest("../x")
    (True, False, False)
    """
    return len(text) == 64 and _HEX.issuperset(text)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The places below a folder.  What is kept is read from it each time."""

    folder: Path

    @property
    def blobs(self) -> Path:
        """Where the files are."""
        return self.folder / "blobs" / "sha256"

    @property
    def incoming(self) -> Path:
        """Where parts are."""
        return self.folder / "incoming"

    def blob(self, digest: str) -> Path:
        """Return where a file is, if it is there.  ``ValueError`` for what is no digest."""
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is no sha256 in hex")
        return self.blobs / digest

    def note(self, digest: str) -> Path:
        """Return where the note of a file is."""
        return self.folder / "notes" / f"{digest}.json"

    def pin(self, digest: str) -> Path:
        """Return where the pin of a file is, if it has one."""
        return self.folder / "pins" / digest

    def list(self) -> tuple[Kept, ...]:
        """Return what is kept, used most recently first."""
        try:
            with os.scandir(self.blobs) as there:
                names = [
                    each.name
                    for each in there
                    if is_digest(each.name) and each.is_file(follow_symlinks=False)
                ]
        except FileNotFoundError:
            return ()
        found = [kept for name in names if (kept := self.kept(name)) is not None]
        return tuple(sorted(found, key=lambda kept: (-kept.used_ns, kept.sha256)))

    def kept(self, digest: str) -> Kept | None:
        """Return what is known of a file; None where it is not kept."""
        path = self.blob(digest)
        try:
            size = path.lstat().st_size
        except FileNotFoundError:
            return None
        note = read_note(self.note(digest)) or Note(size=size)
        last = note.origins[-1] if note.origins else Origin(name=digest[:12], source="")
        return Kept(
            sha256=digest,
            path=path,
            size=size,
            name=last.name,
            source=last.source,
            licence=next((o.licence for o in reversed(note.origins) if o.licence), None),
            origins=note.origins,
            used_ns=note.used_ns,
            pinned=self.pin(digest).exists(),
        )

    def remove(self, digest: str) -> Gone | Stays:
        """Remove a file unless it is pinned or in use.  Call it ``alone``."""
        path = self.blob(digest)
        try:
            with claimed(path) as file:
                if self.pin(digest).exists():
                    return Stays(why="pinned")
                if file is None:
                    return Stays(why="in use")
                freed = os.fstat(file.fileno()).st_size
                path.unlink()
        except FileNotFoundError:
            return Stays(why="not there")
        self.forget(digest)
        return Gone(freed=freed)

    def forget(self, digest: str) -> None:
        """Remove what is known of a file that is gone."""
        self.note(digest).unlink(missing_ok=True)
        self.pin(digest).unlink(missing_ok=True)

    def write(self, digest: str, note: Note) -> None:
        """Write the note of a file, whole or not at all."""
        path = self.note(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_note(path, note)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the cache's lock, which ends with the process whatever happens to it."""
        fcntl = locking(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Say what the machine refused, and where: ``AssayError`` A500."""
    try:
        yield
    except OSError as error:
        raise AssayError(
            f"the cache of model files cannot be used: {error.strerror or error}",
            where=str(error.filename or folder),
            hint="free some space, or set ASSAY_CACHE to a folder that can be written",
            code="A500",
        ) from error
