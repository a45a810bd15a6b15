"""Large files that are made once and kept in the cache, validated whenever they are used.

*Covered*: damage, a maker that was killed half-way, two processes that want the same thing at once,
a full disk.  *Not covered*: an attacker who can write to the cache can write the digest as well; a
file that changes between its digest and its use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from shutil import rmtree
from typing import BinaryIO, NamedTuple

from .core.errors import AssayError
from .store.locks import locking

__all__ = ["Digested", "cache_folder", "digest_of", "kept", "kept_folder"]


class Digested(NamedTuple):
    """What a file holds."""

    size: int
    """Bytes."""

    sha256: str
    """64 hex digits."""


def cache_folder() -> Path:
    """Return ``$ASSAY_CACHE``, or ``~/.cache/assay``.

    >>> cache_folder().is_absolute()
    True
    """
    named = os.environ.get("ASSAY_CACHE")
    return Path(named).resolve() if named else Path.home() / ".cache" / "assay"


def digest_of(path: Path) -> Digested:
    """Return the size and the digest of a file, read once for each time of change.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     digest_of(Path(file.name)).sha256[:12]
    'e3b0c44298fc'
    """
    path = path.resolve()
    stat = path.stat()
    return Digested(stat.st_size, _digest(path, stat.st_size, stat.st_mtime_ns))


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
    with _alone(path):
        return _sound(path) or _make(path, make)


def kept_folder(path: Path, make: Callable[[Path], None]) -> Path:
    """Make sure that the folder ``path`` holds the files that ``make`` writes, and return it.

    ``make`` gets an empty folder of another name, which is renamed when it is whole.  The digest of
    every file stands beside it (``path.sha256``); a folder with another file, or without one of them,
    is made again, never used.  Otherwise as ``kept``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = kept_folder(Path(folder) / "d", lambda d: print((d / "f").write_bytes(b"made")))
    ...     made == kept_folder(Path(folder) / "d", lambda d: print("not called"))
    4
    True
    """
    with _alone(path):
        if not _is_sound_folder(path):
            _make_folder(path, make)
        return path


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001  (the cache's key)
    """Return the sha256 of a file, once per path, size and time of change."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


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


def _is_sound_folder(path: Path) -> bool:
    try:
        said = json.loads(_beside(path).read_bytes())
        return bool(said == _listed(path))
    except (OSError, ValueError, RecursionError):
        return False


def _make_folder(path: Path, make: Callable[[Path], None]) -> None:
    part = path.with_name(f"{path.name}.part")
    rmtree(part, ignore_errors=True)
    _beside(path).unlink(missing_ok=True)
    rmtree(path, ignore_errors=True)
    try:
        part.mkdir()
        make(part)
        listed = json.dumps(_listed(part), indent=1, sort_keys=True)
        part.replace(path)
    except BaseException:
        rmtree(part, ignore_errors=True)
        raise
    note = path.with_name(f"{path.name}.sha256.part")
    note.write_text(listed + "\n", "utf-8")
    note.replace(_beside(path))


def _listed(folder: Path) -> dict[str, str]:
    """Return every file of a folder, with its digest."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): digest_of(file).sha256 for file in files}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the path's lock, which ends with the process whatever happens to it."""
    fcntl = locking(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise AssayError(
            f"the cache cannot be written: {error.strerror or error}",
            where=str(path),
            hint="free some space, or set ASSAY_CACHE to a folder that can be written",
            code="A500",
        ) from error


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
