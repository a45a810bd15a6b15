"""The evidence packs beside the journals: one entry read, and the lines whose entry a power cut took.

An entry is found by the place that its line names; ``journal.Writer`` puts it there.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from pathlib import Path

from ..core.errors import SealError
from .canon import disk_errors, open_plain
from .journal import TAIL
from .line import decode_unchecked

MOST_EVIDENCE = 1 << 28
"""Bytes that one entry of an evidence pack may unpack to: a run may come from anybody."""


def read_evidence(pack: Path, at: tuple[int, int]) -> bytes:
    """Return one entry of an evidence pack, which may come from anybody.

    Raises ``SealError`` A304 for what is no entry, or unpacks to more than ``MOST_EVIDENCE`` bytes.
    """
    try:
        with open_plain(pack) as file:
            file.seek(at[0])
            # What a line says of a length is no reason to take that much memory.
            packed = file.read(min(max(at[1], 0), os.fstat(file.fileno()).st_size))
        unpacker = zlib.decompressobj()
        found = unpacker.decompress(packed, MOST_EVIDENCE + 1)
    except (OSError, ValueError, OverflowError, zlib.error) as error:
        raise _no_evidence(pack, at, str(error)) from None
    if len(found) > MOST_EVIDENCE:
        raise _no_evidence(pack, at, f"it unpacks to more than {MOST_EVIDENCE:,} bytes")
    if not unpacker.eof:
        raise _no_evidence(pack, at, "it is cut off")
    return found


def _no_evidence(pack: Path, at: tuple[int, int], why: str) -> SealError:
    return SealError(
        f"the evidence at byte {at[0]} cannot be read: {why}",
        where=str(pack),
        hint="run `assay verify` on the run directory",
        code="A304",
    )


def drop_lost(path: Path, pack: Path) -> int:
    """Cut a journal before the first of its last lines whose evidence is lost; return how many bytes went.

    Lines and their evidence are two files, and a power cut may keep the one without the other.
    """
    if not path.exists():
        return 0
    tail: deque[tuple[int, bytes]] = deque(maxlen=TAIL)
    size = 0
    with path.open("rb") as file:
        for raw in file:
            tail.append((size, raw))
            size += len(raw)
    for start, raw in tail:
        at = decode_unchecked(raw).usage.at
        try:
            if at is not None:
                read_evidence(pack, at)
        except SealError:
            with disk_errors(path), path.open("r+b") as file:
                file.truncate(start)
                os.fsync(file.fileno())
            return size - start
    return 0
