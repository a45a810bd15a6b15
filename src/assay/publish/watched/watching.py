"""Look at a run again and again while another process makes it; each look reads only what came since.

Covered: a run that is not begun, grows, is killed, is resumed by another process, starts a journal again, or is
sealed; one whose files are damaged.  Nothing is written, and its lock is not touched.  Not covered: a run that is
deleted and replaced by another one of the same name while it is looked at: look again.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...core.errors import AssayError
from ...core.record import Cell
from ...engine.prices import to_prices
from ...store.canon import open_plain
from ...store.manifest import CellFacts, Manifest, read_doc
from ...store.rundir import RunDir, cell_of
from ...store.seal import journals
from ...store.tail import PIECE, Tail
from .expected import MOST_CELLS, Expected, Groups
from .following import Following
from .moment import CellSeen, Moment, Phase, Running, SystemSeen
from .pace import Pace
from .spending import spent
from .writer import is_written

MOST_DOCUMENT = 1 << 24
"""Bytes of a document that is read whole."""

LOOK_BYTES = 8 * PIECE
"""Bytes that one look reads at most; the rest waits for the next."""

QUIET_S = 120.0
"""Where the system does not say who writes: seconds without a reply after which nobody seems to."""

QUIET_NOTE_S = 60.0
"""Seconds without a reply that are worth a word: a model may think that long, or hang."""


class Watching:
    """A run directory, and what was read of it."""

    def __init__(self, root: Path) -> None:
        self.run = RunDir(root)
        self._expected: Expected | None = None
        self._prices: Any = None
        self._followed: dict[Cell, Following] = {}
        self._finished: dict[Cell, CellFacts | None] = {}
        self._groups: dict[str, Groups] = {}
        self._pace = Pace()
        self._came = time.monotonic()
        self._last = 0.0
        self._broken = ""

    def look(self, when: datetime | None = None) -> Moment:
        """Return how the run stands now."""
        when = when or datetime.now(UTC)
        name = self.run.root.name or str(self.run.root)
        # What is read last must not be newer than what it is judged by: the seal comes last.
        sealed, written = self.run.seal.is_file(), is_written(self.run.root)
        if self._expected is None and not self._begin():
            phase = Phase.BROKEN if self._broken else Phase.NOT_BEGUN
            notes = (self._broken,) if self._broken else self._waiting(written=written)
            return Moment(run=name, at=str(self.run.root), phase=phase, when=when, notes=notes)
        assert self._expected is not None
        came = self._read()
        if came:
            self._came = time.monotonic()
        systems = tuple(self._systems(self._expected))
        attempts = self._attempts()
        left = sum(one.left for one in self._followed.values())
        self._pace.note(systems, attempts, when, written=written is not False and not sealed)
        phase = self._phase(systems, sealed=sealed, written=written)
        manifest = self._expected.manifest
        return Moment(
            run=name,
            at=str(self.run.root),
            phase=phase,
            when=when,
            name=manifest.name,
            says=manifest.says,
            systems=systems,
            busy_s=self._pace.busy_s(attempts, when, going=phase in (Phase.ASKING, Phase.TIMING)),
            left_s=self._pace.left_s(systems) if phase is Phase.ASKING and not left else None,
            currency=self._prices.currency if self._prices else "USD",
            notes=(*self._notes(phase, systems, attempts), *self._silence(phase, when)),
            catching_up=left,
        )

    def _begin(self) -> bool:
        if not self.run.manifest.is_file():
            return False
        try:
            if self.run.manifest.stat().st_size > MOST_DOCUMENT:
                self._broken = "manifest.json is too large to be one"
                return False
            manifest = read_doc(Manifest, self.run.manifest)
            self._prices = to_prices(manifest.prices) if isinstance(manifest.prices, dict) else None
        except AssayError as error:
            self._broken = f"{error.code} {error.what}"
            return False
        except (OSError, ValueError) as error:
            self._broken = f"the manifest cannot be read: {error}"
            return False
        self._expected = Expected(self.run, manifest)
        return True

    def _waiting(self, *, written: bool | None) -> tuple[str, ...]:
        if not self.run.root.is_dir():
            return ("there is no such folder yet: waiting for `assay run PLAN --out` to make it",)
        if written:
            return ("a process prepares it: reading samples, hashing model files",)
        return ("nothing is written yet: waiting for `assay run PLAN --out` to begin",)

    def _read(self) -> int:
        assert self._expected is not None
        known = {
            cell
            for path in journals(self.run)[:MOST_CELLS]
            if (cell := _cell(self.run.root, path)) is not None
        }
        for cell in known - self._followed.keys():
            facts = self._expected.manifest.systems.get(cell.system)
            if facts is None or facts.of is not None:
                continue  # nobody is asked: not of this run, or the replies of another system once more
            if cell.task not in self._groups:
                self._groups[cell.task] = self._expected.groups(cell.task)
            groups = self._groups[cell.task]
            tail = Tail(self.run.journal(cell))
            self._followed[cell] = Following(cell, tail, groups.sizes, groups.most)
        room = LOOK_BYTES
        came = 0
        for one in self._followed.values():
            read = one.read(min(PIECE, max(room, 1)))
            came, room = came + read, room - read
            if room <= 0:
                break
        self._last = max((one.tail.changed for one in self._followed.values()), default=0.0)
        self._see_finished()
        return came

    def _see_finished(self) -> None:
        for cell in self._followed:
            path = self.run.finished(cell)
            if not path.is_file():
                self._finished.pop(cell, None)
            elif cell not in self._finished:
                try:
                    self._finished[cell] = read_doc(CellFacts, path)
                except (AssayError, OSError):
                    self._finished[cell] = None

    def _systems(self, expected: Expected) -> Iterator[SystemSeen]:
        cells: dict[tuple[str, str], list[Cell]] = {}
        seen = sorted(self._followed, key=str)
        for cell in dict.fromkeys((*expected.cells, *seen)):
            cells.setdefault((cell.task, cell.system), []).append(cell)
        for (task, system), among in cells.items():
            yield self._system(expected, task, system, among)

    def _system(self, expected: Expected, task: str, system: str, among: list[Cell]) -> SystemSeen:
        facts = expected.manifest.systems[system]
        followed = [self._followed[c] for c in among if c in self._followed]
        tests = [one for one in followed if one.cell.split == "test"]
        # Each seed's interval has its share of the 5 %, so that all of them hold, and their mean does.
        confidence = 1 - 0.05 / max(len(facts.seeds), 1)
        why: Counter[str] = Counter()
        for one in followed:
            why += one.reasons()
        seen = tuple(self._cell(expected, cell) for cell in among)
        return SystemSeen(
            task=task,
            system=system,
            control=facts.control,
            there=sum(cell.there for cell in seen),
            asked=sum(cell.asked for cell in seen),
            cells=seen,
            right=_mean([one.share("right", confidence) for one in tests if _is_judged(one)]),
            answered=_mean([one.share("answered", confidence) for one in tests]),
            wrong=_mean([one.share("wrong", confidence) for one in tests if _is_judged(one)]),
            withholds=any(
                aim is not None
                for aim in (facts.max_risk, facts.coverage, facts.utility, facts.metric)
            ),
            scored=sum(one.scored for one in tests),
            why=dict(why.most_common(5)),
            usd=None if self._prices is None else spent(self._prices, system, followed),
        )

    def _cell(self, expected: Expected, cell: Cell) -> CellSeen:
        one, finished = self._followed.get(cell), self._finished.get(cell)
        there = 0 if one is None else one.there
        asked = expected.cells.get(cell, there)
        if finished is not None:
            asked = min(asked, finished.n) or finished.n
        return CellSeen(
            task=cell.task,
            system=cell.system,
            seed=cell.seed,
            split=cell.split,
            there=there,
            asked=max(asked, there),
            crashed=0 if one is None else one.crashed,
            failed=0 if one is None else one.failed,
            finished=cell in self._finished,
            right=None
            if one is None or cell.split != "test" or not _is_judged(one)
            else one.share("right", 0.95),
        )

    def _attempts(self) -> list[dict[str, Any]]:
        """Return what every process that wrote the run noted when it began."""
        told = _read_json(self.run.provenance)
        found = told.get("attempts") if isinstance(told, dict) else None
        if found is None:
            found = _read_json(self.run.work / "attempts.json")
        return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []

    def _phase(self, systems: Iterable[SystemSeen], *, sealed: bool, written: bool | None) -> Phase:
        if sealed and not written:
            return Phase.SEALED
        quiet = written is None and time.monotonic() - self._came > QUIET_S
        if written is False or quiet:
            return Phase.STOPPED
        asked = all(cell.finished for one in systems for cell in one.cells)
        return Phase.TIMING if asked else Phase.ASKING

    def _silence(self, phase: Phase, when: datetime) -> Iterator[str]:
        quiet = when.timestamp() - self._last
        if self._last and phase in (Phase.ASKING, Phase.STOPPED) and quiet > QUIET_NOTE_S:
            yield f"the last reply came {quiet / 60:,.0f} min ago"

    def _notes(
        self, phase: Phase, systems: Iterable[SystemSeen], attempts: list[dict[str, Any]]
    ) -> Iterator[str]:
        assert self._expected is not None
        yield from self._expected.unknown
        if phase is Phase.TIMING and (files := self._expected.timed):
            done = sum(1 for _ in (self.run.root / "timing").glob("*/*.jsonl"))
            yield f"timing pass: {min(done, files)} of {files} parts are done"
        if phase is Phase.STOPPED:
            yield "nobody writes it: `assay run` with the same plan goes on where it stopped"
        if phase is Phase.SEALED:
            yield "its files were read as they are, the seal was not checked: `assay verify RUN` does"
        if len(attempts) > 1:
            kept = attempts[-1].get("kept")
            some = f", {kept:,} replies were kept" if isinstance(kept, int) else ""
            yield f"attempt {len(attempts)}: it was resumed{some}"
        if self._expected.may_stop and phase is Phase.ASKING:
            yield "it may stop early: what is left is the most that it could still ask"
        if damaged := sum(one.damaged for one in self._followed.values()):
            yield f"{damaged:,} damaged lines are passed over; `assay verify` names them once it is sealed"
        for one in systems:
            if one.why:
                told = ", ".join(f"{n:,} {why}" for why, n in one.why.items())
                yield f"{one.system} on {one.task}: {told}"
        for cell, facts in self._finished.items():
            if facts is not None and facts.restarts:
                yield f"{cell} began again {facts.restarts} times: it is stateful"


def _read_json(path: Path) -> Any:
    try:
        with open_plain(path) as file:
            return json.loads(file.read(MOST_DOCUMENT + 1))  # what is longer is cut, and no JSON
    except (OSError, ValueError, RecursionError):
        return None


def _cell(root: Path, journal: Path) -> Cell | None:
    try:
        return cell_of(root, journal)
    except ValueError:
        return None  # not a journal that assay writes


def _is_judged(one: Following) -> bool:
    """Whether its replies are right or wrong, and not scored."""
    return not one.scored


def _mean(running: list[Running | None]) -> Running | None:
    """Return the mean over the seeds that have begun; the intervals hold together, so their mean does."""
    known = [one for one in running if one is not None]
    if not known:
        return None
    n = len(known)
    return Running(
        value=sum(one.value for one in known) / n,
        low=sum(one.low for one in known) / n,
        high=sum(one.high for one in known) / n,
        groups=sum(one.groups for one in known),
    )
