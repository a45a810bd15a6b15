"""A model in several ``.apr`` files, opened by the manifest that lists them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import msgspec
from numpy.typing import NDArray

from assay import PluginError

from ...faults import Fault, damaged
from ...header import ModelHeader
from ..spans import named
from .metadata import LIMIT
from .parsed import is_side_name
from .reading import AprFile, open_apr
from .whole import Extent

_MOST_SHARDS = 4096


class _Shard(msgspec.Struct):
    filename: str
    index: int
    size: int
    tensors: list[str]


class _Manifest(msgspec.Struct):
    version: str
    shard_count: int
    total_size: int
    tensor_count: int
    shards: list[_Shard]
    weight_map: dict[str, int]


class ShardedApr:
    """An open model of several files: a ``ModelFile``.  Made by ``open_shards``."""

    def __init__(self, path: Path, files: dict[str, AprFile]) -> None:
        self._path, self._files = path, files
        headers = {name: file.header for name, file in files.items()}
        first = next(iter(headers.values()))
        self._header = ModelHeader(
            format="apr",
            variant=f"{first.variant}, {len(files)} shards",
            size=sum(header.size for header in headers.values()),
            tensors=tuple(
                replace(entry, home=name)
                for name, header in headers.items()
                for entry in header.tensors
            ),
            metadata=first.metadata,
            side_files=tuple(side for header in headers.values() for side in header.side_files),
            notes=tuple(f"{name}: {note}" for name, h in headers.items() for note in h.notes),
        )
        self._home = {entry.name: files[entry.home] for entry in self._header.tensors}

    @property
    def path(self) -> Path:
        """The manifest."""
        return self._path

    @property
    def header(self) -> ModelHeader:
        """The tensors of all files; ``home`` names the file, the metadata are the first shard's."""
        return self._header

    def raw(self, name: str) -> memoryview:
        """Return the bytes of a tensor as they stand in its file.  ``KeyError`` for no such."""
        return self._home[name].raw(name)

    def numbers(self, name: str) -> NDArray[Any]:
        """Return a tensor, as ``AprFile.numbers`` does.  ``KeyError`` for no such."""
        return self._home[name].numbers(name)

    def side_file(self, name: str) -> bytes:
        """Return a side file.  ``KeyError`` for none of that name."""
        for file in self._files.values():
            if name in file.header.side_files:
                return file.side_file(name)
        raise KeyError(name)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()


def open_shards(path: Path, *, extent: Extent = Extent.WHOLE) -> ShardedApr:
    """Open all the files that a shard manifest (JSON) lists, which stand beside it.

    Raises A205 where one is missing, shorter than said, outside the folder, or without a tensor that
    the manifest gives it; and what ``open_apr`` raises of each file.
    """
    manifest = _manifest(path)
    with ExitStack() as stack:
        files = {}
        for shard in sorted(manifest.shards, key=lambda shard: shard.index):
            files[shard.filename] = stack.enter_context(_opened(path, shard, extent))
        _check_map(path, manifest, files)
        stack.pop_all()
    return ShardedApr(path, files)


def _manifest(path: Path) -> _Manifest:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise PluginError(
            "the model file is missing", where=str(path), hint="check its path", code="A403"
        ) from error
    if len(data) > LIMIT:
        raise damaged(Fault.OVERSIZED, path, f"a manifest of more than {LIMIT:,} bytes")
    try:
        manifest = msgspec.json.decode(data, type=_Manifest)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise damaged(Fault.NONSENSE, path, f"it is no shard manifest: {error}") from error
    count = len(manifest.shards)
    if not 0 < count <= _MOST_SHARDS or manifest.shard_count != count:
        raise damaged(
            Fault.INCOMPLETE, path, f"{manifest.shard_count:,} shards are said, {count} are listed"
        )
    if sorted(shard.index for shard in manifest.shards) != list(range(count)):
        raise damaged(Fault.INCOMPLETE, path, f"its shards are not numbered 0 to {count - 1}")
    names = [shard.filename for shard in manifest.shards]
    for name in names:
        if not is_side_name(name):
            raise damaged(Fault.OUTSIDE, path, named(name))
        if names.count(name) > 1:
            raise damaged(Fault.NONSENSE, path, f"it lists {name} twice")
    return manifest


def _opened(path: Path, shard: _Shard, extent: Extent) -> AprFile:
    file = path.with_name(shard.filename)
    if not file.is_file():
        raise damaged(Fault.INCOMPLETE, path, f"shard {shard.index}, {shard.filename}")
    size = file.stat().st_size
    if size < shard.size:
        raise damaged(Fault.TRUNCATED, file, f"{size:,} of {shard.size:,} bytes")
    return open_apr(file, extent=extent)


def _check_map(path: Path, manifest: _Manifest, files: dict[str, AprFile]) -> None:
    """Hold the manifest to the files: each tensor once, where the manifest says."""
    found: dict[str, str] = {}
    for filename, file in files.items():
        for entry in file.header.tensors:
            if entry.name in found:
                names = f"{named(entry.name)}, in {found[entry.name]} and {filename}"
                raise damaged(Fault.DUPLICATE, path, names)
            found[entry.name] = filename
    home = {shard.index: shard.filename for shard in manifest.shards}
    said = [(name, home.get(index, "")) for name, index in manifest.weight_map.items()]
    said += [(name, shard.filename) for shard in manifest.shards for name in shard.tensors]
    if len(found) < manifest.tensor_count:
        count = f"{manifest.tensor_count:,} tensors are said, {len(found):,} are there"
        raise damaged(Fault.INCOMPLETE, path, count)
    for name, filename in said:
        if found.get(name) != filename:
            raise damaged(
                Fault.INCOMPLETE, path, f"{named(name)} is not in {named(filename) or 'any shard'}"
            )
