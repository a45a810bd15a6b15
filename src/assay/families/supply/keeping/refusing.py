"""Evidence: files that are not what they were said to be, under names that nothing loads."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from .notes import MOST_BYTES

SUFFIX = ".refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that was set aside."""

    path: Path
    size: int
    named: str
    """What it was said to be: a name, or a digest."""

    why: str


def refuse(folder: Path, path: Path, *, named: str, why: str) -> Path:
    """Move a file to the evidence of the cache at ``folder``; return where it lies now.

    The same bytes are kept once, with the latest reason.  Raises ``OSError``.
    """
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
        size = os.fstat(file.fileno()).st_size
    where = folder / "refused" / f"{found}{SUFFIX}"
    where.parent.mkdir(parents=True, exist_ok=True)
    said = {
        "named": named,
        "why": why,
        "sha256": found,
        "size": size,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    note = where.with_suffix(".json")
    note.write_text(json.dumps(said, indent=1) + "\n", "utf-8", "replace")
    path.replace(where)
    with suppress(OSError):  # somebody else's file is evidence all the same
        where.chmod(0o400)
    return where


def refused(folder: Path) -> tuple[Refused, ...]:
    """Return the evidence of the cache at ``folder``."""
    found = []
    for path in sorted((folder / "refused").glob(f"*{SUFFIX}")):
        said = _said(path.with_suffix(".json"))
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            continue
        named, why = str(said.get("named", "")), str(said.get("why", ""))
        found.append(Refused(path=path, size=size, named=named, why=why))
    return tuple(found)


def _said(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
