"""How far a run that may stop early is asked: groups by rounds, and a look after each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..analysis.case import Case
from ..analysis.claims import weigh
from ..analysis.stopping import Sequences, in_order, looks
from ..analysis.table import Table, make_table
from ..core.claim import Correction, Status
from ..core.errors import PlanError
from ..core.record import Cell
from ..core.reply import Bottom
from ..store.canon import remove_for_good
from ..store.columns import CellColumns, read_columns
from ..store.journal import repair
from ..store.manifest import CellFacts, StoppedTask, Stopping, read_doc
from ..store.rundir import RunDir
from .resolve import Resolved
from .resolved import ResolvedSystem, ResolvedTask
from .stoppable import drives


@dataclass(frozen=True, slots=True)
class Round:
    """Up to which look every task is asked.  A function of the plan and the records alone."""

    looks: Mapping[str, tuple[int, ...]]
    """After how many groups each task is looked at."""

    order: Mapping[str, tuple[str, ...]]
    """The groups of each task's test split, in the order in which they are asked."""

    at: Mapping[str, int]
    """Place of a task's look."""

    decided: frozenset[str] = frozenset()
    """Tasks whose claims are all decided at it."""

    def groups(self, task: str) -> frozenset[str]:
        """Return the groups that are asked by then."""
        return frozenset(self.order[task][: self.looks[task][self.at[task]]])

    @property
    def number(self) -> int:
        """The round, counted from 1."""
        return max(self.at.values()) + 1


def first_round(resolved: Resolved) -> Round:
    """Return the first round.  A task that no claim is made on is asked whole at once."""
    order = {
        name: tuple(in_order((s.cluster for s in task.splits["test"]), seed=resolved.rng))
        for name, task in resolved.tasks.items()
    }
    when = {name: looks(len(groups)) for name, groups in order.items()}
    driven = {claim.task for claim in resolved.claims if drives(claim)}
    return Round(when, order, {n: 0 if n in driven else len(w) - 1 for n, w in when.items()})


def is_asked(run: RunDir, resolved: Resolved, this: Round) -> bool:
    """Whether every reply of a round is in the journals."""
    return all(
        _asked(resolved, cell, this) <= repair(run.journal(cell)).seen
        for name in resolved.tasks
        for cell in cells(resolved, name)
    )


def _asked(resolved: Resolved, cell: Cell, this: Round) -> set[tuple[str, int]]:
    """Return every sample and attempt that a cell holds after a round."""
    task, groups = resolved.tasks[cell.task], this.groups(cell.task)
    attempts = range(task.attempts(resolved.systems[cell.system].recipe))
    return {(s.id, a) for s in task.splits["test"] if s.cluster in groups for a in attempts}


def reached(run: RunDir, resolved: Resolved, this: Round) -> Round:
    """Return the round that holds everything in the journals, and all of this round.

    Where crashes are asked again, an earlier process may have come further than the round that they
    stand in.
    """
    at = {}
    for name, place in this.at.items():
        held = _held(run, resolved, name)
        known = [i for i, n in enumerate(this.looks[name]) if held <= set(this.order[name][:n])]
        at[name] = max(place, known[0])
    return replace(this, at=at)


def next_round(run: RunDir, resolved: Resolved, this: Round) -> Round:
    """Look at the records of a round, and return the next; the same where the run stops.

    Only the groups of this round are looked at, whatever else an earlier process left: so a run
    that was killed comes to the same looks, and says the same at each.  What was asked is not
    thrown away: where a crash that was asked again would have stopped the run before, it goes on to
    the look that it had come to.
    """
    claims = [claim for claim in resolved.claims if drives(claim)]
    tasks = {claim.task for claim in claims}
    cases = {name: _case(run, resolved, resolved.tasks[name], this) for name in tasks}
    findings = weigh(
        [cases[c.task].evidence(c) for c in claims],
        correction=Correction(resolved.loaded.plan.correction),
    )
    open_ = {f.claim.task for f in findings if f.status is Status.UNDECIDED}
    looked = replace(this, decided=frozenset(tasks - open_))
    left = open_ or {
        name for name in resolved.tasks if not _held(run, resolved, name) <= this.groups(name)
    }
    at = {
        name: min(place + (name in left), len(this.looks[name]) - 1)
        for name, place in this.at.items()
    }
    return looked if at == this.at else replace(looked, at=at)


