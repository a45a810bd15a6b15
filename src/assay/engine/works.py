"""The work of a run: what each process is asked."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.record import Cell
from ..core.system import BuildsTogether
from ..store.rundir import RunDir
from .keeping import Work
from .lending import lent_samples
from .resolve import Resolved
from .resolved import ResolvedSystem, ResolvedTask
from .rounds import Round
from .teller import Teller
from .wire import Job


def works(
    run: RunDir, resolved: Resolved, teller: Teller, this: Round | None = None
) -> Iterator[tuple[Work, bool]]:
    """Yield every process's worth of cells, and whether it must run alone.

    Of a run that may stop early, the cells hold what is asked up to a round.
    """
    for name, task in resolved.tasks.items():
        asked_itself = [s for s in resolved.systems.values() if s.of is None]
        for system in sorted(asked_itself, key=lambda s: _size(s, task)):
            asked = {split: task.asked(split, system.limit_of(split)) for split in system.splits}
            if this is not None:
                groups = this.groups(name)
                asked = {"test": [s for s in asked["test"] if s.cluster in groups]}
            together = isinstance(system.recipe, BuildsTogether)
            left = _unfinished(run, name, system) if this is None else system.seeds
            for seeds in [left] if together else [(seed,) for seed in left]:
                if not seeds:
                    continue
                job = job_of(run, resolved, name, system, seeds)
                limits = resolved.loaded.plan.limits
                work = Work(
                    name,
                    system.name,
                    task.task.verifier,
                    job,
                    asked,
                    limits,
                    teller,
                    keeps_evidence=task.task.redistributable,
                    attempts=task.attempts(system.recipe),
                )
                yield work, system.recipe.needs.exclusive


def _unfinished(run: RunDir, task: str, system: ResolvedSystem) -> tuple[int, ...]:
    """Return the seeds that have something left to ask: what is finished is not built again."""
    return tuple(
        seed
        for seed in system.seeds
        if not all(
            run.finished(Cell(task=task, system=system.name, seed=seed, split=split)).exists()
            for split in system.splits
        )
    )


def _size(system: ResolvedSystem, task: ResolvedTask) -> tuple[int, int]:
    """Sort the longest work first, so that no process is left alone at the end.

    What a question costs is not known before it is asked; the bytes that a system loads are.
    """
    loaded = sum(artifact.size for artifact in system.artifacts)
    return -loaded, -len(task.asked("test", system.limit))


def job_of(
    run: RunDir, resolved: Resolved, task: str, system: ResolvedSystem, seeds: tuple[int, ...]
) -> Job:
    """Return what a worker needs in order to build a system."""
    return Job(
        use=system.use,
        options=dict(system.options),
        base=str(resolved.loaded.path.resolve().parent),
        train=str(lent_samples(run, resolved.tasks[task], "train").resolve()),
        tune=str(lent_samples(run, resolved.tasks[task], "tune").resolve()),
        workdir=str((run.work / "work" / task / system.name).resolve()),
        seeds=list(seeds),
    )
