"""A large file that is made once and kept, validated whenever it is used.

*Covered*: damage, a maker that was killed half-way, two processes that want the same file at once,
a full disk.  *Not covered*: an attacker who can write to the cache can write the digest as well; a
file that changes between its digest and its use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import BinaryIO

from assay import AssayError

from .digest import digest_of


def cache_folder() -> Path:
    """Return ``$ASSAY_CACHE``, or ``~/.cache/assay``.

    >>> cache_folder().is_absolute()
    True
    """
    named = os.environ.get("ASSAY_CACHE")
    return Path(named).resolve() if named else Path.home() / ".cache" / "assay"


def kept(path: Path, make: Callable[[BinaryIO], None]) -> str:
    """Make sure that ``path`` holds what ``make`` writes, and return its sha256.

    ``make`` must write the same bytes for the same path, and may stream them.  They go to a file of
    another name, which is renamed when it is whole; bytes that do not have the digest beside them
    (``path.sha256``) are made again, never used.  A process that finds another one at work waits
    for it.  Raises ``AssayError`` A500 when the folder cannot be written or the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = kept(Path(folder) / "f", lambda file: print(file.write(b"made")))
    ...     first == kept(Path(folder) / "f", lambda file: print("not called"))
    4
    True
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            return _sound(path) or _make(path, make)
    except OSError as error:
        raise AssayError(
            f"the cache cannot be written: {error.strerror or error}",
            where=str(path),
            hint="free some space, or set ASSAY_CACHE to a folder that can be written",
            code="A500",
        ) from error


def _sound(path: Path) -> str | None:
    """Return the digest of a file that has the one beside it."""
    try:
        digest = _beside(path).read_text("ascii").strip()
        return digest if digest_of(path).sha256 == digest else None
    except (OSError, UnicodeDecodeError):  # absent or unreadable: writing it says what is wrong
        return None


def _make(path: Path, make: Callable[[BinaryIO], None]) -> str:
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            make(file)
        digest = digest_of(part).sha256
        part.replace(path)
        part.write_text(digest + "\n", "ascii")
        part.replace(_beside(path))
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return digest


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the path's lock, which ends with the process whatever happens to it."""
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        flock(lock, LOCK_EX)
        yield


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
