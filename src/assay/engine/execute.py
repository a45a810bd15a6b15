"""Run a plan: cells in parallel, then the serial pass, then the seal."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from ..core.errors import SealError
from ..core.record import Cell
from ..store.canon import remove_for_good, write_whole
from ..store.journal import repair
from ..store.machine import git, machine, packages, threads, usable_cpus
from ..store.manifest import CellFacts, Manifest, Provenance, read_doc, write_doc
from ..store.rundir import RunDir
from ..store.samples import digested, write_samples
from ..store.seal import require_intact, seal
from .copies import copy_cells, copy_timing
from .engines import Engine, Processes
from .facts import system_facts, task_facts
from .folder import Stand, begin_attempt, find, stand_of, sweep
from .folding import fold, forget_shards
from .keeping import Work
from .ledger import count_systems, count_uses, note_use
from .lending import lent, take_back_left
from .loops import run_to_end
from .prices import from_prices
from .resolve import Resolved
from .rounds import (
    Round,
    first_round,
    is_asked,
    next_round,
    reached,
    reopen,
    require_steady,
    stopping,
)
from .sandbox.found import sandbox_name, sandbox_rule
from .starved import starved
from .teller import Silence, Teller
from .timing import time_task
from .works import job_of, works

NUMBERS_COME_FROM = ("assay-eval", "numpy", "scipy", "vl-convert-python")


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def execute(
    resolved: Resolved,
    *,
    out: Path | None = None,
    below: Path = Path("runs"),
    workers: int | None = None,
    engine: Engine | None = None,
    teller: Teller | None = None,
    clock: Callable[[], datetime] = now,
) -> RunDir:
    """Run a resolved plan to its seal, resuming what an earlier process left.

    Without ``out``, an unfinished run of the same plan in the folder ``below`` is resumed, or a new one
    is made there.  A sealed run is left as it is, unless it has crashes left: those are asked again,
    and it is sealed again.  Without an ``engine``, ``workers`` processes of this machine are asked side
    by side.  Raises ``RunError`` A501 when another process writes the run, ``PlanError`` A503
    when ``out`` holds a run of another plan or begun by another version, ``SealError`` A303 when
    it is no run.
    """
    teller = teller or Silence()
    engine = engine or Processes(workers or usable_cpus())
    run = RunDir(out) if out is not None else find(resolved, below, clock())
    if stand_of(run, resolved) is Stand.SEALED:  # asked before the lock: nothing is written there
        teller.note(f"{run.root} is sealed already; nothing was asked")
        return run
    with run.writing():
        stand = stand_of(run, resolved)
        if stand is Stand.SEALED:
            return run
        if stand is Stand.CRASHES_LEFT:
            require_intact(run)  # an edit must not be sealed again
        sweep(run)
        take_back_left(run)
        with engine.ready(run, resolved) as where:
            history = begin_attempt(run, stand, clock(), where)
            _tell(run, stand, history[-1], teller)
            write_whole(run.plan_folder, os.fsencode(resolved.loaded.path.resolve().parent))
            remove_for_good(run.seal)  # one that came back would not fit what is written now
            for threshold in starved(resolved):
                teller.note(f"{threshold.says}; {threshold.remedy}")
            _prepare(run, resolved)
            with lent(run, resolved.tasks), sandbox_rule(resolved.loaded.plan.limits.sandbox):
                last = _ask(run, resolved, engine, teller)
                forget_shards(run)
        with lent(run, resolved.tasks), sandbox_rule(resolved.loaded.plan.limits.sandbox):
            copy_cells(run, resolved)
            run_to_end(_time_all(run, resolved, last, teller))
            copy_timing(run, resolved)
        _note_use(run, resolved, teller)
        if last is not None:
            write_doc(run.stopping, stopping(resolved, last))
        _finish(run, resolved, history, clock())
    return run


def _tell(run: RunDir, stand: Stand, attempt: dict[str, JsonValue], teller: Teller) -> None:
    if stand is Stand.UNFINISHED:
        teller.note(f"{run.root} is unfinished and is resumed; {attempt['kept']} replies are kept")
    elif stand is Stand.CRASHES_LEFT:
        teller.note(
            f"{run.root} was sealed with crashes left: they are asked again, and it is sealed again"
        )


def _prepare(run: RunDir, resolved: Resolved) -> None:
    """Write what is known before the first question.  A resumed run keeps what it has."""
    if run.manifest.is_file():
        return
    loaded = resolved.loaded
    shutil.rmtree(run.root / "samples", ignore_errors=True)
    for name, task in resolved.tasks.items():
        for split, samples in task.splits.items():
            kept = samples if task.task.redistributable else [digested(s) for s in samples]
            write_samples(run.samples(name, split), kept)
    write_whole(run.plan, loaded.text.encode("utf-8"))
    versions = packages()
    write_doc(
        run.manifest,
        Manifest(
            run=run.root.name,
            name=loaded.plan.name,
            says=loaded.plan.says,
            plan=resolved.digest,
            overrides=loaded.overrides,
            seeds=tuple(loaded.plan.seeds),
            rng=resolved.rng,
            tasks={name: task_facts(task) for name, task in resolved.tasks.items()},
            systems={name: system_facts(system) for name, system in resolved.systems.items()},
            prices=from_prices(resolved.prices),
            packages={n: versions[n] for n in NUMBERS_COME_FROM if n in versions},
            earlier_systems=count_systems(run.root.parent, resolved.digest, resolved.test_digests),
            earlier_uses=count_uses(run.root.parent, resolved.digest, resolved.test_digests),
            sandbox=sandbox_name(loaded.plan.limits.sandbox),
        ),
    )


def _ask(run: RunDir, resolved: Resolved, engine: Engine, teller: Teller) -> Round | None:
    """Ask everything; of a run that may stop early, round by round until its claims are decided."""
    _retry_crashes(run)
    if resolved.loaded.plan.stop is None:
        _fill_all(run, resolved, None, engine, teller)
        return None
    this = first_round(resolved)
    while True:
        if not is_asked(run, resolved, this):
            upto = reached(run, resolved, this)
            reopen(run, resolved, upto)
            _fill_all(run, resolved, upto, engine, teller)
            require_steady(run, resolved, upto)
        then = next_round(run, resolved, this)
        if then.at == this.at:
            break
        this = then
    # A process that was killed between its last reply and its last look left cells open.
    reopen(run, resolved, then)
    _fill_all(run, resolved, then, engine, teller)
    return then


def _fill_all(
    run: RunDir, resolved: Resolved, this: Round | None, engine: Engine, teller: Teller
) -> None:
    todo = list(works(run, resolved, teller, this))
    for work, _ in todo:
        fold(run, work)
    totals: Counter[str] = Counter()
    for work, _ in todo:
        totals[work.system] += sum(_left(run, cell, work) for cell in work.cells())
    teller.begin("asking", dict(totals))
    engine.ask(run, resolved, this, todo)


def _left(run: RunDir, cell: Cell, work: Work) -> int:
    if run.finished(cell).exists():
        return 0
    return sum(1 for _ in work.asks(cell.split)) - len(repair(run.journal(cell)).seen)


def _retry_crashes(run: RunDir) -> None:
    for path in (run.root / "records").glob("*/*/*.cell.json"):
        if read_doc(CellFacts, path).crashes:
            remove_for_good(path)


async def _time_all(run: RunDir, resolved: Resolved, last: Round | None, teller: Teller) -> None:
    timing = resolved.loaded.plan.timing
    measured = {n: s for n, s in resolved.systems.items() if not s.control and s.of is None}
    per = timing.blocks * timing.questions
    todo = [
        (name, process)
        for name in resolved.tasks
        for process in range(timing.processes)
        if not run.timing(name, process).exists()
    ]
    if todo:
        teller.begin("timing, one at a time", {n: per * len(todo) for n in measured})
    for name, process in todo:
        task = resolved.tasks[name]
        common = task.splits["test"]
        if last is not None:
            groups = last.groups(name)
            common = [s for s in common if s.cluster in groups]
        for system in measured.values():
            asked = {s.id for s in task.asked("test", system.limit)}
            common = [s for s in common if s.id in asked]
        await time_task(
            run.timing(name, process),
            {n: job_of(run, resolved, name, s, s.seeds[:1]) for n, s in measured.items()},
            common,
            process=process,
            timing=timing,
            limits=resolved.loaded.plan.limits,
            logs=run.work / "logs",
            teller=teller,
        )


def _finish(
    run: RunDir, resolved: Resolved, history: list[dict[str, JsonValue]], when: datetime
) -> None:
    paths = sorted((run.root / "records").glob("*/*/*.cell.json"))
    cells = [read_doc(CellFacts, path) for path in paths]
    history[-1]["sealed"] = when.isoformat()
    write_doc(
        run.provenance,
        Provenance(
            machine=machine(),
            packages=packages(),
            git=git(resolved.loaded.path.resolve().parent),
            threads=threads(),
            attempts=tuple(history),
            cells=tuple(cells),
        ),
    )
    for cell in cells:
        path = run.journal(
            Cell(task=cell.task, system=cell.system, seed=cell.seed, split=cell.split)
        )
        if len(repair(path).last) != cell.n:
            raise SealError("a journal changed while the run went on", where=str(path))
    seal(
        run,
        decisions={
            str(p.relative_to(run.root)).removesuffix(".cell.json") + ".jsonl": c.decisions
            for p, c in zip(paths, cells, strict=True)
        },
        incomplete=tuple(f"{c.task}/{c.system}/{c.seed}-{c.split}" for c in cells if c.crashes),
    )


def _note_use(run: RunDir, resolved: Resolved, teller: Teller) -> None:
    try:
        systems = [s.digest for s in resolved.systems.values() if not s.control]
        tests = resolved.test_digests
        note_use(run.root.parent, run.root.name, resolved.digest, tests, systems)
    except OSError as error:
        teller.note(f"the ledger of test reuse could not be written: {error.strerror}")
