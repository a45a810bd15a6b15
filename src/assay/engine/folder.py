"""The folder that a run is written to: whose it is, how far it came, who worked on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path

from pydantic import JsonValue

from ..core.errors import PlanError, SealError
from ..store.canon import PART, digest_file, write_whole
from ..store.machine import packages
from ..store.manifest import Manifest, Provenance, read_doc
from ..store.rundir import RunDir
from ..store.seal import journals, read_seal
from ..store.shards import LINES, REPLIES
from .resolve import Resolved

US = "assay-eval"
OURS = (".lock", "cache")
"""What may stand in a folder before anything is known of its run."""


class Stand(Enum):
    """How far a run has come; the value says how the next process goes on."""

    NEW = "new"
    UNFINISHED = "resumed"
    CRASHES_LEFT = "crashes retried"
    """Sealed, and some replies were not observed."""

    SEALED = ""


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


def holds_else(run: RunDir) -> bool:
    """Whether a folder without a manifest is there for something else than a run."""
    begun = _attempts(run).is_file()  # by us, and stopped before the manifest was written
    return not begun and run.root.is_dir() and any(p.name not in OURS for p in run.root.iterdir())


def stand_of(run: RunDir, resolved: Resolved) -> Stand:
    """Return how far a run has come; nothing is written.

    Raises ``SealError`` A303 when the folder holds something else; ``PlanError`` A503 when it holds
    a run of another plan, or one that another version of assay began and this one would go on with.
    """
    if not run.manifest.is_file():
        if holds_else(run):
            raise SealError(
                "the folder is not empty and is not a run",
                where=str(run.root),
                hint="name a new folder with --out",
                code="A303",
            )
        return Stand.NEW
    manifest = read_doc(Manifest, run.manifest)
    if manifest.plan != resolved.digest:
        raise PlanError(
            "the folder holds a run of another plan, or of other data or systems",
            where=str(run.root),
            hint="name a new folder with --out",
            code="A503",
        )
    if run.seal.is_file():
        stand = Stand.CRASHES_LEFT if read_seal(run).incomplete else Stand.SEALED
    else:
        stand = Stand.UNFINISHED
    if stand is not Stand.SEALED:
        _require_same_version(run, manifest)
    return stand


def other_version(manifest: Manifest) -> str | None:
    """Return the version of assay that began a run, where it is not this one."""
    then = manifest.packages.get(US)
    return None if then == packages().get(US) else then


def _require_same_version(run: RunDir, manifest: Manifest) -> None:
    """Keep two versions of assay from answering and judging in one run."""
    if then := other_version(manifest):
        here = packages().get(US)
        raise PlanError(
            f"assay {then} began this run, and this is assay {here}: one run has one version",
            where=str(run.root),
            hint=f"go on with `pip install {US}=={then}`, or begin a new run with --out",
            code="A503",
        )


def sweep(run: RunDir) -> None:
    """Remove what a killed process left half written."""
    for part in run.root.rglob(f".*{PART}"):
        if run.work / "work" not in part.parents:
            part.unlink()


def _attempts(run: RunDir) -> Path:
    return run.work / "attempts.json"


def begin_attempt(
    run: RunDir, stand: Stand, when: datetime, where: Mapping[str, JsonValue]
) -> list[dict[str, JsonValue]]:
    """Note that a process begins to write the run, how it goes on and ``where``; return all that have.

    What a sealed run says of its history outlives its ``cache/``.
    """
    more: dict[str, JsonValue] = {"kept": _count_lines(run), **where}
    if stand is Stand.CRASHES_LEFT:
        more["unsealed"] = digest_file(run.seal)
    return note_attempt(run, stand.value, when, more)


def note_attempt(
    run: RunDir, how: str, when: datetime, more: dict[str, JsonValue]
) -> list[dict[str, JsonValue]]:
    """Add an entry to the history of a run; return all of it."""
    path = _attempts(run)
    history: list[dict[str, JsonValue]] = json.loads(path.read_text()) if path.is_file() else []
    if run.provenance.is_file():
        told = read_doc(Provenance, run.provenance).attempts
        if len(told) >= len(history):
            history = [dict(entry) for entry in told]
    history.append({"started": when.isoformat(), "assay": packages().get(US), "how": how, **more})
    write_whole(path, json.dumps(history).encode())
    return history


def _count_lines(run: RunDir) -> int:
    whole = sum(path.read_bytes().count(b"\n") for path in journals(run))
    parts: Counter[tuple[Path, str, str]] = Counter()
    for kind in (LINES, REPLIES):
        for path in run.work.glob(f"shards/*/*/*/*{kind}"):
            part = path.name.partition(".")[0]
            parts[path.parent, part, kind] += path.read_bytes().count(b"\n")
    # What is checked apart from where it was answered is in both.
    at = {(folder, part) for folder, part, _ in parts}
    return whole + sum(max(parts[*one, LINES], parts[*one, REPLIES]) for one in at)
