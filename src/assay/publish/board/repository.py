"""What a place of model files has, asked through a plugin: the board knows no host and no format itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from ...core.errors import PluginError
from ...engine.plugins import known, load

GROUP = "assay.repositories"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFile:
    """A file of a repository, before a byte of it is moved."""

    name: str
    """Its path in the repository, with ``/`` between folders."""

    size: int | None
    sha256: str | None = None
    """As the repository names it."""

    refused: str | None = None
    """Why it is never read, by its name (``a pickle``); None where it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What a source has."""

    resolved: str
    """The source, with the commit that it is now."""

    commit: str | None
    """40 hex digits; None for a source that has none."""

    files: tuple[RepositoryFile, ...]
    licence: str | None = None
    """As the repository declares it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the heads of a model's files say; the weights are not read."""

    format: str
    parameters: int
    """How many numbers the tensors hold."""

    repeated: int = 0
    """How many of them are a matrix of outputs that may repeat that of inputs."""

    architecture: str | None = None
    context: int | None = None
    writes: bool | None = None
    """Whether it writes text; False for an encoder, None where nobody can tell."""

    chats: bool | None = None
    """Whether it brings a chat template; None where nobody can tell."""

    notes: tuple[str, ...] = ()
    """What a careful reader should know, a sentence each."""

    refused: str | None = None
    """Why nobody here would load it (it needs code of its own)."""

    is_packed: bool = False
    """Whether several weights share a number, so that numbers are no parameters."""


@runtime_checkable
class RepositoryReader(Protocol):
    """One kind of source, as an entry point of ``assay.repositories`` returns it.

    What it is given comes from strangers, and so does what it finds.  Each method raises ``AssayError``
    where the source is none, cannot be had, or is damaged; A405 where it cannot be reached.
    """

    def look(self, source: str) -> Repository:
        """Return what a source has.  No file is fetched."""
        ...

    def weigh(self, source: str, files: Sequence[str]) -> Weights:
        """Return what the heads of these files, which make one model, say.  The weights are not fetched."""
        ...

    def bring(self, source: str, files: Sequence[str], into: Path) -> None:
        """Fetch files of a source into a folder, under their own names."""
        ...


def reader_of(source: str) -> RepositoryReader:
    """Return the plugin that reads sources of this scheme (``hf``, ``pypi``, ``file``).

    Raises ``PluginError`` A400 where none is installed, or what is installed is none.
    """
    scheme = source.partition(":")[0]
    if scheme not in known(GROUP):
        raise PluginError(
            f"nothing is installed that reads sources of the kind {scheme}:",
            where=source,
            hint=f"known: {', '.join(sorted(known(GROUP))) or 'none'}",
        )
    made = load(GROUP, scheme)()
    if not isinstance(made, RepositoryReader):
        raise PluginError(
            f"{scheme!r} of {GROUP} is a {type(made).__name__}, which has no look, weigh and bring",
            hint="see docs/plugins.md for what it offers",
        )
    return made
