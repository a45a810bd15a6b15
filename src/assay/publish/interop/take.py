"""Another tool's log as a sealed run of origin *reported*: nobody is asked anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ...core.errors import SealError
from ...engine.execute import now
from ...engine.foreign import Log
from ...engine.ledger import note_use
from ...store.canon import disk_errors
from ...store.rundir import RunDir
from ..derive import derive
from ..run import Run
from .making import Making
from .settings import Choice
from .spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An imported run, and what should be known of it."""

    run: Run
    notes: tuple[str, ...]
    published: int


def take_in(
    log: Log,
    path: Path,
    *,
    out: Path | None,
    choice: Choice,
    clock: Callable[[], datetime] = now,
) -> Taken:
    """Write a log as a sealed run below ``runs/``, or into ``out``, whole or not at all.

    Raises ``DataError`` A200 for a log that is not what it says it is, ``PlanError`` for claims
    that name what it does not hold, ``SealError`` A303 when ``out`` is not empty.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SealError(
            "the folder is not empty" if out.is_dir() else "this is a file",
            where=str(out),
            hint="name a new folder with --out",
            code="A303",
        )
    begun = clock()
    root = out.parent if out is not None else Path("runs")
    staging = root / f".import-{os.getpid()}"
    with disk_errors(staging):
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
    try:
        spool = Spool(run=RunDir(staging), log=log, tasks=choice.tasks, systems=choice.systems)
        spool.fill()
        made = Making(spool, log, path, choice)
        target = out if out is not None else _fresh(root, made, begun)
        published = made.write(target.name, root, begun, clock)
        staged = Run.load(staging)
        derive(staged, staged.dir.derived)
        with disk_errors(target):
            staging.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    test = {name: facts.splits["test"].digest for name, facts in made.manifest.tasks.items()}
    with disk_errors(root):
        systems = [s.digest for s in made.manifest.systems.values() if not s.control]
        note_use(root, target.name, made.manifest.plan, test, systems)
    moved = replace(staged, dir=RunDir(target))
    vars(moved)["results"] = staged.results  # of the same files: computed once, not twice
    return Taken(run=moved, notes=made.notes(), published=published)


def _fresh(root: Path, made: Making, when: datetime) -> Path:
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    fresh = root / f"{stamp}-{made.loaded.plan.name}-{made.digest[7:15]}"
    tries = 1
    while fresh.exists():
        tries += 1
        fresh = root / f"{stamp}.{tries}-{made.loaded.plan.name}-{made.digest[7:15]}"
    return fresh
