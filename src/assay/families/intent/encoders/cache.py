"""Files that are made once and kept, validated whenever they are read.

*Covered*: damage, half-written files, two processes that make the same file at once.  *Not
covered*: an attacker who can write to the cache can write the digest as well; a disk that returns
other bytes of a large file, which nobody wrote (``stored``).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from assay import AssayError

from .files import digest_of


class Kept(NamedTuple):
    """The bytes of a file, validated, and their digest."""

    data: bytes
    digest: str


class Stored(NamedTuple):
    """Where a validated file is, its digest, and its size in bytes."""

    path: Path
    digest: str
    size: int


def cached(name: str, make: Callable[[], bytes], *, folder: Path) -> Kept:
    """Return what ``folder/name`` holds, made by ``make`` when they are absent or damaged.

    ``make`` must return the same bytes for the same name.  The file and its digest
    (``name.sha256``) are each renamed into place, so a reader sees whole files only; bytes that do
    not have the digest beside them are made again, never used.  Raises ``AssayError`` A500 when the
    folder cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as where:
    ...     first = cached("n", lambda: b"made", folder=Path(where))
    ...     again = cached("n", lambda: b"not called", folder=Path(where))
    >>> again.data, again == first
    (b'made', True)
    """
    path, beside = folder / name, folder / f"{name}.sha256"
    try:
        data, digest = path.read_bytes(), beside.read_text().strip()
    except (OSError, UnicodeDecodeError):  # absent or unreadable: writing it says what is wrong
        data, digest = b"", ""
    if digest and digest_of(data) == digest:
        return Kept(data, digest)
    data = make()
    digest = digest_of(data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(path, data)
        _put(beside, digest.encode() + b"\n")
    except OSError as error:
        raise AssayError(
            f"the cache cannot be written: {error.strerror or error}",
            where=str(path),
            hint="set ASSAY_CACHE to a folder that can be written",
            code="A500",
        ) from error
    return Kept(data, digest)


def stored(name: str, make: Callable[[], bytes], *, folder: Path) -> Stored:
    """Return where ``folder/name`` is, kept as ``cached`` keeps it, without reading it again.

    For large files that are mapped and not read.  Its bytes were digested when they were written,
    and are digested once more whenever the file is not the one that was digested last: another
    inode, size, or time of change, which the kernel sets at every write (``name.seen`` tells).
    Raises ``AssayError`` A500 as ``cached`` does.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as where:
    ...     first = stored("n", lambda: b"made", folder=Path(where))
    ...     stored("n", lambda: b"not called", folder=Path(where)) == first
    True
    """
    path, beside, seen = (folder / f"{name}{end}" for end in ("", ".sha256", ".seen"))
    try:
        digest, mark = beside.read_text().strip(), seen.read_text()
        if mark == _mark(path, digest):
            return Stored(path, digest, path.stat().st_size)
    except (OSError, UnicodeDecodeError):
        pass  # absent or unreadable: the long way finds out, or says what is wrong
    kept = cached(name, make, folder=folder)
    with suppress(OSError):  # a folder that cannot be written is read the long way, each time
        before = _mark(path, kept.digest)
        if digest_of(path.read_bytes()) == kept.digest:
            _put(seen, before.encode())
    return Stored(path, kept.digest, len(kept.data))


def _mark(path: Path, digest: str) -> str:
    at = path.stat()
    return f"{digest} {at.st_ino} {at.st_size} {at.st_mtime_ns} {at.st_ctime_ns}\n"


def _put(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
