"""What is known of sealed journals, kept under ``cache/`` so that each is decoded once.

Covered: a journal that changed (the file is named by the digest that the seal has of it), a damaged
or half-written file, one of another version or whose parts do not fit together, two processes at once, a folder that may not be
written: the journal itself is then read.  Not covered: who writes into ``cache/`` on purpose.
``assay verify`` never reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..core.errors import RunError
from .canon import read_plain, write_whole
from .columns import MEASURED, OUTCOMES, CellColumns, read_columns, read_decided_columns
from .journal import Decisions
from .rundir import RunDir

VERSION = 2
"""Of the file's layout and of what columns mean; another one is made again."""

WORTH = 1 << 20
"""Bytes; a smaller journal is read in milliseconds and not kept."""

HASH = 32
"""Bytes in front of the file: the sha256 of the rest."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """The file: MessagePack; arrays are little-endian bytes."""

    version: int
    journal: str
    decisions: str
    crashed: bool
    samples: list[str]
    groups: list[str]
    """Each once."""

    reasons: list[str]
    arrays: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Known:
    """A journal, read."""

    columns: CellColumns
    decisions: Decisions


def know(run: RunDir, journal: Path, digest: str, *, worth: int = WORTH) -> Known:
    """Return what is known of a sealed journal whose digest is this, and keep it if it is large.

    Raises ``SealError`` A304 for a line that cannot be read.
    """
    if journal.stat().st_size < worth:
        return _read(journal)
    path = kept_file(run, digest)
    known = _load(path, digest)
    if known is None:
        known = _read(journal)
        _keep(path, digest, known)
    return known


def columns_of(run: RunDir, journal: Path, digest: str | None) -> CellColumns:
    """Return the columns of a sealed journal; without a digest, from the journal itself."""
    if digest is None or journal.stat().st_size < WORTH:
        return read_columns(journal)
    known = _load(kept_file(run, digest), digest)
    return read_columns(journal) if known is None else known.columns


def kept_file(run: RunDir, digest: str) -> Path:
    """Return where the columns of a journal with this digest are kept."""
    return run.work / "columns" / digest.removeprefix("sha256:")


def _read(journal: Path) -> Known:
    return Known(*read_decided_columns(journal))


def _load(path: Path, digest: str) -> Known | None:
    """Return what a file keeps; None where there is none that can be trusted."""
    try:
        data = read_plain(path)
    except OSError:
        return None
    body = memoryview(data)[HASH:]
    if hashlib.sha256(body).digest() != data[:HASH]:
        return None
    try:
        stored = _decode(body)
        if stored.version != VERSION or stored.journal != digest:
            return None
        return Known(_columns(stored), Decisions(stored.decisions, stored.crashed))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _keep(path: Path, digest: str, known: Known) -> None:
    columns = known.columns
    codes: dict[str, int] = {}
    arrays = {
        "group": _bytes([codes.setdefault(g, len(codes)) for g in columns.groups], "<i4"),
        "attempt": _bytes(columns.attempts, "<i8"),
        "outcome": _bytes(columns.outcome, "<i1"),
        "confidence": _bytes(columns.confidence, "<f8"),
        "reason": _bytes(columns.reason, "<i4"),
        **{f"spent:{n}": _bytes(c, "<f8") for n, c in columns.measured.items()},
        **{f"check:{n}": _bytes(c, "<f8") for n, c in columns.checks.items()},
    }
    stored = Stored(
        version=VERSION,
        journal=digest,
        decisions=known.decisions.digest,
        crashed=known.decisions.crashed,
        samples=list(columns.samples),
        groups=list(codes),
        reasons=list(columns.reasons),
        arrays=arrays,
    )
    body = msgspec.msgpack.encode(stored)
    try:
        write_whole(path, hashlib.sha256(body).digest() + body)
    except RunError:
        return  # a folder that may only be read, or a full disk: the journal is read again


def _columns(stored: Stored) -> CellColumns:
    """Return columns; raise ``ValueError`` where the parts do not fit together."""
    arrays = stored.arrays
    present = {name for name in arrays if not name.startswith("check:")}
    if not _KINDS.keys() <= present <= _KINDS.keys() | _SPENT:
        raise ValueError("it has other arrays than a journal")
    if any(len(data) != len(stored.samples) * _width(name) for name, data in arrays.items()):
        raise ValueError("an array has another length than there are samples")
    for name, most in (("group", stored.groups), ("outcome", OUTCOMES), ("reason", stored.reasons)):
        codes = _array(arrays[name], _KINDS[name])
        if codes.size and not 0 <= codes.min() <= codes.max() < len(most):
            raise ValueError(f"a {name} stands for nothing")
    groups = np.array(stored.groups, dtype=object)[_array(arrays["group"], "<i4")]

    def named(prefix: str) -> Mapping[str, NDArray[np.float64]]:
        return {
            name.removeprefix(prefix): _array(data, "<f8")
            for name, data in arrays.items()
            if name.startswith(prefix)
        }

    return CellColumns(
        samples=tuple(stored.samples),
        attempts=_array(arrays["attempt"], "<i8"),
        groups=tuple(groups.tolist()),
        outcome=_array(arrays["outcome"], "<i1"),
        confidence=_array(arrays["confidence"], "<f8"),
        measured=named("spent:"),
        checks=named("check:"),
        reason=_array(arrays["reason"], "<i4"),
        reasons=tuple(stored.reasons),
    )


_KINDS: Mapping[str, str] = {
    "group": "<i4",
    "attempt": "<i8",
    "outcome": "<i1",
    "confidence": "<f8",
    "reason": "<i4",
}
_SPENT = frozenset(f"spent:{name}" for name in MEASURED)


def _width(name: str) -> int:
    return int(np.dtype(_KINDS.get(name, "<f8")).itemsize)


def _bytes(values: Any, kind: str) -> bytes:
    return np.asarray(values, dtype=kind).tobytes()


def _array(data: bytes, kind: str) -> NDArray[Any]:
    return np.frombuffer(data, dtype=kind)


_decode = msgspec.msgpack.Decoder(Stored).decode
