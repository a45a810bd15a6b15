"""The folder that a run is written to."""

from __future__ import annotations

import json
from datetime import datetime
from importlib import metadata
from pathlib import Path

from ..core.errors import PlanError, SealError
from ..store.canon import PART, write_whole
from ..store.manifest import Manifest, read_doc
from ..store.rundir import RunDir
from .resolve import Resolved

OURS = (".lock", "cache")
"""What may stand in a folder before anything is known of its run."""


def find(resolved: Resolved, root: Path, when: datetime) -> RunDir:
    """Return the unfinished run of a plan below ``root``, or a new folder for one."""
    name = resolved.loaded.plan.name
    short = resolved.digest[7:15]
    for found in sorted(root.glob(f"*-{name}-{short}"), reverse=True):
        run = RunDir(found)
        if run.manifest.is_file() and not run.seal.is_file():
            return run
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    fresh = root / f"{stamp}-{name}-{short}"
    tries = 1
    while fresh.exists():
        tries += 1
        fresh = root / f"{stamp}.{tries}-{name}-{short}"
    return RunDir(fresh)


def is_sealed(run: RunDir, resolved: Resolved) -> bool:
    """Whether the run is complete.

    Raises ``SealError`` A303 when the folder holds something else, ``PlanError`` A503 when it
    holds a run of another plan.
    """
    if not run.manifest.is_file():
        begun = _attempts(run).is_file()  # by us, and stopped before the manifest was written
        if not begun and any(p.name not in OURS for p in run.root.iterdir()):
            raise SealError(
                "the folder is not empty and is not a run",
                where=str(run.root),
                hint="name a new folder with --out",
                code="A303",
            )
        return False
    if read_doc(Manifest, run.manifest).plan != resolved.digest:
        raise PlanError(
            "the folder holds a run of another plan, or of other data or systems",
            where=str(run.root),
            hint="name a new folder with --out",
            code="A503",
        )
    return run.seal.is_file()


def sweep(run: RunDir) -> None:
    """Remove what a killed process left half written."""
    for part in run.root.rglob(f".*{PART}"):
        if run.work / "work" not in part.parents:
            part.unlink()


def _attempts(run: RunDir) -> Path:
    return run.work / "attempts.json"


def begin_attempt(run: RunDir, when: datetime) -> list[dict[str, str]]:
    """Note that a process begins to write the run; return all that have."""
    path = _attempts(run)
    history: list[dict[str, str]] = json.loads(path.read_text()) if path.is_file() else []
    history.append({"started": when.isoformat(), "assay": metadata.version("assay-eval")})
    write_whole(path, json.dumps(history).encode())
    return history
