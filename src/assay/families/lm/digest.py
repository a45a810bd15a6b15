"""The size and sha256 of a file, read once for each time of change."""

from __future__ import annotations

from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple


class Digested(NamedTuple):
    """What a file holds."""

    size: int
    """Bytes."""

    sha256: str
    """64 hex digits."""


def digest_of(path: Path) -> Digested:
    """Return the size and the digest of a file, read once for each time of change."""
    path = path.resolve()
    stat = path.stat()
    return Digested(stat.st_size, _digest(path, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=32)
def _digest(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001  (the cache's key)
    """Return the sha256 of a file, once per path, size and time of change."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
