"""The cache tidied: every file read again, and what no file needs removed.

*Covered*: files whose bytes turned (they become evidence, also while they are used: whoever maps one has
been reading wrong numbers), parts that no process holds, notes and pins of files that are gone, more
files than a limit that was lowered.  *Not covered*: evidence, until ``drop_refused``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path

from .kept import Kept
from .notes import Note, read_note
from .parts import SUFFIX, claimed, held, is_file
from .refusing import refuse, refused
from .room import Room
from .shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What tidying found and freed."""

    checked: int
    """Files that were read."""

    read: int
    """Bytes of them."""

    rotten: tuple[Kept, ...]
    """Files that no longer have their sha256; their ``path`` is that of the evidence."""

    parts: int
    """Parts of downloads that were removed."""

    freed: int
    """Bytes, of parts and of files above the limit."""


def collect(room: Room) -> Collected:
    """Read every file of the cache again, and remove what no file needs.

    Other processes go on meanwhile.  Raises ``OSError``.
    """
    shelf = room.shelf
    checked = read = 0
    rotten = []
    for kept in shelf.list():
        with held(kept.path) as file:
            if file is None:
                continue  # evicted meanwhile
            checked += 1
            read += kept.size
            if file_digest(file, "sha256").hexdigest() == kept.sha256:
                _mend(shelf, kept)
                continue
            with shelf.alone():
                if is_file(file.fileno(), kept.path):
                    why = "its bytes no longer have the sha256 of its name"
                    evidence = refuse(shelf.folder, kept.path, named=kept.sha256, why=why)
                    shelf.forget(kept.sha256)
                    rotten.append(replace(kept, path=evidence))
    with shelf.alone():
        parts = [
            size
            for path in _files(shelf.incoming)
            if path.suffix == SUFFIX and (size := _dropped(path)) is not None
        ]
        for beside in _files(shelf.incoming):
            if not beside.with_suffix(SUFFIX).exists():
                beside.unlink()
        for note in _files(shelf.folder / "notes"):
            if note.suffix != ".json" or not (shelf.blobs / note.stem).exists():
                note.unlink()
        for pin in _files(shelf.folder / "pins"):
            if not (shelf.blobs / pin.name).exists():
                pin.unlink()
        freed = room.make(0)
    return Collected(
        checked=checked,
        read=read,
        rotten=tuple(rotten),
        parts=len(parts),
        freed=sum(parts) + freed,
    )


def drop_refused(folder: Path) -> int:
    """Remove the evidence of the cache at ``folder``; return the bytes freed."""
    freed = 0
    for each in refused(folder):
        each.path.unlink(missing_ok=True)
        each.path.with_suffix(".json").unlink(missing_ok=True)
        freed += each.size
    return freed


def _mend(shelf: Shelf, kept: Kept) -> None:
    """Write the note of a file anew where it was lost, or says another size than its bytes have."""
    with shelf.alone():
        note = read_note(shelf.note(kept.sha256))
        if note is None or note.size != kept.size:
            shelf.write(kept.sha256, replace(note or Note(size=0), size=kept.size))


def _dropped(path: Path) -> int | None:
    """Remove a part that no process holds; return its bytes."""
    with suppress(FileNotFoundError), claimed(path) as file:
        if file is not None:
            size = path.stat().st_size
            path.unlink()
            return size
    return None


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(each for each in folder.iterdir() if each.is_file())
