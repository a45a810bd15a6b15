"""One work on its way through the cluster: its parts, and how what they answered becomes its journals."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.record import Cell
from ...core.reply import Crash, Failed
from ...store.replies import first_of, read_replies
from ...store.rundir import RunDir
from ...store.shards import REPLIES, End, Shard, answered, shards_in
from ..cells import give_up, record_all
from ..keeping import Ask, Journals, Work
from .order import Step, cut

LOST_TRIES = 5
"""A part whose machine is lost so often in a row, with nothing answered, is not tried again."""

LOST = Crash("machine_lost", "the machines of the cluster that were to answer this were lost")


@dataclass(slots=True, eq=False)
class Part:
    """Some of a work's questions, which one task of the cluster answers."""

    name: str
    places: dict[Cell, list[int]]
    tries: int = 0
    kept: int = 0
    """Lines in its shards when a machine was last lost."""

    barren: int = 0
    """Machines lost in a row since then."""

    asked: dict[str, Any] | None = None
    """What its asking said: its replies are kept, and may wait for their check."""

    since: str = ""
    """The try that asked last."""

    told: int = 0
    """How many of its replies were told of already."""

    result: dict[str, Any] | None = None
    lost: bool = False
    """Whether it is given up."""

    @property
    def tried(self) -> str:
        """The name of the try that is on its way, or was the last."""
        return f"{self.tries:04}"

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.lost or self.result is not None

    def end_try(self, result: dict[str, Any], step: Step) -> None:
        """Note what a try said that came to its end."""
        if step != "check":
            self.since = self.tried
        if step == "ask" and len(self):
            self.wait_for_check(result)
        else:
            self.result = self.asked if step == "check" else result

    def wait_for_check(self, said: dict[str, Any]) -> None:
        """Note that everything was answered, and what the asking said."""
        self.asked, self.kept, self.barren = said, len(self), 0

    def begin_again(self) -> None:
        """Forget that it is complete: it is not."""
        self.asked = self.result = None

    def __len__(self) -> int:
        return sum(map(len, self.places.values()))


