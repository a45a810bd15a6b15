"""The rows of a log, judged and written as the samples and journals of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from ...core.errors import DataError
from ...core.record import Cell, Record
from ...core.reply import Answer, Bottom, Reply
from ...core.sample import SPLITS, Sample
from ...core.verdict import Check, Outcome, Verdict, judge, needs_check
from ...engine.foreign import Log, Row
from ...engine.reported import KNOWN
from ...engine.sound import sound, unsound
from ...store.canon import digest, digest_file, disk_errors
from ...store.columns import CODE
from ...store.journal import Writer
from ...store.kept import know
from ...store.manifest import CellFacts, SplitFacts, write_doc
from ...store.rundir import RunDir
from ...store.samples import each_sample, plain_line
from .names import Names, score_name

PILE = 20_000
"""Records in memory at a time; then each journal gets its share."""

SILENT = "silent"
NOT_SAID = Answer(None)
"""The target of a sample that has an answer, which the log does not give."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """What is known of one task once every row is read."""

    ids: dict[str, int] = field(default_factory=dict)
    """Sample to the checksum of its line."""

    groups: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    scores: dict[str, None] = field(default_factory=dict)
    """Names of scores, in order of appearance."""

    spent: set[str] = field(default_factory=set)
    pending: list[bytes] = field(default_factory=list)


USAGE = ("billed_usd", "latency_s", "tokens_in", "tokens_out")


@dataclass(slots=True, kw_only=True)
class Spool:
    """Writes rows as they come, in bounded memory."""

    run: RunDir
    log: Log
    tasks: Collection[str] = ()
    systems: Collection[str] = ()
    """Take only these; empty: all."""

    asked: dict[str, Asked] = field(default_factory=dict)
    seen: dict[Cell, set[str]] = field(default_factory=dict)
    task_names: Names = field(default_factory=lambda: Names("task"))
    system_names: Names = field(default_factory=lambda: Names("system"))
    score_names: dict[str, str] = field(default_factory=dict)
    """Scores that bear the name of a metric of ours, and what they are called instead."""

    cells: dict[Cell, Cell] = field(default_factory=dict)
    """A cell of the log to the cell of the run: names become names of files."""

    pile: dict[Cell, list[Record]] = field(default_factory=dict)
    size: int = 0

    def fill(self) -> None:
        """Read every row.  Raises ``DataError`` A200 with the place of the row that is wrong."""
        for row in self.log.rows():
            if self._is_wanted(row[0]):
                self._take(row)
        for task, asked in self.asked.items():
            self._keep_silent(task, asked)
        self._flush()
        self._check_grid()

    def _is_wanted(self, cell: Cell) -> bool:
        """Whether the task and the system are among those asked for, by either name."""
        for text, names, wanted in (
            (cell.task, self.task_names, self.tasks),
            (cell.system, self.system_names, self.systems),
        ):
            if wanted and text not in wanted and names.of(text, self.log.where) not in wanted:
                return False
        return True

    def _take(self, row: Row) -> None:
        cell, sample, reply, check = row
        where = self.log.where
        named = self.cells.get(cell) or self._name(cell, where)
        if named.system == SILENT:
            raise DataError(
                "'silent' is the name of a control, which stands beside every run",
                where=where,
                hint="rename the system in the log",
            )
        seen = self.seen.setdefault(named, set())
        asked = self.asked.setdefault(named.task, Asked())
        self._sample(named, asked, sample, where)
        if sample.id in seen:
            raise DataError(
                f"the sample {sample.id!r} stands twice for {cell.system} on {cell.task}, "
                f"seed {cell.seed}",
                where=where,
                hint="keep one; give repeats seeds of their own",
            )
        seen.add(sample.id)
        said = sound(reply)
        verdict = self._judge(sample, said, check, where)
        asked.outcomes[verdict.outcome] += 1
        for name in verdict.scores:
            if name not in asked.scores and unsound(name):
                hint = "give it another name in the log"
                raise DataError("the name of a score is no text", where=where, hint=hint)
            asked.scores.setdefault(name)
        for name in USAGE:
            if name not in asked.spent and getattr(said.usage, name) is not None:
                asked.spent.add(name)
        self._add(named, sample, said, verdict)

    def _sample(self, cell: Cell, asked: Asked, sample: Sample, where: str) -> None:
        """Keep a sample, or see that it is the one that was kept."""
        if not isinstance(sample.id, str) or not sample.id:
            raise DataError("a sample has no id", where=where, hint="give it one")
        known = asked.ids.get(sample.id)
        bare = sample.input is None and not sample.tags and sample.target in (None, NOT_SAID)
        line = b"" if bare and known is not None else self._line(sample, where)
        # Of a bare sample nothing else can differ, and rows may be many.
        mark = hash((sample.group, sample.target is None)) if bare else hash(line)
        if known is None:
            asked.ids[sample.id] = mark
            asked.groups.add(sample.cluster)
            asked.pending.append(line + b"\n")
        elif known != mark:
            raise DataError(
                f"the sample {sample.id!r} of {cell.task} has another input, target or group here "
                "than before",
                where=where,
                hint="samples are paired by id: give different questions different ids",
            )

    def _line(self, sample: Sample, where: str) -> bytes:
        try:
            return plain_line(sample)
        except DataError as error:
            raise DataError(error.what, where=where, hint=error.hint) from None

    def _name(self, cell: Cell, where: str) -> Cell:
        named = Cell(
            task=self.task_names.of(cell.task, where),
            system=self.system_names.of(cell.system, where),
            seed=cell.seed,
            split="test",
        )
        self.cells[cell] = named
        return named

    def _judge(self, sample: Sample, reply: Reply, check: Check | None, where: str) -> Verdict:
        if check is None and needs_check(sample.target, reply.said):
            raise DataError(
                "an answer that nothing is said of: neither right nor wrong, nor scored",
                where=where,
                hint="the reader of this format must yield a Check with every answer",
            )
        if check is not None and not all(map(isfinite, check.scores.values())):
            hint = "leave out what was not scored"
            raise DataError("a score is no finite number", where=where, hint=hint)
        if check is not None and not check.scores.keys().isdisjoint(KNOWN):
            check = replace(check, scores=self._apart(check.scores, where))
        return judge(sample.target, reply.said, check)

    def _apart(self, scores: Mapping[str, float], where: str) -> dict[str, float]:
        """Return scores under names of their own: `accuracy` is what assay counts itself."""
        found: dict[str, float] = {}
        for name, value in scores.items():
            made = score_name(name)
            if made in found or (made != name and made in scores):
                hint = "rename one of them in the log"
                raise DataError(f"two scores would be called {made!r}", where=where, hint=hint)
            self.score_names[name], found[made] = made, value
        return found

    def _add(self, cell: Cell, sample: Sample, reply: Reply, verdict: Verdict) -> None:
        record = Record(
            cell=cell,
            sample=sample.id,
            group=sample.cluster,
            said=reply.said,
            verdict=verdict,
            usage=reply.usage,
        )
        self.pile.setdefault(cell, []).append(record)
        self.size += 1
        if self.size >= PILE:
            self._flush()

    def _flush(self) -> None:
        for cell, records in self.pile.items():
            with Writer(self.run.journal(cell), self.run.evidence(cell)) as writer:
                writer.write(records, {})
        self.pile, self.size = {}, 0
        for task, asked in self.asked.items():
            path = self.run.samples(task, "test")
            with disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab") as file:
                    file.writelines(asked.pending)
            asked.pending.clear()

    def _keep_silent(self, task: str, asked: Asked) -> None:
        """Add the control that declines everything: what it says needs nobody to be asked."""
        self._flush()
        seed = min(cell.seed for cell in self.seen if cell.system != SILENT)
        cell = Cell(task=task, system=SILENT, seed=seed, split="test")
        self.seen[cell] = set(asked.ids)
        said = Bottom("silent")
        for sample in each_sample(self.run.samples(task, "test")):
            self._add(cell, sample, Reply(sample.id, said), judge(sample.target, said))

    def _check_grid(self) -> None:
        """Every system must stand on every task, with the same samples under each of its seeds."""
        systems = {cell.system: None for cell in self.seen}
        for system in systems:
            for task in self.asked:
                cells = [c for c in self.seen if (c.task, c.system) == (task, system)]
                if not cells:
                    raise DataError(
                        f"the log holds no record of {system} on {task}",
                        where=str(self.log.files[0]) if self.log.files else "",
                        hint=f"take a part that is whole: --task {task}, or --system NAME",
                    )
                for cell in cells[1:]:
                    if self.seen[cell] != self.seen[cells[0]]:
                        raise DataError(
                            f"{system} was asked other samples of {task} under seed {cell.seed} "
                            f"than under seed {cells[0].seed}",
                            where=str(self.log.files[0]) if self.log.files else "",
                            hint="a seed repeats all questions; give other questions other tasks",
                        )

    def missing(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield task, system, how many of its samples the system lacks, and how many there are."""
        for cell, ids in self.seen.items():
            everything = len(self.asked[cell.task].ids)
            if len(ids) < everything:
                yield cell.task, cell.system, everything - len(ids), everything

    def renamed(self) -> Iterator[tuple[str, str]]:
        """Yield what the log calls things, and what they are called here instead."""
        for known in (self.task_names.known, self.system_names.known, self.score_names):
            yield from ((text, made) for text, made in known.items() if text != made)

    def splits(self, task: str) -> dict[str, SplitFacts]:
        """Return the facts of a task's splits; only test has samples."""
        found = {}
        for split in SPLITS:
            path = self.run.samples(task, split)
            if not path.exists():
                with disk_errors(path):
                    path.write_bytes(b"")
            # The fingerprint does not depend on the order of the lines.
            lines = sorted(path.read_bytes().splitlines(keepends=True))
            groups = len(self.asked[task].groups) if lines else 0
            found[split] = SplitFacts(
                samples=len(lines), groups=groups, digest=digest(b"".join(lines))
            )
        return found

    def finish(self) -> Sequence[CellFacts]:
        """Write the document of every cell, and return them by path."""
        made = {}
        for cell in self.seen:
            journal = self.run.journal(cell)
            # Decoded once: what is known of it is kept for the report.
            found = know(self.run, journal, digest_file(journal))
            facts = CellFacts(
                task=cell.task,
                system=cell.system,
                seed=cell.seed,
                split=cell.split,
                n=len(found.columns.samples),
                crashes=int((found.columns.outcome == CODE[Outcome.CRASHED]).sum()),
                decisions=found.decisions.digest,
            )
            write_doc(self.run.finished(cell), facts)
            made[str(self.run.finished(cell))] = facts
        return [made[path] for path in sorted(made)]
