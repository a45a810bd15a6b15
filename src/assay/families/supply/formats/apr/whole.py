"""The checksum over a whole file, computed once for a file that has not changed.

*Covered*: damage.  *Not covered*: a forger, who computes a CRC32 as easily; compare a sha256.
"""

from __future__ import annotations

import os
import time
from enum import Enum
from pathlib import Path
from threading import Lock
from zlib import crc32

from ...faults import Fault, damaged
from .layouts import Bytes, word


class Extent(Enum):
    """How much of a file is read before it is trusted."""

    WHOLE = "whole"
    """The head and every byte under the checksum of the file: for inspection and conversion."""

    HEAD = "head"
    """The head, with its own checksum: for loading what a digest or a passport vouches for."""


_PIECE = 1 << 20
_QUIET_NS = 2 * 10**9  # a file that changed a moment ago may change again at the same timestamp
_known: dict[tuple[int, ...], None] = {}
_lock = Lock()


def check_crc(data: Bytes, path: Path, what: str) -> None:
    """Raise A205 unless the last four bytes are the CRC32 of all before them."""
    found, said = _crc(data), word(data, len(data) - 4)
    if found != said:
        raise damaged(Fault.CHECKSUM, path, f"{what} is {found:08x}, the file says {said:08x}")


def check_file_crc(handle: int, path: Path, what: str) -> None:
    """Do as ``check_crc`` by reading the open file: once for each identity, size and time of change.

    Read in pieces, not through the map: a map's pages would count as this process's memory.
    """
    stat = os.fstat(handle)
    key = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if key in _known:
        return
    left, at, crc, piece = stat.st_size - 4, 0, 0, memoryview(bytearray(_PIECE))
    while left > 0:
        count = os.preadv(handle, [piece[: min(left, _PIECE)]], at)
        if not count:
            raise damaged(Fault.TRUNCATED, path, f"it ended at byte {at} while it was read")
        crc = crc32(piece[:count], crc)
        left, at = left - count, at + count
    said = word(os.pread(handle, 4, at), 0)
    if crc != said:
        raise damaged(Fault.CHECKSUM, path, f"{what} is {crc:08x}, the file says {said:08x}")
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _QUIET_NS:
        with _lock:
            if len(_known) >= 256:
                _known.pop(next(iter(_known)), None)
            _known[key] = None


def _crc(data: Bytes) -> int:
    """Return the CRC32 of all but the last four bytes."""
    crc = 0
    for at in range(0, len(data) - 4, _PIECE):
        crc = crc32(data[at : min(at + _PIECE, len(data) - 4)], crc)
    return crc
