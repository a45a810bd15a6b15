"""What is asked of a system, and where its replies are kept: the journals of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from ..core.errors import PluginError
from ..core.record import Cell
from ..core.reply import Failed
from ..core.sample import Sample
from ..core.verdict import Verifier
from ..store.canon import remove_for_good, write_whole
from ..store.evidence import drop_lost
from ..store.journal import Writer, decision_digest, read_lines, repair
from ..store.manifest import CellFacts, write_doc
from ..store.rundir import RunDir
from .keys import Limits
from .teller import Teller
from .wire import Job

Ask: TypeAlias = tuple[Sample, int]
"""A sample, and the how-manieth time it is asked."""


@dataclass(frozen=True, slots=True)
class Work:
    """One process's worth of cells: one system on one task, some of its seeds."""

    task: str
    system: str
    verifier: Verifier
    job: Job
    asked: dict[str, list[Sample]]
    """Split to samples, in the order in which they are asked."""

    limits: Limits
    teller: Teller
    keeps_evidence: bool = True
    """Build logs, transcripts and tracebacks quote the sample; not every licence lets them."""

    attempts: int = 1
    """How often each test question is asked."""

    def cells(self) -> Iterator[Cell]:
        """Yield the cells of this work."""
        for seed in self.job.seeds:
            for split in self.asked:
                yield Cell(task=self.task, system=self.system, seed=seed, split=split)

    def asks(self, split: str) -> Iterator[Ask]:
        """Yield what is asked: each sample, as often as its split asks it."""
        attempts = range(self.attempts if split == "test" else 1)
        return ((sample, attempt) for sample in self.asked[split] for attempt in attempts)


class Keeper(Protocol):
    """Where the replies to some work are kept; it knows what is left."""

    @property
    def log(self) -> Path:
        """What a system prints goes there."""
        ...

    def done(self, cell: Cell) -> bool:
        """Whether a cell is finished."""
        ...

    def left(self, cell: Cell) -> list[Ask]:
        """Return what is still to be asked, in order."""
        ...

    def open(self, cell: Cell, *, stateful: bool) -> list[Ask]:
        """Return what is still to be asked; of a system that is ``stateful``, all of it again."""
        ...

    def writer(self, cell: Cell) -> Writer:
        """Return what appends replies."""
        ...

    def ended(self, cell: Cell, key: tuple[str, int], said: Failed) -> None:
        """Note that a process of the system ended over a question (its sample and attempt)."""
        ...

    def finish(self, cell: Cell, facts: Mapping[str, Any]) -> None:
        """Note that a cell is finished; ``facts`` are those of the build."""
        ...


@dataclass(frozen=True, slots=True)
class Journals:
    """The journals of a run, as the one process that writes them sees them."""

    run: RunDir
    work: Work

    @property
    def log(self) -> Path:
        """One file for each of the work's first seeds."""
        work = self.work
        name = f"{work.job.seeds[0]}.log"
        return self.run.work / "logs" / work.task / work.system / name

    def done(self, cell: Cell) -> bool:
        """Whether a cell is finished."""
        return self.run.finished(cell).exists()

    def left(self, cell: Cell) -> list[Ask]:
        """Return what the journal lacks."""
        seen = repair(self.run.journal(cell)).seen
        return [(s, a) for s, a in self.work.asks(cell.split) if (s.id, a) not in seen]

    def open(self, cell: Cell, *, stateful: bool) -> list[Ask]:
        """Return what the journal lacks; that of a stateful system starts again unless it is whole."""
        left = self.left(cell)  # cuts off what is no line
        if drop_lost(self.run.journal(cell), self.run.evidence(cell)):
            left = self.left(cell)
        if stateful and left and self.run.journal(cell).exists():
            self.restart(cell)
            return self.left(cell)
        return left

    def restart(self, cell: Cell) -> None:
        """Forget what a stateful system said, and count that it was forgotten."""
        path = self.run.journal(cell)
        if not path.exists() or not repair(path).last:
            return
        remove_for_good(path)
        remove_for_good(self.run.evidence(cell))
        self.count_restarts(cell, 1)

    def count_restarts(self, cell: Cell, more: int) -> None:
        """Count how often what a stateful system said was forgotten."""
        if more:
            write_whole(self._restarts(cell), b"." * (self._restarted(cell) + more))

    def writer(self, cell: Cell) -> Writer:
        """Return what appends to the journal and the evidence pack."""
        return Writer(self.run.journal(cell), self.run.evidence(cell))

    def ended(self, cell: Cell, key: tuple[str, int], said: Failed) -> None:
        """Do nothing: whoever fills a journal counts by itself."""

    def finish(self, cell: Cell, facts: Mapping[str, Any]) -> None:
        """Write what the cell came to; raise ``PluginError`` unless it holds what was asked."""
        journal = repair(self.run.journal(cell))
        wanted = {(s.id, a) for s, a in self.work.asks(cell.split)}
        have = journal.last.keys()
        if wanted != have:
            raise PluginError(
                f"the journal holds {len(have - wanted)} replies to what was not asked and lacks "
                f"{len(wanted - have)}",
                where=str(self.run.journal(cell)),
                hint="delete this file and run again; the task may have changed",
            )
        write_doc(
            self.run.finished(cell),
            CellFacts(
                task=cell.task,
                system=cell.system,
                seed=cell.seed,
                split=cell.split,
                n=len(journal.last),
                crashes=journal.crashes,
                decisions=decision_digest(read_lines(journal.path)),
                build_s=facts.get("build_s"),
                notes=facts.get("notes", {}),
                made=tuple(facts.get("made", ())),
                restarts=self._restarted(cell),
            ),
        )

    def _restarts(self, cell: Cell) -> Path:
        return self.run.work / "restarts" / str(cell)

    def _restarted(self, cell: Cell) -> int:
        marks = self._restarts(cell)
        return marks.stat().st_size if marks.exists() else 0
