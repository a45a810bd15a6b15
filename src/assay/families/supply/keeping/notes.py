"""What is known of a kept file beside its bytes: where it came from, and when it was used last.

The bytes are the truth: a file without a note is kept all the same, and a note without a file says
nothing.  A note's time of change is the time of last use, so that a use writes no file anew.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

MOST_ORIGINS = 100
"""Of one file: a tokenizer may come with many models.  The oldest are forgotten first."""

MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Under what name a file was fetched, and where from."""

    name: str
    source: str
    """As ``fetch`` takes it: ``hf:org/name@commit#file``; empty for a file that somebody put there."""

    licence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is known of a kept file."""

    size: int
    origins: tuple[Origin, ...] = ()
    """The latest last."""

    used_ns: int = 0

    def told(self, origin: Origin) -> Note:
        """Return the note with one origin more."""
        others = (each for each in self.origins if each != origin)
        return replace(self, origins=(*others, origin)[-MOST_ORIGINS:])


def read_note(path: Path) -> Note | None:
    """Return a note; None where there is none, or what is there makes no sense."""
    try:
        with path.open("rb") as file:
            used = os.fstat(file.fileno()).st_mtime_ns
            said = json.loads(file.read(MOST_BYTES))
        origins = tuple(_origin(each) for each in said["origins"])
        size = said["size"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if type(size) is not int or size < 0:
        return None
    return Note(size=size, origins=origins, used_ns=used)


def _origin(said: Mapping[str, Any]) -> Origin:
    name, source, licence = said["name"], said["source"], said.get("licence")
    if not (isinstance(name, str) and isinstance(source, str)):
        raise TypeError("a name and a source are texts")
    return Origin(name=name, source=source, licence=licence if isinstance(licence, str) else None)


def write_note(path: Path, note: Note) -> None:
    """Write a note, whole or not at all."""
    said = {
        "size": note.size,
        "origins": [
            {"name": each.name, "source": each.source, "licence": each.licence}
            for each in note.origins
        ],
    }
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with part.open("wb") as file:
            file.write(json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.utime(part, ns=(note.used_ns, note.used_ns))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def touch(path: Path) -> None:
    """Note that a file is used now: later than every other use, whatever the clock says.

    Between two uses the clock may have been set back, or have been too coarse to tell them apart.
    """
    latest = 0
    with os.scandir(path.parent) as others:
        for other in others:
            try:
                latest = max(latest, other.stat().st_mtime_ns)
            except FileNotFoundError:
                continue
    now = max(time.time_ns(), latest + 1)
    os.utime(path, ns=(now, now))