@dataclass(slots=True, eq=False)
class Batch:
    """One work: what is left of it, in parts, which become its journals in the order of their questions."""

    run: RunDir
    work: Work
    prefix: str
    """Begins the names of its parts: no other process's parts are called so."""

    apart: bool = False
    """Whether replies are checked in tasks of their own."""

    parts: list[Part] = field(default_factory=list)
    kept: list[Part] = field(default_factory=list)
    """Parts that an earlier driver asked, and nobody has checked."""

    merged: int = 0
    """So many parts are in the journals."""

    deaths: int = 0
    whole: bool = False
    """Whether its system is stateful, and is asked everything in one part."""

    over: bool = False
    asks: dict[str, list[Ask]] = field(default_factory=dict)
    """Split to what its cells are asked, in order."""

    facts: dict[tuple[int, str], Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asks = {split: list(self.work.asks(split)) for split in self.work.asked}

    @property
    def journals(self) -> Journals:
        """The journals that it fills."""
        return Journals(self.run, self.work)

    def left(self) -> dict[Cell, list[int]]:
        """Return the places of what is to be asked, by unfinished cell."""
        found = {}
        for cell in self.work.cells():
            if self.journals.done(cell):
                continue
            lacks = {(s.id, a) for s, a in self.journals.left(cell)}
            asks = enumerate(self.asks[cell.split])
            found[cell] = [i for i, (s, a) in asks if (s.id, a) in lacks]
        return found

    def divide(self, left: Mapping[Cell, Sequence[int]], parts: int) -> None:
        """Make parts of what is left."""
        cells = list(left)
        for pieces in cut([len(left[c]) for c in cells], parts):
            places = {cells[row]: list(left[cells[row]][a:b]) for row, a, b in pieces}
            self._add(places)
        for cell in cells:  # where everything was answered, what its build said is still wanted
            self.parts[0].places.setdefault(cell, [])
        self.parts += self.kept  # behind: the first part is the one that is built
        self.kept = []

    def _add(self, places: dict[Cell, list[int]]) -> None:
        self.parts.append(Part(f"{self.prefix}{len(self.parts):05}", places))

    def make_whole(self) -> Part:
        """Begin again with everything in one part: its system is stateful.  Return the part."""
        self.whole = True
        for cell in self.work.cells():
            if not self.journals.done(cell) and self.journals.left(cell):
                self.journals.restart(cell)
        self.parts, self.prefix, self.merged, self.deaths = [], f"{self.prefix}w", 0, 0
        self._add(self.left())
        return self.parts[0]

    def lose(self, part: Part) -> None:
        """Note that the machine of a part was lost, and give the part up where that leads nowhere."""
        step = self.step(part)
        restarts = self.whole and step != "check"
        kept = sum(self._kept(part, cell) for cell in part.places)
        part.barren = 0 if kept > part.kept and not restarts else part.barren + 1
        part.kept = kept
        if restarts:
            self._forget_tries(part)
        part.lost = part.barren >= LOST_TRIES

    def step(self, part: Part) -> Step:
        """Return what is to be done next for a part."""
        if part.asked is not None:
            return "check"
        return "ask" if self.apart else "all"

    def _kept(self, part: Part, cell: Cell) -> int:
        shards = self._shards(part, cell)
        return len(answered(shards)) + len(first_of(shard.replies for shard in shards))

    def merge(self) -> Part | None:
        """Take what is complete into the journals; return a part that must be tried again.

        A part that says it is complete and is not, as the file server shows it, is tried again.
        """
        while not self.over and self.merged < len(self.parts) and self.parts[self.merged].over:
            part = self.parts[self.merged]
            if not self._take(part):
                part.begin_again()
                return part
            self.merged += 1
        if not self.over and self.merged == len(self.parts):
            for cell in self.work.cells():
                if not self.journals.done(cell):
                    self.journals.finish(cell, self.facts.get((cell.seed, cell.split), {}))
            self.over = True
        return None

    def _take(self, part: Part) -> bool:
        found = {cell: answered(self._shards(part, cell)) for cell in part.places}
        wanted = {c: [self.asks[c.split][i] for i in at] for c, at in part.places.items()}
        missing = {c: [(s, a) for s, a in wanted[c] if (s.id, a) not in found[c]] for c in wanted}
        if any(missing.values()) and not part.lost:
            return False
        for cell, rows in wanted.items():
            keys = [(s.id, a) for s, a in rows if (s.id, a) in found[cell]]
            last = self._blame(cell, keys, self._ends(part, cell))
            keys = keys if last is None else keys[: keys.index((last.sample, last.attempt)) + 1]
            with self.journals.writer(cell) as writer:
                writer.take(found[cell][key] for key in keys)
                if last is None and missing[cell]:
                    record_all(self.work, writer, cell, missing[cell], LOST)
            self._tell(part, len(keys))
            if last is not None:
                give_up(self.work, self.journals, Failed(last.why, last.detail))
                self.over = True
                break
        self._note_facts(part)
        self._tidy(part)
        return True

    def _blame(self, cell: Cell, keys: Sequence[tuple[str, int]], ends: list[End]) -> End | None:
        """Count the ends of the system's process in the order of the questions; return the last straw.

        So the parts together come to what one process after another would have come to.
        """
        blamed = {(end.sample, end.attempt): end for end in ends}
        for key in keys:
            if key in blamed:
                self.deaths += 1
                if self.deaths > self.work.limits.deaths:
                    return blamed[key]
        return None

    def _ends(self, part: Part, cell: Cell) -> list[End]:
        return [end for shard in self._shards(part, cell) for end in shard.read_ends()]

    def _shards(self, part: Part, cell: Cell) -> list[Shard]:
        """Return what counts: of a stateful system what came since it was asked last, else every try's."""
        found = shards_in(self.run.shards(cell), part.name)
        said = part.result or part.asked
        if said is not None and said["whole"]:
            return [s for s in found if s.whole and s.tried >= part.since]
        return [s for s in found if not s.whole]

    def _forget_tries(self, part: Part) -> None:
        for cell in part.places:
            for shard in shards_in(self.run.shards(cell), part.name):
                if shard.whole:
                    said = any(shard.read()) or any(read_replies(shard.replies))
                    self.journals.count_restarts(cell, int(said))
                    shard.remove()

    def _note_facts(self, part: Part) -> None:
        if part.result is None:
            return
        for seed, split, facts in part.result["built"]:
            self.facts.setdefault((seed, split), facts)
        for cell in part.places:
            self.journals.count_restarts(cell, part.result["restarts"])

    def _tell(self, part: Part, replies: int) -> None:
        more = min(replies, max(len(part) - part.told, 0))
        part.told += more
        self.work.teller.advance(self.work.system, more)

    def _tidy(self, part: Part) -> None:
        """Remove the part's shards, and keep the private folder of the first part that was built.

        Of a part that is given up, replies stay: the next start checks them.
        """
        kept = (REPLIES,) if part.lost and self.work.keeps_evidence else ()
        for cell in part.places:
            for shard in shards_in(self.run.shards(cell), part.name):
                shard.remove(kept=() if shard.whole else kept)
        home = Path(self.work.job.workdir)
        for folder in sorted(home.glob(f"{part.name}.*")):
            if part.result is not None and folder.name == f"{part.name}.{part.since}":
                for seed in folder.iterdir():
                    if self.merged == 0 and not (home / seed.name).exists():
                        seed.rename(home / seed.name)
            shutil.rmtree(folder, ignore_errors=True)

    def is_whole(self, part: Part) -> bool:
        """Whether a part holds all of each of its cells, but for those that hold everything."""
        return all(len(at) in (0, len(self.asks[c.split])) for c, at in part.places.items())
