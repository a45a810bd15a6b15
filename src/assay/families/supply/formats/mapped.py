"""A file that is mapped into memory: looked at without being read whole.

*Covered*: pipes, devices and folders are told, not waited for; the size is that of the moment at which it
was opened.  *Not covered*: another process that cuts the file meanwhile, which ends this one (SIGBUS).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path

from assay import PluginError

from ..faults import Fault, damaged

_FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""A pipe is not waited for.  Windows has neither of the first two, and reads text without the last."""


def handle_of(path: Path) -> int:
    """Open a file for reading, whatever it is; ``PluginError`` A403 where there is none."""
    try:
        return os.open(path, os.O_RDONLY | _FLAGS)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a name with a NUL in it
        raise PluginError(
            "the model file is missing", where=str(path), hint="check its path", code="A403"
        ) from None


class Mapped:
    """The bytes of a file.  Close it; what was handed out stays good until it is dropped."""

    __slots__ = ("_map", "data", "path", "size")

    def __init__(self, path: Path) -> None:
        """Map a file; ``PluginError`` A403 where there is none, A205 where it is empty or no file."""
        self.path = path
        opened = handle_of(path)
        try:
            found = os.fstat(opened)
            if not stat.S_ISREG(found.st_mode):
                raise damaged(Fault.UNKNOWN_FORMAT, path, "it is a folder, a pipe or a device")
            self.size = found.st_size
            if not self.size:
                raise damaged(Fault.TRUNCATED, path, "it is empty")
            self._map = mmap(opened, self.size, access=ACCESS_READ)
        finally:
            os.close(opened)
        self.data = memoryview(self._map)

    def close(self) -> None:
        """Let go of the file."""
        # Whoever still has a view of it keeps the map; it goes with the last of them.
        with suppress(BufferError):
            self.data.release()
            self._map.close()
