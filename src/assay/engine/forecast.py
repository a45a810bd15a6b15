"""What a plan would ask, how long that takes, and what it costs.

*Covered*: times of systems that ran before, from their own records; nothing else is given a time.
*Not covered*: another machine, a machine that is busy with other work, prices of served models.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from ..analysis.prices import PriceTable
from ..core.errors import SealError
from ..core.record import Cell
from ..core.system import BuildsTogether
from ..store.columns import read_columns
from ..store.machine import usable_cpus
from ..store.manifest import Manifest, Provenance, SystemFacts, read_doc
from ..store.rundir import RunDir
from ..store.timed import read_timing
from .resolve import Resolved
from .resolved import ResolvedSystem, ResolvedTask
from .rounds import first_round
from .timing import WARM_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a system was in an earlier run, in seconds."""

    build_s: float
    """To build it once."""

    reply_s: float
    """For one reply, asked in batches."""

    alone_s: float
    """For one reply, asked alone."""

    run: str
    """Where it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one system is asked on one task."""

    task: str
    system: str
    control: bool
    samples: int
    """Test samples."""

    groups: int
    builds: int
    """Once per seed."""

    questions: int
    """All splits and seeds; without the serial pass."""

    timed: int
    """Questions of the serial pass, one at a time."""

    timed_builds: int
    together: bool
    """Whether all seeds share a process."""

    alone: bool
    """Whether it runs beside nothing else."""

    pace: Pace | None
    """None: unknown until it has run once."""

    @property
    def asking_s(self) -> float | None:
        """Busy seconds of the parallel pass."""
        if self.pace is None:
            return None
        return self.builds * self.pace.build_s + self.questions * self.pace.reply_s

    @property
    def timing_s(self) -> float | None:
        """Busy seconds of the serial pass."""
        if self.pace is None:
            return None
        return self.timed_builds * self.pace.build_s + self.timed * self.pace.alone_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What running a plan means."""

    name: str
    says: str
    seeds: int
    workers: int
    loads: tuple[Load, ...]
    seconds: float | None
    """From start to seal.  None: some system under test has never run here."""

    usd: float | None
    prices: PriceTable
    looks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of a plan that may stop early: after how many groups each task is looked at."""

    @property
    def questions(self) -> int:
        """Everything that is asked."""
        return sum(load.questions + load.timed for load in self.loads)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Systems that have never run here."""
        return tuple(dict.fromkeys(x.system for x in self.loads if x.pace is None))


def forecast(
    resolved: Resolved, *, runs: Path, workers: int | None = None, first: Path | None = None
) -> Forecast:
    """Say what a resolved plan would do.

    ``runs`` is where earlier runs are looked for, after the one at ``first``.
    """
    plan = resolved.loaded.plan
    workers = workers or usable_cpus()
    earlier = list(_earlier(runs))
    if first is not None:
        earlier.insert(0, (RunDir(first), read_doc(Manifest, RunDir(first).manifest)))
    loads = tuple(
        _load(resolved, task, system, earlier)
        for task in resolved.tasks.values()
        for system in resolved.systems.values()
        if system.of is None
    )
    seconds, usd = _cost(loads, workers, resolved.prices)
    return Forecast(
        name=plan.name,
        says=plan.says,
        seeds=len(plan.seeds),
        workers=workers,
        loads=loads,
        seconds=seconds,
        usd=usd,
        prices=resolved.prices,
        looks={} if plan.stop is None else first_round(resolved).looks,
    )


def _load(
    resolved: Resolved,
    task: ResolvedTask,
    system: ResolvedSystem,
    earlier: Sequence[tuple[RunDir, Manifest]],
) -> Load:
    timing = resolved.loaded.plan.timing
    asked = {split: len(task.asked(split, system.limit_of(split))) for split in system.splits}
    tests = task.asked("test", system.limit)
    again = len(tests) * (task.attempts(system.recipe) - 1)
    seeds = len(system.seeds)
    per_process = WARM_UP + timing.blocks * timing.questions
    return Load(
        task=task.name,
        system=system.name,
        control=system.control,
        samples=len(tests),
        groups=len({s.cluster for s in tests}),
        builds=seeds,
        questions=seeds * (sum(asked.values()) + again),
        timed=0 if system.control else timing.processes * per_process,
        timed_builds=0 if system.control else timing.processes,
        together=isinstance(system.recipe, BuildsTogether),
        alone=system.recipe.needs.exclusive,
        pace=_pace(task, system, earlier),
    )


def _cost(
    loads: Sequence[Load], workers: int, prices: PriceTable
) -> tuple[float | None, float | None]:
    """Return seconds from start to seal, and dollars; None where a time is missing."""
    beside, alone, serial, busy = [], 0.0, 0.0, 0.0
    start_s = _process_start_s() if all(x.pace for x in loads) else 0.0
    for load in loads:
        asking, timing = load.asking_s, load.timing_s
        if asking is None or timing is None:
            return None, None
        processes = 1 if load.together else load.builds
        serial += timing + load.timed_builds * start_s
        busy += asking + timing
        if load.alone:
            alone += asking + processes * start_s
        else:
            beside += [asking / processes + start_s] * processes
    parallel = max(sum(beside) / workers, max(beside, default=0.0))
    return parallel + alone + serial, float(prices.usd({"busy_s": busy}))


def _process_start_s() -> float:
    """Return how long a system's process takes to begin, measured now."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import assay.engine.worker"], check=False)
    return time.perf_counter() - start


def _earlier(runs: Path) -> Iterator[tuple[RunDir, Manifest]]:
    """Yield the sealed runs below a folder, newest first."""
    for seal in sorted(runs.glob("*/SEAL"), reverse=True):
        run = RunDir(seal.parent)
        try:
            yield run, read_doc(Manifest, run.manifest)
        except (SealError, OSError):
            continue  # another version's run, or a damaged one: it has no times to offer


def _pace(
    task: ResolvedTask, system: ResolvedSystem, earlier: Sequence[tuple[RunDir, Manifest]]
) -> Pace | None:
    for run, manifest in earlier:
        for task_name, task_facts in manifest.tasks.items():
            if task_facts.use != task.ref.use or task_facts.version != task.task.version:
                continue
            for name, facts in manifest.systems.items():
                if facts.digest == system.digest and facts.seeds:
                    found = _seen(run, task_name, name, facts)
                    if found is not None:
                        return found
    return None


def _seen(run: RunDir, task: str, system: str, facts: SystemFacts) -> Pace | None:
    cell = Cell(task=task, system=system, seed=facts.seeds[0], split="test")
    try:
        busy = read_columns(run.journal(cell)).measured.get("busy_s")
        cells = read_doc(Provenance, run.provenance).cells
        alone = [
            line.latency_s
            for path in sorted((run.root / "timing" / task).glob("*.jsonl"))
            for line in read_timing(path)
            if line.system == system
        ]
    except (SealError, OSError):
        return None
    if busy is None:
        return None
    builds = [
        c.build_s for c in cells if (c.task, c.system) == (task, system) and c.build_s is not None
    ]
    reply_s = float(busy[busy == busy].mean())  # noqa: PLR0124  (leaves NaN out)
    return Pace(
        build_s=fmean(builds) if builds else 0.0,
        reply_s=reply_s,
        alone_s=fmean(alone) if alone else reply_s,
        run=run.root.name,
    )
