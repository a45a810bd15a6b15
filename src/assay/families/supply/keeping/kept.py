"""What is said of files in the cache, and of those that go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .notes import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of the cache."""

    sha256: str
    path: Path
    size: int
    name: str
    """Of its latest origin; the digest's beginning where none is known."""

    source: str
    licence: str | None
    origins: tuple[Origin, ...]
    used_ns: int
    """When it was used last, in nanoseconds since 1970."""

    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A file was evicted."""

    freed: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """A file was not evicted."""

    why: str
    """``pinned``, ``in use`` or ``not there``."""
