"""Formats of model files, each a plugin: whoever loads a model asks here, and knows none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from .core.errors import PluginError
from .engine.plugins import known, load

__all__ = ["HEAD", "Format", "format_of", "formats"]

HEAD = 64
"""Bytes of a file by which its format is told."""


@runtime_checkable
class Format(Protocol):
    """One format of model file, as an entry point of ``assay.formats`` returns it."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes, at most ``HEAD`` of them, is of this format."""
        ...

    def parameters(self, path: Path) -> int:
        """Return how many numbers the model has, from the head of the file."""
        ...

    def as_folder(self, path: Path) -> Path:
        """Return a folder that transformers loads, made of this file alone.

        It holds ``config.json``, ``model.safetensors`` and the tokenizer's files, where the file has
        any; it is made once and kept in the cache.  Raises ``AssayError`` where the file is damaged,
        or of a model that the format does not know.
        """
        ...


def formats() -> tuple[str, ...]:
    """Return the names of all installed formats.

    >>> "apr" in formats()
    True
    """
    return tuple(sorted(known("assay.formats")))


def format_of(path: Path) -> Format | None:
    """Return the format of a file, told by its first bytes; None for one that nobody knows.

    Raises ``PluginError`` A400 for a plugin that cannot be imported or is no format, and
    ``OSError`` for a file that cannot be read.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     format_of(Path(file.name)) is None
    True
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    for name in formats():
        made = load("assay.formats", name)()
        if not isinstance(made, Format):
            raise PluginError(
                f"the format {name!r} is a {type(made).__name__}, which has no recognises, "
                "parameters and as_folder",
                hint="see docs/plugins.md for what a format offers",
            )
        if made.recognises(head):
            return made
    return None
