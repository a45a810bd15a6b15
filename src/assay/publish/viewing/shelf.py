"""The runs in a folder, each in a line: what it decides, what its claims came to, and whether it is sealed."""

from __future__ import annotations

import json
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ...core.errors import AssayError
from ...store.manifest import Manifest, read_doc
from ...store.rundir import RunDir
from ...store.seal import Glance, glance

MOST_BYTES = 1 << 25
"""Bytes of a document that is read whole."""

MOST_RUNS = 10_000


class State(StrEnum):
    """What a quick look shows of a run; no verdict."""

    ALIKE = Glance.ALIKE.value
    NEWER = Glance.NEWER.value
    CHANGED = Glance.CHANGED.value
    UNSEALED = "not sealed"
    BROKEN = "cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A run in the list."""

    name: str
    """Of its folder."""

    state: State
    began: datetime | None = None
    plan: str = ""
    says: str = ""
    systems: int = 0
    tasks: int = 0
    decision: str = ""
    """As ``derived/summary.json`` has it: nothing has computed it again."""

    claims: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
    """Why it cannot be read."""


class Shelf:
    """A folder of runs.  Names come from the folder: no name of a request becomes a path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the names of runs, newest first; links are not followed."""
        found = [
            path.name
            for path in self.root.iterdir()
            if path.is_dir() and not path.is_symlink() and is_run(RunDir(path))
        ]
        return sorted(found, reverse=True)[:MOST_RUNS]

    def run(self, name: str) -> RunDir | None:
        """Return a run by the name of its folder; None where there is none of that name."""
        return RunDir(self.root / name) if name in self.names() else None

    def listed(self) -> list[Listed]:
        """Return every run in a line, those that began last first."""
        rows = [row_of(RunDir(self.root / name)) for name in self.names()]
        early = datetime.min.replace(tzinfo=UTC)
        return sorted(rows, key=lambda row: (row.began or early, row.name), reverse=True)


def is_run(run: RunDir) -> bool:
    """Whether a folder holds a run, or what is left of one."""
    return any(path.is_file() for path in (run.manifest, run.seal, run.plan))


def row_of(run: RunDir) -> Listed:
    """Return a run in a line."""
    name = run.root.name
    try:
        manifest = read_doc(Manifest, plain_file(run, run.manifest))
        state = State(glance(run).value) if run.seal.is_file() else State.UNSEALED
        began = run.begun()
    except (AssayError, OSError) as error:
        why = error.what if isinstance(error, AssayError) else str(error.strerror)
        return Listed(name=name, state=State.BROKEN, why=why)
    summary = stored(run, "summary.json") if state is not State.UNSEALED else None
    found = summary if isinstance(summary, dict) else {}
    findings = found.get("findings")
    statuses = findings.values() if isinstance(findings, dict) else ()
    return Listed(
        name=name,
        state=state,
        began=began,
        plan=manifest.name,
        says=manifest.says,
        systems=sum(not facts.control for facts in manifest.systems.values()),
        tasks=len(manifest.tasks),
        decision=str(found.get("says", "")),
        claims=Counter(str(status) for status in statuses),
    )


def stored(run: RunDir, name: str) -> Any:
    """Return a derived document as it stands there; None where it is absent, too large or no JSON."""
    try:
        return json.loads(plain_file(run, run.derived / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def plain_file(run: RunDir, path: Path) -> Path:
    """Return a file of a run; raise ``OSError`` for a link, a pipe, what leads elsewhere, or is too large."""
    if path.resolve(strict=True) != run.root.resolve() / path.relative_to(run.root):
        raise OSError(0, "it is a link, and links are not followed")
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(0, "it is no plain file")
    if facts.st_size > MOST_BYTES:
        raise OSError(0, "it is too large")
    return path
