"""Files in the making: locked by the process that writes them, so that nobody tidies them away.

*Covered*: two processes that write the same part (the second waits), a tidier that comes between the
making of a file and its lock, a process that is killed (its lock goes with it, its part stays for the
next one).  *Not covered*: file systems without ``flock``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRandom, BufferedReader
from pathlib import Path

from assay.locks import locking

SUFFIX = ".part"
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file in the making, open for reading and writing, that no other process writes."""

    path: Path
    file: BufferedRandom

    def share(self) -> None:
        """Let others read what it became, while it still counts as in use."""
        fcntl = locking(self.path)
        fcntl.flock(self.file, fcntl.LOCK_SH)


@contextmanager
def open_part(folder: Path, key: str) -> Iterator[Part]:
    """Open the part of that key, new or as far as an earlier process came; wait for whoever has it.

    It stays when the block ends unless it was placed or removed: a download goes on where it stopped.
    Look into the cache again inside the block, since the process that had it may have placed the file.
    Raises ``ValueError`` for a key that is no plain file name.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with open_part(folder, "a") as part:
    ...     part.file.write(b"half")
    4
    >>> with open_part(folder, "a") as part:
    ...     part.file.read()
    b'half'
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no plain file name")
    fcntl = locking(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key}{SUFFIX}"
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if is_file(handle, path):
                break
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # placed or tidied away while this process waited
    with os.fdopen(handle, "r+b") as file:
        yield Part(path=path, file=file)


def is_file(handle: int, path: Path) -> bool:
    """Whether an open file is the one that the path names now."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(handle)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


@contextmanager
def held(path: Path) -> Iterator[BufferedReader | None]:
    """Hold a file while the block runs, so that it counts as in use; None where there is none."""
    fcntl = locking(path)
    while (handle := _opened(path)) is not None:
        with os.fdopen(handle, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            if is_file(handle, path):
                yield file
                return
    yield None


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None


@contextmanager
def claimed(path: Path) -> Iterator[BufferedReader | None]:
    """Have a file for this process alone while the block runs; None where others use it.

    Raises ``FileNotFoundError``.
    """
    fcntl = locking(path)
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file


def in_use(path: Path) -> bool:
    """Whether a process holds the file.  One that is gone is not in use."""
    with suppress(FileNotFoundError), claimed(path) as file:
        return file is None
    return False
