"""Fill cells: ask what is not yet in the journal, judge it, commit it line by line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ..core.errors import PluginError
from ..core.record import Cell, Record
from ..core.reply import Crash, Failed, Reply, Said, Usage
from ..core.sample import Sample
from ..core.verdict import Verifier, judge
from ..store.canon import write_whole
from ..store.journal import Writer, decision_digest, repair
from ..store.manifest import CellFacts, write_doc
from ..store.rundir import RunDir
from .asking import SystemEnded, Unobserved, Worker
from .judging import evidence, judge_all
from .keys import Limits
from .teller import Teller
from .wire import Job

CHUNK = 256
"""Questions in one request."""

FLUSH_REPLIES, FLUSH_S = 64, 0.25
"""A reply waits at most for so many others, or so long, before it is judged and committed."""

CRASH_TRIES = 3

_Ask: TypeAlias = tuple[Sample, int]
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

    def asks(self, split: str) -> Iterator[_Ask]:
        """Yield what is asked: each sample, as often as its split asks it."""
        attempts = range(self.attempts if split == "test" else 1)
        return ((sample, attempt) for sample in self.asked[split] for attempt in attempts)


@dataclass(slots=True)
class _Progress:
    deaths: int = 0
    crashes: int = 0


async def fill(run: RunDir, work: Work) -> None:
    """Finish every cell of some work, through as many processes as it takes.

    A process that dies or hangs takes the blame for the first question that it left unanswered;
    the next process goes on behind it.  After ``limits.deaths`` ends the rest has failed too.
    """
    state = _Progress()
    while any(not run.finished(cell).exists() for cell in work.cells()):
        try:
            worker = await Worker.start(work.job, _log(run, work), within=work.limits.build_s)
        except SystemEnded as end:
            _give_up(run, work, Failed("not_built", end.detail or end.why))
            continue
        except Unobserved as crash:
            state.crashes += 1
            if state.crashes >= CRASH_TRIES:
                _give_up(run, work, Crash("machine", str(crash)))
            continue
        try:
            for cell in work.cells():
                if not run.finished(cell).exists():
                    await _fill_cell(run, work, worker, cell, state)
        except SystemEnded as end:
            state.deaths += 1
            if state.deaths > work.limits.deaths:
                _give_up(run, work, Failed(end.why, end.detail))
        except Unobserved:
            state.crashes += 1
        finally:
            await worker.stop()


async def _fill_cell(run: RunDir, work: Work, worker: Worker, cell: Cell, state: _Progress) -> None:
    facts: dict[str, Any] = worker.facts[str(cell.seed)]
    path = run.journal(cell)
    journal = repair(path)
    asks = list(work.asks(cell.split))
    if facts["stateful"] and journal.lines and len(journal.seen) < len(asks):
        path.unlink()
        run.evidence(cell).unlink(missing_ok=True)
        write_whole(_restarts(run, cell), b"." * (_count_restarts(run, cell) + 1))
        journal = repair(path)
    todo = [(s, a) for s, a in asks if (s.id, a) not in journal.seen]
    with Writer(path, run.evidence(cell)) as writer:
        desk = _Desk(cell, work, writer)
        for start in range(0, len(todo), CHUNK):
            await _ask(worker, desk, todo[start : start + CHUNK], state)
    _finish(run, work, cell, facts)


async def _ask(worker: Worker, desk: _Desk, asks: Sequence[_Ask], state: _Progress) -> None:
    desk.open(asks)
    questions = [s.question(attempt=a, seed=desk.cell.seed) for s, a in asks]
    each = desk.work.limits.reply_s
    try:
        async for reply in worker.ask(desk.cell.seed, questions, each=each):
            await desk.take(reply)
        desk.fail_rest(Failed("no_reply"))
    except SystemEnded as end:
        desk.fail_first(Failed(end.why, end.detail))
        raise
    except Unobserved as crash:
        if state.crashes + 1 >= CRASH_TRIES:
            desk.fail_rest(Crash("machine", str(crash)))
            return
        raise
    finally:
        await desk.flush()


@dataclass(slots=True)
class _Desk:
    """Where replies are matched with samples, judged, and committed."""

    cell: Cell
    work: Work
    writer: Writer
    waiting: dict[tuple[str, int], Sample] = field(default_factory=dict)
    answered: set[tuple[str, int]] = field(default_factory=set)
    pile: list[tuple[Sample, Reply]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def open(self, asks: Sequence[_Ask]) -> None:
        self.waiting = {(s.id, a): s for s, a in asks}

    async def take(self, reply: Reply) -> None:
        key = reply.question, reply.attempt
        sample = self.waiting.pop(key, None)
        if sample is None:
            again = key in self.answered
            raise PluginError(
                f"{self.work.system} replied {'twice' if again else 'to a question not asked'}: "
                f"{reply.question!r}{f', attempt {reply.attempt}' if reply.attempt else ''}",
                where=str(self.cell),
                hint="yield one Reply per question, with the question's own id and attempt",
                code="A402",
            )
        self.answered.add(key)
        self.pile.append((sample, reply))
        if len(self.pile) >= FLUSH_REPLIES or time.monotonic() - self.since > FLUSH_S:
            await self.flush()

    def fail_first(self, said: Said) -> None:
        for key in list(self.waiting)[:1]:
            self.pile.append((self.waiting.pop(key), Reply(key[0], said, attempt=key[1])))

    def fail_rest(self, said: Said) -> None:
        for key in list(self.waiting):
            self.pile.append((self.waiting.pop(key), Reply(key[0], said, attempt=key[1])))

    async def flush(self) -> None:
        pile, self.pile, self.since = self.pile, [], time.monotonic()
        if not pile:
            return
        verdicts = await asyncio.to_thread(judge_all, self.work.verifier, pile)
        records, details = [], {}
        for (sample, reply), verdict in zip(pile, verdicts, strict=True):
            records.append(
                Record(
                    cell=self.cell,
                    sample=sample.id,
                    attempt=reply.attempt,
                    group=sample.cluster,
                    said=reply.said,
                    verdict=verdict,
                    usage=reply.usage,
                    earlier=reply.earlier,
                )
            )
            if self.work.keeps_evidence and (kept := evidence(reply, verdict)):
                details[sample.id, reply.attempt] = kept
        self.writer.write(records, details)
        self.work.teller.advance(self.work.system, len(records))


def _finish(run: RunDir, work: Work, cell: Cell, facts: dict[str, Any]) -> None:
    journal = repair(run.journal(cell))
    wanted = {(s.id, a) for s, a in work.asks(cell.split)}
    have = {(line.decided.sample, line.decided.attempt) for line in journal.lines}
    if wanted != have:
        raise PluginError(
            f"the journal holds {len(have - wanted)} replies to what was not asked and lacks "
            f"{len(wanted - have)}",
            where=str(run.journal(cell)),
            hint="delete this file and run again; the task may have changed",
        )
    write_doc(
        run.finished(cell),
        CellFacts(
            task=cell.task,
            system=cell.system,
            seed=cell.seed,
            split=cell.split,
            n=len(journal.lines),
            crashes=sum(line.crashed for line in journal.lines),
            decisions=decision_digest(journal.lines),
            build_s=facts.get("build_s"),
            notes=facts.get("notes", {}),
            made=tuple(facts.get("made", ())),
            restarts=_count_restarts(run, cell),
        ),
    )


def _restarts(run: RunDir, cell: Cell) -> Path:
    return run.work / "restarts" / str(cell)


def _count_restarts(run: RunDir, cell: Cell) -> int:
    marks = _restarts(run, cell)
    return marks.stat().st_size if marks.exists() else 0


def _give_up(run: RunDir, work: Work, why: Failed | Crash) -> None:
    """Record what is left as the system's failure, or as ours, and say so at once."""
    reason = why.why if isinstance(why, Failed) else why.error
    words = why.detail.strip().splitlines()
    said = f": {words[-1]}" if words else ""
    work.teller.note(f"{work.system} on {work.task} is given up ({reason}){said}")
    for cell in work.cells():
        if run.finished(cell).exists():
            continue
        journal = repair(run.journal(cell))
        left = [(s, a) for s, a in work.asks(cell.split) if (s.id, a) not in journal.seen]
        with Writer(run.journal(cell), run.evidence(cell)) as writer:
            for start in range(0, len(left), CHUNK):
                records = [
                    Record(
                        cell=cell,
                        sample=s.id,
                        attempt=a,
                        group=s.cluster,
                        said=why,
                        verdict=judge(s.target, why),
                        usage=Usage(),
                    )
                    for s, a in left[start : start + CHUNK]
                ]
                sample, attempt = left[0]
                first = {(sample.id, attempt): why.detail.encode("utf-8", "replace")}
                writer.write(records, first if start == 0 and work.keeps_evidence else {})
                work.teller.advance(work.system, len(records))
        _finish(run, work, cell, {})


def _log(run: RunDir, work: Work) -> Any:
    return run.work / "logs" / work.task / work.system / f"{work.job.seeds[0]}.log"
