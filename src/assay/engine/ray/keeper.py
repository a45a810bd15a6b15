"""Where one try at one part keeps what it is told: in shards of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.record import Cell
from ...core.reply import Failed, Reply
from ...core.sample import Sample
from ...store.journal import Writer
from ...store.replies import first_of
from ...store.rundir import RunDir
from ...store.shards import End, Shard, answered, shards_in
from ..keeping import Ask
from ..unchecked import reply_of
from .order import Order


class NotWholeError(Exception):
    """A stateful system was given a part of its questions."""


@dataclass(slots=True)
class Shards:
    """Keeps replies in shards of one try; knows what earlier tries at the same part left."""

    run: RunDir
    order: Order
    asks: dict[Cell, list[Ask]] = field(default_factory=dict)
    finished: dict[Cell, Mapping[str, Any]] = field(default_factory=dict)
    whole: bool = False
    """Whether the system turned out to be stateful."""

    restarts: int = 0

    @property
    def log(self) -> Path:
        """One file for each try."""
        order = self.order
        name = f"{order.part}.{order.tried}.log"
        return self.run.work / "logs" / order.task / order.system / name

    def done(self, cell: Cell) -> bool:
        """Whether there is nothing of a cell to ask here, or all of it was."""
        return cell not in self.asks or cell in self.finished

    def left(self, cell: Cell) -> list[Ask]:
        """Return what no try at this part has answered."""
        shards = [self._shard(cell)] if self.whole else self._tries(cell)
        known = _known(shards) | {
            k for k, r in first_of(map(_replies, shards)).items() if not r.crashed
        }
        return [(s, a) for s, a in self.asks[cell] if (s.id, a) not in known]

    def unchecked(self, cell: Cell) -> list[tuple[Sample, Reply]]:
        """Return the replies of every try at this part that nobody has checked, in order."""
        shards = self._tries(cell)
        known, kept = _known(shards), first_of(map(_replies, shards))
        return [
            (s, reply_of(kept[s.id, a]))
            for s, a in self.asks[cell]
            if (s.id, a) in kept and (s.id, a) not in known
        ]

    def _tries(self, cell: Cell) -> list[Shard]:
        """Return the shards of this part that count: of a stateful system those since it was asked last."""
        found = shards_in(self.run.shards(cell), self.order.part)
        return [s for s in found if s.whole == self.whole and s.tried >= self.order.since]

    def open(self, cell: Cell, *, stateful: bool) -> list[Ask]:
        """Return what is left; of a stateful system everything, unless its order is not whole."""
        if not stateful or not self.asks[cell]:
            return self.left(cell)
        if not self.order.whole:
            raise NotWholeError
        self.whole = True
        left = self.left(cell)
        if left and len(left) < len(self.asks[cell]):
            self._shard(cell).remove()
            self.restarts += 1
        return self.left(cell)

    def writer(self, cell: Cell) -> Writer:
        """Return what appends to this try's shard."""
        return self._shard(cell).writer()

    def replies(self, cell: Cell) -> Path:
        """Return where this try keeps replies for somebody else to check."""
        return self._shard(cell).replies

    def ended(self, cell: Cell, key: tuple[str, int], said: Failed) -> None:
        """Keep it in a file: whoever tries next goes on counting."""
        detail = said.detail if self.order.keeps_evidence else ""
        self._shard(cell).end(End(*key, said.why, detail))

    def finish(self, cell: Cell, facts: Mapping[str, Any]) -> None:
        """Remember what the build said."""
        self.finished[cell] = facts

    def earlier_ends(self) -> list[End]:
        """Return the ends of earlier tries at this part, one for each question, in order."""
        found = {}
        for cell in self.asks:
            for shard in shards_in(self.run.shards(cell), self.order.part):
                found.update({(cell, e.sample, e.attempt): e for e in shard.read_ends()})
        return list(found.values())

    def _shard(self, cell: Cell) -> Shard:
        return Shard(self.order.part, self.order.tried, self.run.shards(cell), whole=self.whole)


def _replies(shard: Shard) -> Path:
    return shard.replies


def _known(shards: list[Shard]) -> set[tuple[str, int]]:
    return {key for key, (line, _) in answered(shards).items() if not line.crashed}
