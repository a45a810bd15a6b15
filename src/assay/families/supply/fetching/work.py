"""What the files of one fetch have in common, and what becomes of each."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import Literal, Protocol, TypeAlias

from ..keeping.cache import ModelCache
from ..keeping.kept import Kept
from .heads import Heads
from .lockfile import LockedFile
from .patience import Patience

Pickles: TypeAlias = Literal["refuse", "convert"]


class Tells(Protocol):
    """Hears how far it is: what ``assay.progress.telling`` yields."""

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """How many bytes are to come, by file."""

    def advance(self, system: str, replies: int) -> None:
        """Some bytes of a file came."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the files of a source have in common."""

    into: ModelCache
    resolved: str
    licence: str | None
    locked: Mapping[str, LockedFile]
    """By name, what the lock says."""

    patience: Patience
    stop: Event
    tell: Tells
    pickles: Pickles
    held: ExitStack
    """Holds every file of the cache that was found or placed, so that nobody evicts it meanwhile."""

    @property
    def heads(self) -> Heads:
        """What servers said of files."""
        return Heads(self.into.folder / "heads")

    def source_of(self, name: str) -> str:
        """Return where a file comes from, as it is written."""
        return f"{self.resolved}#{name}" if self.resolved.startswith("hf:") else self.resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file that is in the cache."""

    kept: Kept
    was_there: bool
    bytes_of_source: LockedFile
    """As the source has it: of a pickle that was converted, those of the pickle."""

    note: str = ""
