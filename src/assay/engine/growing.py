"""A run of more seeds, or of some of them again: what is finished of the others is kept.

Covered: a run of another plan, version, data or systems (refused, nothing is touched), an edited run
(refused), a process that is killed at any step: what it leaves is an unfinished run of the new plan.
Not covered: plans with a ``limit``, whose samples are drawn by name and seeds.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC, datetime

from pydantic import JsonValue

from ..core.errors import PlanError, SealError
from ..store.canon import remove_for_good
from ..store.manifest import Manifest, read_doc
from ..store.rundir import RunDir
from ..store.seal import require_intact
from .folder import note_attempt, other_version
from .plan import LoadedPlan, load_plan, plain
from .resolve import Resolved


def seeds_of(run: RunDir) -> list[int]:
    """Return the seeds that a run has, in its plan's order; none where there is no run yet."""
    if not run.manifest.is_file():
        return []
    return list(read_doc(Manifest, run.manifest).seeds)


def grow(run: RunDir, resolved: Resolved, *, again: Collection[int]) -> None:
    """Make a run ready to go on as a run of ``resolved``, whose plan differs in its seeds alone.

    Cells of its seeds are kept, but those of ``again``.  Its history says that it grew, and when.
    Nothing is done where there is no run, or where it has these seeds and none is asked again.
    Raises ``PlanError`` A503 for a run of another plan, version, data or systems, or of seeds that
    the new plan lacks; A104 for a plan with a ``limit``; ``SealError`` for a run that was changed.
    """
    if not run.manifest.is_file():
        return
    with run.writing():
        manifest = read_doc(Manifest, run.manifest)
        _require_same(run, manifest, resolved)
        if run.seal.is_file():
            require_intact(run)
        if not again and list(manifest.seeds) == list(resolved.loaded.plan.seeds):
            return  # nothing is missing: a seal that others may have quoted stays
        how = "seeds again" if again else "more seeds"
        seeds: dict[str, JsonValue] = {
            "seeds": [*resolved.loaded.plan.seeds],
            "again": [*sorted(again)],
        }
        note_attempt(run, how, datetime.now(UTC), seeds)
        # First what says that the run is done: whatever happens now, it is an unfinished one.
        for file in (run.seal, run.manifest, run.plan, run.provenance):
            remove_for_good(file)
        shutil.rmtree(run.derived, ignore_errors=True)
        for seed in again:
            _forget(run, seed)
        if again:
            shutil.rmtree(run.root / "timing", ignore_errors=True)


def _forget(run: RunDir, seed: int) -> None:
    for folder in ("records", "evidence"):
        for path in (run.root / folder).glob(f"*/*/{seed}-*"):
            path.unlink()
    left = [*run.work.glob(f"work/*/*/{seed}"), *run.work.glob(f"shards/*/*/{seed}-*")]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)


def _require_same(run: RunDir, manifest: Manifest, resolved: Resolved) -> None:
    here, there = resolved.loaded, _loaded(run, manifest)
    plans = here.plan, there.plan
    limits = [ref.limit for plan in plans for ref in plan.tasks]
    limits += [ref.limit for plan in plans for ref in plan.systems]
    if any(limits):
        raise PlanError(
            "a plan with a `limit` asks other samples under other seeds",
            where=str(run.root),
            hint="begin a new run with --out",
            code="A104",
        )
    one, other = plain(here.plan), plain(there.plan)
    kept = set(other.pop("seeds"))
    lacking = sorted(kept - set(one.pop("seeds")))
    differs = (
        one != other,
        other_version(manifest) is not None,
        bool(lacking),
        resolved.test_digests != {n: t.splits["test"].digest for n, t in manifest.tasks.items()},
        {n: s.digest for n, s in resolved.systems.items()}
        != {n: s.digest for n, s in manifest.systems.items()},
    )
    if any(differs):
        raise PlanError(
            "the folder holds a run that differs in more than its seeds: of another plan, version, "
            "data or systems",
            where=str(run.root),
            hint="name a new folder with --out",
            code="A503",
        )


def _loaded(run: RunDir, manifest: Manifest) -> LoadedPlan:
    if not run.plan.is_file():
        raise SealError(
            "the run has no plan.yaml",
            where=str(run.root),
            hint="restore it from a copy",
            code="A300",
        )
    return load_plan(run.plan, manifest.overrides)
