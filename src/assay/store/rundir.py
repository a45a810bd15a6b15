"""Where everything in a run directory is.

``docs/run-directory.md`` is the format; this is its one spelling in code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..core.errors import SealError
from ..core.record import Cell
from .canon import disk_errors, make_folder
from .locks import one_writer

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
"""What a plan, task or system may be called: it becomes a file name."""

USUAL = Path("runs")
"""Where runs are made unless somebody says otherwise."""

LINES = ("samples/*/*.jsonl", "records/*/*/*.jsonl", "timing/*/*.jsonl")
_NUMBER = "(?:0|[1-9][0-9]{0,18})"
_PLACED = re.compile(
    f"samples/{NAME.pattern}/{NAME.pattern}[.]jsonl"
    f"|records/{NAME.pattern}/{NAME.pattern}/{_NUMBER}-{NAME.pattern}[.]jsonl"
    f"|timing/{NAME.pattern}/{_NUMBER}[.]jsonl"
)

SEALED_FOLDERS = ("samples", "records", "timing", "evidence")
SEALED_FILES = ("plan.yaml", "manifest.json", "provenance.json", "published.json", "stopping.json")


@dataclass(frozen=True, slots=True)
class RunDir:
    """A run directory.  Nothing is read until it is asked for."""

    root: Path

    @property
    def plan(self) -> Path:
        """The plan as given."""
        return self.root / "plan.yaml"

    @property
    def manifest(self) -> Path:
        """What ran, on what, from what."""
        return self.root / "manifest.json"

    @property
    def provenance(self) -> Path:
        """Machine, packages, git, history."""
        return self.root / "provenance.json"

    @property
    def published(self) -> Path:
        """Numbers without records, of an imported run."""
        return self.root / "published.json"

    @property
    def stopping(self) -> Path:
        """How far a run was asked that may stop early; absent from every other."""
        return self.root / "stopping.json"

    @property
    def seal(self) -> Path:
        """Digests of everything that is sealed."""
        return self.root / "SEAL"

    @property
    def signature(self) -> Path:
        """A signature over the seal, where somebody signed; not sealed itself."""
        return self.root / "SEAL.sig"

    @property
    def derived(self) -> Path:
        """What is computed from the sealed files, and can be computed again."""
        return self.root / "derived"

    @property
    def work(self) -> Path:
        """Private folders of recipes; not sealed, may be deleted."""
        return self.root / "cache"

    @property
    def plan_folder(self) -> Path:
        """Holds where the plan lay: paths in its options start there.

        It stands in ``cache/`` because a run that is sealed, and may be published, holds no path of
        the machine that made it.
        """
        return self.work / "plan-folder"

    def samples(self, task: str, split: str) -> Path:
        """The samples that were asked."""
        return self.root / "samples" / task / f"{split}.jsonl"

    def lent(self, task: str, split: str) -> Path:
        """Samples that the run may not keep, for its workers; gone when it ends."""
        return self.work / "lent" / task / f"{split}.jsonl"

    def journal(self, cell: Cell) -> Path:
        """One line per reply."""
        return self.root / "records" / cell.task / cell.system / f"{cell.seed}-{cell.split}.jsonl"

    def finished(self, cell: Cell) -> Path:
        """Present once the cell is finished; holds its digests and build facts."""
        return self.journal(cell).with_suffix(".cell.json")

    def evidence(self, cell: Cell) -> Path:
        """The cell's evidence pack."""
        name = f"{cell.seed}-{cell.split}.pack"
        return self.root / "evidence" / cell.task / cell.system / name

    def shards(self, cell: Cell) -> Path:
        """What machines of a cluster answered of the cell and its journal does not hold yet."""
        return self.work / "shards" / cell.task / cell.system / f"{cell.seed}-{cell.split}"

    def timing(self, task: str, process: int) -> Path:
        """The serial, exclusive pass of one process over one task."""
        return self.root / "timing" / task / f"{process}.jsonl"

    def begun(self) -> datetime:
        """When the run was begun: its plan is never written again."""
        at = self.plan.stat().st_mtime
        try:
            return datetime.fromtimestamp(at, UTC)
        except (ValueError, OverflowError):  # a disk may hold years that no calendar has
            return datetime(9999 if at > 0 else 1, 1, 1, tzinfo=UTC)

    def sealed_files(self) -> list[Path]:
        """Every file that the seal covers, sorted by path."""
        found = [self.root / name for name in SEALED_FILES if (self.root / name).is_file()]
        for folder in SEALED_FOLDERS:
            found += [p for p in (self.root / folder).rglob("*") if p.is_file()]
        return sorted(found)

    def strange(self) -> list[str]:
        """Every path where readers look for lines, and which no run has: another name, a folder, a pipe."""
        found = {
            path.relative_to(self.root).as_posix(): path.is_file()
            for pattern in LINES
            for path in self.root.glob(pattern)
        }
        return sorted(n for n, is_file in found.items() if not (is_file and _PLACED.fullmatch(n)))

    def require(self) -> RunDir:
        """Return self, or say that this is no run directory."""
        if not self.manifest.is_file():
            # Reports name runs, and commands take folders.
            named = RunDir(USUAL / self.root.name)
            there = self.root == Path(self.root.name) and named.manifest.is_file()
            raise SealError(
                "this is not a run directory: it has no manifest.json",
                where=str(self.root),
                hint=f"the run of this name is {named.root}"
                if there
                else "name a folder that `assay run` made; `assay ls` lists them",
                code="A303",
            )
        return self

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the advisory lock that keeps a second writer out.

        Raises ``RunError`` A501 when another process holds it.  The lock dies with its process,
        so a killed run never has to be unlocked by hand.
        """
        with disk_errors(self.root):
            make_folder(self.root)
        hint = "wait for it to end, or give this run its own folder with --out DIR"
        with one_writer(self.root, what="run", where=self.root, hint=hint):
            yield


def cell_of(root: Path, journal: Path) -> Cell:
    """Return the cell that a journal's path names."""
    task, system, name = journal.relative_to(root / "records").parts
    seed, _, split = name.removesuffix(".jsonl").partition("-")
    return Cell(task=task, system=system, seed=int(seed), split=split)