def reopen(run: RunDir, resolved: Resolved, this: Round) -> None:
    """Take back that cells are finished which a round asks more of."""
    for name in resolved.tasks:
        for cell in cells(resolved, name):
            path = run.finished(cell)
            if not path.is_file():
                continue
            if read_doc(CellFacts, path).n < len(_asked(resolved, cell, this)):
                remove_for_good(path)


def require_steady(run: RunDir, resolved: Resolved, this: Round) -> None:
    """Raise ``PlanError`` A104 for a system that is stateful, and so was asked everything again.

    Evidence from look to look is about one row of replies; a second row is other evidence.
    """
    if this.number == 1:
        return
    for name in resolved.tasks:
        for cell in cells(resolved, name):
            if run.finished(cell).is_file() and read_doc(CellFacts, run.finished(cell)).restarts:
                raise PlanError(
                    f"{cell.system} is stateful: it starts again in every round, and what it said "
                    "before a look is lost",
                    where=str(resolved.loaded.path),
                    hint="leave `stop` out of this plan, and run it into a new folder",
                    code="A104",
                )


def stopping(resolved: Resolved, last: Round) -> Stopping:
    """Return where a run stopped, for its folder."""
    found = {}
    for name, task in resolved.tasks.items():
        groups, samples = last.groups(name), task.splits["test"]
        found[name] = StoppedTask(
            looks=last.looks[name],
            look=last.at[name] + 1,
            groups=len(groups),
            of_groups=len(last.order[name]),
            questions=sum(s.cluster in groups for s in samples),
            of_questions=len(samples),
            decided=name in last.decided,
        )
    return Stopping(tasks=found)


def cells(resolved: Resolved, task: str) -> Iterator[Cell]:
    """Yield the test cells of a task."""
    for system in resolved.systems.values():
        for seed in system.seeds:
            yield Cell(task=task, system=system.name, seed=seed, split="test")


def _held(run: RunDir, resolved: Resolved, task: str) -> set[str]:
    """Return the groups that some journal of a task speaks of."""
    return {
        line.decided.group
        for cell in cells(resolved, task)
        for line in repair(run.journal(cell)).lines
    }


def _case(run: RunDir, resolved: Resolved, task: ResolvedTask, this: Round) -> Case:
    samples = task.splits["test"]
    groups = this.groups(task.name)
    none = {s.id: isinstance(s.target, Bottom) for s in samples}
    tags = {s.id: s.tags for s in samples}

    def table(system: ResolvedSystem) -> Table:
        journals = {
            seed: run.journal(Cell(task=task.name, system=system.name, seed=seed, split="test"))
            for seed in system.seeds
        }
        columns = {seed: _within(read_columns(path), groups) for seed, path in journals.items()}
        return make_table(system.name, columns, none, tags=tags)

    tables = {name: table(system) for name, system in resolved.systems.items()}
    return Case(
        task=task.name,
        metrics={m.name: m for m in task.own_metrics},
        tables=tables,
        raw=tables,
        timed={},
        thresholds={},
        controls=frozenset(n for n, s in resolved.systems.items() if s.control),
        origins={n: s.origin for n, s in resolved.systems.items()},
        rng=resolved.rng,
        sequences=Sequences.of([s.cluster for s in samples], rng=resolved.rng),
    )


def _within(columns: CellColumns, groups: frozenset[str]) -> CellColumns:
    at = np.array([i for i, g in enumerate(columns.groups) if g in groups], dtype=np.intp)
    return columns.only(at)
