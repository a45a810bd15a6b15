"""Arrays that are made once of a sealed run, kept under ``cache/`` and mapped, not read.

Covered: a file of the run that was touched since (its size or its time), a damaged or half-written
shelf, one of another version, two processes at once, a folder that may not be written (the shelf is
then made elsewhere, and goes with its reader), a link out of the run (the same).  Not covered: who writes into ``cache/`` on purpose,
or edits a file of the run and sets its time back: ``assay verify`` reads everything.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .around import stays_in
from .canon import CHUNK, digest_file, open_plain, read_plain
from .rundir import RunDir

LABEL = "label.json"
DAMAGED = (OSError, ValueError, EOFError, OverflowError, RecursionError, SyntaxError, TokenError)
"""What a label (msgspec's errors are ValueErrors) and the head of an array raise where they are none."""


class Label(msgspec.Struct, frozen=True):
    """What a shelf says of itself."""

    files: dict[str, tuple[int, int]]
    """Files of the run that it was made of: size, and when they were changed, in nanoseconds."""

    arrays: dict[str, int]
    """The crc of each array's file."""

    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Arrays by name, mapped into memory: what is not looked at is not read."""

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is to be put on a shelf."""

    files: Iterable[Path]
    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]


def shelf(run: RunDir, name: str, make: Callable[[], Contents]) -> Shelf:
    """Return a shelf of a sealed run, made now if there is none that can be trusted."""
    place = run.work / "shelves" / digest_file(run.seal).removeprefix("sha256:") / name
    if (found := _read(run, place)) is not None:
        return found
    contents = make()
    if not stays_in(run.root, place):
        return _elsewhere(run, contents)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=place.parent))
    except OSError:
        return _elsewhere(run, contents)
    try:
        _write(run, made, contents)
        made.chmod(0o755)  # as readable as the rest of the run
        if place.exists() and _read(run, place) is None:
            shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    except OSError:
        # Another process was first, or the disk is full.
        if (found := _read(run, place)) is None:
            return _elsewhere(run, contents)
        return found
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return _read(run, place) or _elsewhere(run, contents)


def _elsewhere(run: RunDir, contents: Contents) -> Shelf:
    """Return a shelf that is not kept: its files have no name any more, and go with their reader."""
    with tempfile.TemporaryDirectory(prefix="assay-shelf-") as folder:
        _write(run, Path(folder), contents)
        found = _read(run, Path(folder))
    assert found is not None, "a run must not change while it is read"
    return found


def _write(run: RunDir, folder: Path, contents: Contents) -> None:
    crcs = {}
    for name, array in contents.arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
        crcs[name] = _crc(folder / f"{name}.npy")
    files = {str(p.relative_to(run.root)): _stamp(p) for p in contents.files}
    label = Label(files=files, arrays=crcs, facts=dict(contents.facts))
    (folder / LABEL).write_bytes(msgspec.json.encode(label))


def _read(run: RunDir, folder: Path) -> Shelf | None:
    try:
        label = _label(read_plain(folder / LABEL))
        if any(_stamp(run.root / name) != stamp for name, stamp in label.files.items()):
            return None
        if any(_crc(folder / f"{name}.npy") != crc for name, crc in label.arrays.items()):
            return None
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in label.arrays
        }
    except DAMAGED:
        return None
    return Shelf(arrays, label.facts)


def _stamp(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def _crc(path: Path) -> int:
    crc = 0
    with open_plain(path) as file:
        while piece := file.read(CHUNK):
            crc = zlib.crc32(piece, crc)
    return crc


_label = msgspec.json.Decoder(Label).decode
