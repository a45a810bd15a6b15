"""Commit replies: check and judge them in batches, and append what they came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..core.record import Cell, Record
from ..store.journal import Writer
from .checking import Checking
from .judging import Pile, evidence
from .keeping import Keeper, Work


class Taker(Protocol):
    """What becomes of replies when they have come."""

    async def take(self, pile: Pile) -> None:
        """Take some replies, each with its sample."""
        ...


Taking: TypeAlias = Callable[[Work, Keeper, Cell], AbstractContextManager[Taker]]
"""Holds what takes the replies to one cell of some work."""


@contextmanager
def committing(work: Work, keeper: Keeper, cell: Cell) -> Iterator[Taker]:
    """Hold what checks the replies to a cell here, and commits them."""
    with keeper.writer(cell) as writer:
        yield _Committing(cell, work, writer, Checking(work.verifier, work.limits.check_s))


@dataclass(slots=True)
class _Committing:
    """Checks replies, and commits what they came to line by line."""

    cell: Cell
    work: Work
    writer: Writer
    checking: Checking

    async def take(self, pile: Pile) -> None:
        """Judge some replies and append their records."""
        verdicts = await self.checking.judge(pile)
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
