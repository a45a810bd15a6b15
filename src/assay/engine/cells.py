"""Fill cells: ask what is not yet in the journal, judge it, commit it line by line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import PluginError
from ..core.record import Cell, Record
from ..core.reply import Crash, Failed, Reply, Said, Usage
from ..core.sample import Question, Sample
from ..core.verdict import judge
from ..store.journal import Writer
from .asking import Asked, SystemEnded, Unobserved, Worker
from .committing import Taker, Taking, committing
from .keeping import Ask, Keeper, Work

CHUNK = 256
"""Questions in one request."""

FLUSH_REPLIES, FLUSH_S = 64, 0.25
"""A reply waits at most for so many others, or so long, before it is judged and committed, or kept for that."""

CRASH_TRIES = 3


@dataclass(slots=True)
class _Progress:
    deaths: int = 0
    crashes: int = 0


@dataclass(frozen=True, slots=True)
class _Filling:
    """Some work that is being asked."""

    work: Work
    keeper: Keeper
    taking: Taking
    state: _Progress


async def fill(work: Work, keeper: Keeper, *, deaths: int = 0, taking: Taking = committing) -> None:
    """Finish every cell of some work, through as many processes as it takes.

    ``taking`` says what becomes of replies: unless told otherwise they are checked here and committed.

    A process that dies or hangs takes the blame for the first question that it left unanswered;
    the next process goes on behind it.  After ``limits.deaths`` ends, those of an earlier call
    (``deaths``) counted, the rest has failed too.
    """
    state = _Progress(deaths)
    while any(not keeper.done(cell) for cell in work.cells()):
        try:
            worker = await Worker.start(work.job, keeper.log, within=work.limits.build_s)
        except SystemEnded as end:
            give_up(work, keeper, Failed("not_built", end.detail or end.why))
            continue
        except Unobserved as crash:
            state.crashes += 1
            if state.crashes >= CRASH_TRIES:
                give_up(work, keeper, Crash("machine", str(crash)))
            continue
        try:
            for cell in work.cells():
                if not keeper.done(cell):
                    await _fill_cell(_Filling(work, keeper, taking, state), worker, cell)
        except SystemEnded as end:
            state.deaths += 1
            if state.deaths > work.limits.deaths:
                give_up(work, keeper, Failed(end.why, end.detail))
        except Unobserved:
            state.crashes += 1
        finally:
            await worker.stop()


async def _fill_cell(this: _Filling, worker: Worker, cell: Cell) -> None:
    facts: dict[str, Any] = worker.facts[str(cell.seed)]
    todo = this.keeper.open(cell, stateful=facts["stateful"])
    with this.taking(this.work, this.keeper, cell) as taker:
        await _ask(worker, _Desk(cell, this.work, taker), todo, this)
    this.keeper.finish(cell, facts)


async def _ask(worker: Worker, desk: _Desk, todo: Sequence[Ask], this: _Filling) -> None:
    requests = (desk.open(todo[start : start + CHUNK]) for start in range(0, len(todo), CHUNK))
    asked = worker.ask_all(desk.cell.seed, requests, each=desk.work.limits.reply_s)
    try:
        async for found in asked:
            match found:
                case Reply():
                    await desk.take(found)
                case Asked(questions, ""):
                    desk.fail(questions, Failed("no_reply"))
                case Asked(questions, crash):
                    if this.state.crashes + 1 < CRASH_TRIES:
                        raise Unobserved(crash)
                    desk.fail(questions, Crash("machine", crash))
                case None:
                    await desk.flush()
    except SystemEnded as end:
        said = Failed(end.why, end.detail)
        for key in desk.fail_first(said):
            this.keeper.ended(desk.cell, key, said)
        raise
    finally:
        await desk.flush()


@dataclass(slots=True)
class _Desk:
    """Where replies are matched with samples, and handed on."""

    cell: Cell
    work: Work
    taker: Taker
    waiting: dict[tuple[str, int], Sample] = field(default_factory=dict)
    answered: set[tuple[str, int]] = field(default_factory=set)
    pile: list[tuple[Sample, Reply]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def open(self, asks: Sequence[Ask]) -> list[Question]:
        """Wait for the replies to some questions, which are returned."""
        self.waiting |= {(s.id, a): s for s, a in asks}
        return [s.question(attempt=a, seed=self.cell.seed) for s, a in asks]

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

    def fail_first(self, said: Said) -> list[tuple[str, int]]:
        first = list(self.waiting)[:1]
        for key in first:
            self.pile.append((self.waiting.pop(key), Reply(key[0], said, attempt=key[1])))
        return first

    def fail(self, questions: Sequence[Question], said: Said) -> None:
        """Say the same of those of some questions that nobody answered."""
        for question in questions:
            key = question.id, question.attempt
            if sample := self.waiting.pop(key, None):
                self.pile.append((sample, Reply(key[0], said, attempt=key[1])))

    async def flush(self) -> None:
        pile, self.pile, self.since = self.pile, [], time.monotonic()
        if pile:
            await self.taker.take(pile)


def give_up(work: Work, keeper: Keeper, why: Failed | Crash) -> None:
    """Record what is left as the system's failure, or as ours, and say so at once."""
    reason = why.why if isinstance(why, Failed) else why.error
    words = why.detail.strip().splitlines()
    said = f": {words[-1]}" if words else ""
    work.teller.note(f"{work.system} on {work.task} is given up ({reason}){said}")
    for cell in work.cells():
        if keeper.done(cell):
            continue
        with keeper.writer(cell) as writer:
            record_all(work, writer, cell, keeper.left(cell), why)
        keeper.finish(cell, {})


def record_all(
    work: Work, writer: Writer, cell: Cell, asks: Sequence[Ask], why: Failed | Crash
) -> None:
    """Record one outcome for many questions that nobody answered."""
    for start in range(0, len(asks), CHUNK):
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
            for s, a in asks[start : start + CHUNK]
        ]
        sample, attempt = asks[0]
        first = {(sample.id, attempt): why.detail.encode("utf-8", "replace")}
        writer.write(records, first if start == 0 and work.keeps_evidence else {})
        work.teller.advance(work.system, len(records))
