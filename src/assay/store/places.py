"""Where each line of a lines file begins, so that one of a million is read without the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..core.errors import SealError
from .canon import open_plain
from .line import Line, decode_unchecked

Places: TypeAlias = NDArray[np.int64]
"""Bytes into a file, one for each sample; ``NOWHERE`` for what the file does not hold."""

NOWHERE = -1


class _Named(msgspec.Struct, frozen=True, gc=False):
    id: str


class _Decided(msgspec.Struct, frozen=True, gc=False):
    sample: str
    attempt: int = 0


class _Row(msgspec.Struct, frozen=True, gc=False):
    decided: _Decided


DAMAGED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a line raises that somebody has changed."""

_named = msgspec.json.Decoder(_Named).decode
_row = msgspec.json.Decoder(_Row).decode


def sample_places(path: Path) -> tuple[list[str], Places]:
    """Return the ids of the samples of a file, in its order, and where their lines begin.

    Raises ``SealError`` A304 for a line that is none.
    """
    names, places, at = [], [], 0
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                names.append(_named(raw).id)
            except DAMAGED as error:
                raise _damaged(f"{path}:{number}", error) from None
            places.append(at)
            at += len(raw)
    return names, np.array(places, dtype=np.int64)


def reply_places(path: Path, row: Mapping[str, int]) -> Places:
    """Return where the first try of each sample stands in a journal; ``row`` numbers the samples.

    A later line supersedes an earlier one.  Raises ``SealError`` A304 for a line that is none.
    """
    places, at = np.full(len(row), NOWHERE, dtype=np.int64), 0
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                said = _row(raw).decided
            except DAMAGED as error:
                raise _damaged(f"{path}:{number}", error) from None
            if said.attempt == 0 and said.sample in row:
                places[row[said.sample]] = at
            at += len(raw)
    return places


def lines_at(path: Path, places: NDArray[np.int64]) -> list[bytes]:
    """Return the lines that begin at some places of a file; nothing where there is none."""
    with open_plain(path) as file:
        found = []
        for place in places.tolist():
            if place == NOWHERE:
                found.append(b"")
                continue
            file.seek(place)
            found.append(file.readline())
        return found


def replies_at(path: Path, places: NDArray[np.int64]) -> list[Line | None]:
    """Return the lines of a sealed journal at some places; None where there is none.

    Raises ``SealError`` A304 for a line that is none.
    """
    found: list[Line | None] = []
    for raw in lines_at(path, places):
        try:
            found.append(decode_unchecked(raw) if raw else None)
        except DAMAGED as error:
            raise _damaged(str(path), error) from None
    return found


def _damaged(where: str, why: Exception) -> SealError:
    return SealError(
        f"a line cannot be read: {why}",
        where=where,
        hint="run `assay verify` on the run directory",
        code="A304",
    )
