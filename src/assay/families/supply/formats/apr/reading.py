"""``open_apr``: every ``.apr`` that assay reads, as one kind of open file."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from ...faults import Fault, damaged
from ...header import ModelHeader, TensorEntry
from ..mapped import handle_of
from .apr1 import read_apr1, read_wrapped
from .codecs import decode
from .layouts import Bytes, Layout, sniff
from .parsed import SIDE, Parsed
from .realizar import read_realizar
from .version1 import read_v1
from .version2 import read_v2
from .whole import Extent, check_file_crc

_TOLD = {
    Layout.PROBE: "the magic 'APR!' (0x41505221) was asked for by a validator of single-shot-eval; "
    "no writer and no layout of it are known",
    Layout.JUGAR: "APNR, the file of the game library jugar-apr",
}


class AprFile:
    """An open ``.apr`` file: a ``ModelFile``.  Made by ``open_apr``."""

    def __init__(self, path: Path, parsed: Parsed, size: int) -> None:
        self._path = path
        self._data = parsed.data
        self._made = parsed.made
        sides = [entry for entry in parsed.tensors if entry.name.startswith(SIDE)]
        self._sides = {entry.name.removeprefix(SIDE): entry for entry in sides}
        self._header = ModelHeader(
            format="apr",
            variant=parsed.variant,
            size=size,
            tensors=tuple(entry for entry in parsed.tensors if not entry.name.startswith(SIDE)),
            metadata=parsed.metadata,
            side_files=tuple(self._sides),
            notes=parsed.notes,
        )
        self._entries: Mapping[str, TensorEntry] = self._header.by_name

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def header(self) -> ModelHeader:
        """What its head says."""
        return self._header

    def raw(self, name: str) -> memoryview:
        """Return the bytes of a tensor as they stand in the file, not copied, read-only.

        ``KeyError`` for no such tensor.
        """
        return self.buffer(name).toreadonly()

    def buffer(self, name: str) -> memoryview:
        """Return the bytes of a tensor, writable if the file is mapped ``Map.PRIVATE``.

        What is written then is this process's own and never reaches the file.
        """
        entry = self._entries[name]
        if name in self._made:
            return memoryview(self._made[name])
        return memoryview(self._data)[entry.start : entry.start + entry.size]

    def numbers(self, name: str) -> NDArray[Any]:
        """Return a tensor as float32, dequantised, or as integers, in its shape.

        F32 and integers are a read-only view of the file, which stays mapped as long as the view
        lives.  ``KeyError`` for no such tensor.
        """
        entry = self._entries[name]
        return decode(self.raw(name), entry.dtype, entry.shape)

    def side_file(self, name: str) -> bytes:
        """Return a side file.  ``KeyError`` for none of that name."""
        entry = self._sides[name]
        return bytes(self._data[entry.start : entry.start + entry.size])

    def close(self) -> None:
        """Let go of the file; the map itself lives as long as a view of a tensor does."""
        self._data, self._made = b"", {}
        self._entries, self._sides = {}, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()


class Map(Enum):
    """What may be done with the memory that a file is mapped to."""

    READ_ONLY = mmap.ACCESS_READ
    PRIVATE = mmap.ACCESS_COPY
    """Writes stay in this process; the system may refuse it for a file larger than its memory."""


def open_apr(path: Path, *, extent: Extent = Extent.WHOLE, memory: Map = Map.READ_ONLY) -> AprFile:
    r"""Open an ``.apr`` file, whichever layout it has, mapped into memory and checked.

    v2 (``APR\0``, ``APR2``), APR1 and its compressed form, and realizar's 0.2 have tensors; aprender's
    v1 has metadata and notes only.  ``Extent.WHOLE`` reads every byte under the file's checksum, once
    for each size and time of change of the file; ``Extent.HEAD`` leaves that to whoever compares the
    file's digest.  Raises A205 with a fault for each kind of damage, and for the kinds that are told but
    not read (``APR!``, jugar-apr's, whisper.apr's, encrypted ones); A403 for no such file.

    *Not to be trusted when* another process shortens the file while it is mapped.
    """
    handle = handle_of(path)
    try:
        data = _mapped(handle, path, memory)
        parsed = read_apr(data, path)
        if parsed.checksum and extent is Extent.WHOLE:
            check_file_crc(handle, path, parsed.checksum)
        return AprFile(path, parsed, len(data))
    finally:
        os.close(handle)


def _mapped(handle: int, path: Path, memory: Map) -> Bytes:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise damaged(Fault.UNKNOWN_FORMAT, path, "it is a folder, a pipe or a device")
    if found.st_size < 4:
        raise damaged(Fault.TRUNCATED, path, f"{found.st_size} bytes")
    return memoryview(mmap.mmap(handle, found.st_size, access=memory.value))


def read_apr(data: Bytes, path: Path) -> Parsed:
    """Return what the bytes of a file say, whichever layout it has; ``path`` is for the errors.

    The checksum over the whole is left to the caller where ``Parsed.checksum`` names it.
    """
    match layout := sniff(data):
        case Layout.V2 | Layout.V2_EARLY:
            return read_v2(data, path, layout)
        case Layout.APR1:
            return read_apr1(data, path)
        case Layout.WRAPPED:
            return read_wrapped(data, path)
        case Layout.V1:
            return read_v1(data, path)
        case Layout.REALIZAR:
            return read_realizar(data, path)
        case Layout.PROBE | Layout.JUGAR:
            raise damaged(Fault.UNSUPPORTED, path, _TOLD[layout])
        case None:
            raise damaged(Fault.UNKNOWN_FORMAT, path, f"it begins with {bytes(data[:4])!r}")
