"""An open model file, of any format that is a list of tensors in mapped files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from ..header import ModelHeader, TensorEntry
from .mapped import Mapped


class OpenModel:
    """A ``ModelFile``: what a format's reader makes of a file whose head it has checked."""

    def __init__(
        self,
        header: ModelHeader,
        maps: Mapping[str, Mapped],
        *,
        path: Path,
        decode: Callable[[TensorEntry, memoryview], Any],
        files: Mapping[str, Callable[[], bytes]] | None = None,
    ) -> None:
        """Take over the mapped files, by the ``home`` of the tensors that they hold."""
        self.path, self.header = path, header
        self._maps, self._decode, self._files = maps, decode, files or {}
        self._entries = header.by_name

    def raw(self, name: str) -> memoryview:
        """Return the bytes of a tensor as they stand in the file, not copied."""
        entry = self._entries[name]
        return self._maps[entry.home].data[entry.start : entry.start + entry.size]

    def numbers(self, name: str) -> Any:
        """Return a tensor as a NumPy array; an F32 one is a view of the file that cannot be written."""
        return self._decode(self._entries[name], self.raw(name))

    def side_file(self, name: str) -> bytes:
        """Return a side file."""
        return self._files[name]()

    def close(self) -> None:
        """Let go of the files."""
        for mapped in self._maps.values():
            mapped.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()


def open_mapped(
    path: Path,
    *,
    read: Callable[[Mapped], ModelHeader],
    decode: Callable[[Path, TensorEntry, memoryview], Any],
) -> OpenModel:
    """Map a file that is a model of its own, and have its head read; let go of it where that fails."""
    mapped = Mapped(path)
    try:
        header = read(mapped)
    except BaseException:
        mapped.close()
        raise
    return OpenModel(header, {"": mapped}, path=path, decode=partial(decode, path))
