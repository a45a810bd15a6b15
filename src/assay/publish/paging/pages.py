"""A task's test samples with every system's replies: filtered, sorted, a page at a time.

What is asked of a million samples takes milliseconds, and of a page only its own lines are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import PlanError
from ...core.record import Cell
from ...store.columns import CODE, OUTCOMES
from ...store.evidence import read_evidence
from ...store.line import Line
from ...store.manifest import Manifest, read_doc
from ...store.places import lines_at, replies_at
from ...store.rundir import RunDir
from ...store.samples import sample_of
from ...store.seal import read_seal
from ...store.shelf import Shelf, shelf
from ..meant import task_meant
from .index import RIGHT, VERSION, contents
from .searching import matching
from .shown import Said, Shown
from .wanted import Order, Wanted

if TYPE_CHECKING:
    from ...core.verdict import Outcome

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """The samples that meet some conditions, in order."""

    pages: Pages
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def count(self, size: int) -> int:
        """Return how many pages of a size there are."""
        return -(-len(self.rows) // size)

    def page(self, number: int, *, size: int = 20) -> tuple[Shown, ...]:
        """Return a page; the first is number 1, and one that is not there is empty.

        Raises ``SealError`` A304 for a line that cannot be read.
        """
        start = (max(number, 1) - 1) * max(size, 0)
        return tuple(self.pages.show(self.rows[start : start + max(size, 0)]))


@dataclass(frozen=True)
class Pages:
    """The test samples of one task of a sealed run."""

    dir: RunDir
    task: str
    shelf: Shelf

    @classmethod
    def open(cls, path: Path | str, task: str | None = None) -> Pages:
        """Open the samples of a task; the only one, where none is named.

        The first time, the run is loaded (and its seal checked) and read once: thresholds are chosen,
        nothing else is computed.  What was found is kept under ``cache/``.  Later, only the sizes and
        times of its files are looked at.

        Raises what ``Run.load`` raises; ``PlanError`` A103 for an unknown task, A104 where there
        are several to choose from.
        """
        run = RunDir(Path(path))
        read_seal(run)
        name = task_meant(read_doc(Manifest, run.manifest), task, where=str(run.root))

        def make() -> Any:
            from ..run import Run

            return contents(Run.load(run.root), name)

        return cls(run, name, shelf(run, f"samples-{VERSION}-{name}", make))

    def __len__(self) -> int:
        return len(self._sample)

    @property
    def systems(self) -> tuple[str, ...]:
        """Every system, in the plan's order, controls last."""
        return tuple(system["name"] for system in self._systems)

    @property
    def controls(self) -> frozenset[str]:
        """The systems that are controls."""
        return frozenset(system["name"] for system in self._systems if system["control"])

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag that a sample has, sorted."""
        return tuple(self.shelf.facts["tags"])

    @cached_property
    def outcomes(self) -> Mapping[str, Mapping[Outcome, int]]:
        """How many replies of each system, under all seeds, came to what."""
        found = {}
        for number, system in enumerate(self.systems):
            counts = np.bincount(self._outcome(number).ravel() + 1, minlength=len(OUTCOMES) + 1)
            found[system] = {o: int(counts[CODE[o] + 1]) for o in OUTCOMES if counts[CODE[o] + 1]}
        return found

    def find(self, wanted: Wanted = Wanted()) -> Found:  # noqa: B008  (it is frozen)
        """Return the samples that somebody wants to see.

        Raises ``PlanError`` A103 for a system or a tag that is not there.
        """
        keep = np.ones(len(self), dtype=np.bool_)
        asked = self._asked(wanted)
        if wanted.system:
            keep &= self._outcome(asked[0])[0] >= 0
        if wanted.outcomes:
            codes = [CODE[o] for o in wanted.outcomes]
            some = np.zeros(len(self), dtype=np.bool_)
            for number in asked:
                some |= np.isin(self._outcome(number), codes).any(axis=0)
            keep &= some
        if wanted.against:
            keep &= self._apart([*asked, self._number(wanted.against)])
        if wanted.apart:
            keep &= self._apart(self._asked(Wanted()))
        if wanted.tag:
            keep &= self._tagged(wanted.tag)
        if wanted.text:
            keep &= matching(self.dir.samples(self.task, "test"), self._sample, keep, wanted.text)
        return Found(self, self._sorted(keep, asked, wanted.order))

    def require(self, wanted: Wanted) -> None:
        """Raise ``PlanError`` A103 for a system or a tag that is not there."""
        for system in filter(None, (wanted.system, wanted.against)):
            self._number(system)
        if wanted.tag:
            self._tagged(wanted.tag)

    def show(self, rows: Rows) -> Iterator[Shown]:
        """Yield some samples by their numbers, each with the replies under the first seeds."""
        raws = lines_at(self.dir.samples(self.task, "test"), self._sample[rows])
        said = [self._said(number, rows) for number in range(len(self.systems))]
        for raw, *systems in zip(raws, *said, strict=True):
            yield Shown(sample_of(raw), tuple(systems))

    def one(self, sample: str) -> Shown:
        """Return a sample by its id, with the replies under every seed.

        Raises ``PlanError`` A103 where no test sample is called that.
        """
        row = self._row(sample)
        at = np.array([row])
        [raw] = lines_at(self.dir.samples(self.task, "test"), self._sample[at])
        return Shown(
            sample_of(raw),
            tuple(
                next(self._said(n, at, seeds=len(s["seeds"]))) for n, s in enumerate(self._systems)
            ),
        )

    def evidence(self, system: str, seed: int, line: Line) -> bytes | None:
        """Return what is kept beside a reply (a transcript, a build log); None where nothing is.

        Of the evidence pack only these bytes are read.  Raises ``SealError`` A304 for what is no entry.
        """
        if line.usage.at is None:
            return None
        cell = Cell(task=self.task, system=system, seed=seed, split="test")
        return read_evidence(self.dir.evidence(cell), line.usage.at)

    @property
    def _systems(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.shelf.facts["systems"]
        return found

    @property
    def _sample(self) -> NDArray[np.int64]:
        return self.shelf.arrays["sample"]

    def _outcome(self, number: int) -> NDArray[np.int8]:
        return self.shelf.arrays[f"outcome-{number}"]

    def _number(self, system: str) -> int:
        if system not in self.systems:
            raise PlanError(
                f"no system is called {system!r}",
                where=str(self.dir.root),
                hint=f"known: {', '.join(self.systems)}",
                code="A103",
            )
        return self.systems.index(system)

    def _asked(self, wanted: Wanted) -> list[int]:
        """Return the systems whose replies are meant."""
        if wanted.system:
            return [self._number(wanted.system)]
        return [n for n, system in enumerate(self._systems) if not system["control"]]

    def _apart(self, numbers: list[int]) -> NDArray[np.bool_]:
        """Return where some of these systems are right and some are not."""
        right = np.zeros(len(self), dtype=np.bool_)
        not_right = np.zeros(len(self), dtype=np.bool_)
        for number in numbers:
            first = self._outcome(number)[0]
            one = np.isin(first, RIGHT)
            right |= one
            not_right |= (first >= 0) & ~one
        return right & not_right

    def _tagged(self, tag: str) -> NDArray[np.bool_]:
        if tag not in self.tags:
            raise PlanError(
                f"no sample has the tag {tag!r}",
                where=str(self.dir.root),
                hint=f"known: {', '.join(self.tags[:20]) or 'none'}",
                code="A103",
            )
        found = np.zeros(len(self), dtype=np.bool_)
        arrays = self.shelf.arrays
        found[arrays["tag-row"][arrays["tag"] == self.tags.index(tag)]] = True
        return found

    def _sorted(self, keep: NDArray[np.bool_], asked: list[int], order: Order) -> Rows:
        match order:
            case Order.APART:
                first: Rows = self.shelf.arrays["apart"][keep[self.shelf.arrays["apart"]]]
                return first
            case Order.ID:
                return np.flatnonzero(keep)
            case Order.SURE | Order.UNSURE:
                rows = np.flatnonzero(keep)
                sure = np.full(len(rows), -np.inf, dtype=np.float32)
                for number in asked:
                    one = self.shelf.arrays[f"sure-{number}"][rows]
                    sure = np.fmax(sure, one)
                # Who never said how sure it was is neither sure nor unsure, and comes last.
                silent = np.isneginf(sure)
                sign = -1 if order is Order.SURE else 1
                return rows[np.lexsort((np.where(silent, 0, sign * sure), silent))]

    def _said(self, number: int, rows: Rows, *, seeds: int = 1) -> Iterator[Said]:
        """Yield what a system said to some samples, with the lines of its first seeds."""
        system = self._systems[number]
        lines = [
            replies_at(
                self.dir.journal(
                    Cell(task=self.task, system=system["name"], seed=seed, split="test")
                ),
                self.shelf.arrays[f"reply-{number}-{k}"][rows],
            )
            for k, seed in enumerate(system["seeds"][:seeds])
        ]
        outcomes = self._outcome(number)[:, rows]
        for place in range(len(rows)):
            yield Said(
                system=system["name"],
                control=system["control"],
                outcomes={
                    seed: OUTCOMES[code]
                    for seed, code in zip(system["seeds"], outcomes[:, place].tolist(), strict=True)
                    if code >= 0
                },
                lines={
                    seed: line
                    for seed, by_row in zip(system["seeds"], lines, strict=False)
                    if (line := by_row[place]) is not None
                },
            )

    def _row(self, sample: str) -> int:
        """Return the number of a sample: ids are sorted, so that a few lines are read to find it."""
        path = self.dir.samples(self.task, "test")
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            [raw] = lines_at(path, self._sample[middle : middle + 1])
            if (found := sample_of(raw).id) == sample:
                return middle
            low, high = (middle + 1, high) if found < sample else (low, middle)
        raise PlanError(
            f"no test sample of {self.task} is called {sample!r}",
            where=str(path),
            hint="an id as `assay samples` shows it",
            code="A103",
        )
