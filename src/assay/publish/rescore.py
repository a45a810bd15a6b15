"""Verify the answers of a run again: no system is asked.

Covered: a verifier that was wrong, was changed, or could not be reached when the run was made.
Not covered: what systems would say today, and samples that have changed since: the run's own are used,
and where it keeps digests only, they must still be those of the task.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from ..core.errors import DataError, PlanError, RunError
from ..core.record import Cell, Record
from ..core.reply import Reply
from ..core.sample import Sample
from ..core.task import Task
from ..core.verdict import Outcome, Verdict, needs_check
from ..engine.judging import evidence, judge_all
from ..engine.plugins import make_task
from ..engine.resolved import ResolvedTask
from ..store.canon import digest_file
from ..store.evidence import read_evidence
from ..store.journal import Writer, decision_digest, repair
from ..store.line import Line, to_record
from ..store.manifest import write_doc
from ..store.rundir import RunDir, cell_of
from ..store.samples import fingerprint, read_samples
from ..store.seal import journals, seal
from .derive import derive
from .run import Run

CHUNK = 256
"""Answers that a verifier is given at once."""

BEFORE = "as first verified"
"""What the earlier evidence is called in the new pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An answer that came to something else."""

    cell: Cell
    sample: str
    attempt: int
    before: Outcome
    after: Outcome


@dataclass(slots=True, kw_only=True)
class Rescored:
    """What verifying again found."""

    verified: int = 0
    changed: list[Changed] = field(default_factory=list)
    run: Run | None = None
    """The new run, where one was asked for."""


def rescore(run: Run, *, out: Path | None = None) -> Rescored:
    """Verify every answer of a run again, with the task's verifier as it is installed now.

    With ``out`` a new run is made there: the same answers and times, the new verdicts, sealed.  The run
    itself stays as it is.

    Raises ``RunError`` A500 where ``out`` exists, ``DataError`` A203 where samples that the run keeps as
    digests are no longer those of the task; what ``make_task`` raises.
    """
    if out is not None and out.exists():
        raise RunError(f"{out} exists", hint="name a folder that does not exist yet", code="A500")
    tasks = {
        name: ResolvedTask(
            name,
            ref,
            make_task(ref.use, ref.options, where=str(run.path), base=run.plan_folder),
            run.manifest.rng,
        )
        for ref in run.loaded.plan.tasks
        for name in (ref.name or ref.use,)
    }
    known: dict[tuple[str, str], dict[str, Sample]] = {}
    found = Rescored()
    new = None if out is None else _begun(run, out)
    cells = {}
    for path in journals(run.dir):
        cell = cell_of(run.path, path)
        task, at = tasks[cell.task], (cell.task, cell.split)
        if at not in known:  # every system and seed was asked the same
            known[at] = {sample.id: sample for sample in _samples(run, task, cell.split)}
        lines = repair(path).lines
        keeps = run.manifest.tasks[cell.task].redistributable
        for pile in _piles(lines):
            records = _verified(task.task, cell, known[at], pile, found)
            if new is not None:
                _write(run, new, records, pile, keeps=keeps)
        if new is not None:
            cells[str(path.relative_to(run.path))] = repair(new.journal(cell)).lines
    if new is not None:
        found.run = _sealed(run, new, cells)
    return found


def _piles(lines: Sequence[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while pile := list(islice(rest, CHUNK)):
        yield pile


def _samples(run: Run, task: ResolvedTask, split: str) -> Iterable[Sample]:
    facts = run.manifest.tasks[task.name]
    if facts.redistributable:
        return read_samples(run.dir.samples(task.name, split))
    samples = task.splits[split]
    if fingerprint(samples) != facts.splits[split].digest:
        raise DataError(
            f"the {split} samples of {task.name} are no longer those that were asked",
            where=str(run.path),
            hint="the run keeps digests of them only; rescore where the same data are at hand",
            code="A203",
        )
    return samples


def _verified(
    task: Task, cell: Cell, samples: Mapping[str, Sample], lines: Sequence[Line], found: Rescored
) -> list[tuple[Record, Verdict | None]]:
    """Return each record of some lines, with its new verdict where an answer was verified."""
    records = [to_record(line, cell) for line in lines]
    asked = [
        (samples[r.sample], Reply(r.sample, r.said, r.usage, r.attempt, r.earlier)) for r in records
    ]
    made: list[tuple[Record, Verdict | None]] = []
    verdicts = judge_all(task.verifier, asked)
    for record, (sample, reply), verdict in zip(records, asked, verdicts, strict=True):
        if not needs_check(sample.target, reply.said):
            made.append((record, None))
            continue
        found.verified += 1
        if verdict.outcome is not record.verdict.outcome:
            found.changed.append(
                Changed(
                    cell=cell,
                    sample=record.sample,
                    attempt=record.attempt,
                    before=record.verdict.outcome,
                    after=verdict.outcome,
                )
            )
        made.append((replace(record, verdict=verdict), verdict))
    return made


def _write(
    run: Run,
    new: RunDir,
    records: Sequence[tuple[Record, Verdict | None]],
    lines: Sequence[Line],
    *,
    keeps: bool,
) -> None:
    cell = records[0][0].cell
    details = {}
    for (record, verdict), line in zip(records, lines, strict=True):
        before = b""
        if keeps and line.usage.at is not None:
            before = read_evidence(run.dir.evidence(cell), line.usage.at)
        kept = before
        if verdict is not None:
            reply = Reply(record.sample, record.said)
            if before:
                reply = replace(reply, evidence={BEFORE: before.decode("utf-8", "replace")})
            kept = evidence(reply, verdict) if keeps else b""
        if kept:
            details[record.sample, record.attempt] = kept
    with Writer(new.journal(cell), new.evidence(cell)) as writer:
        writer.write([record for record, _ in records], details)


def _begun(run: Run, out: Path) -> RunDir:
    """Lay out the new run: everything but records and evidence."""
    new = RunDir(out)
    out.mkdir(parents=True)
    for name in ("plan.yaml", "published.json", "stopping.json"):
        if (run.path / name).is_file():
            shutil.copyfile(run.path / name, out / name)
    for name in ("samples", "timing"):
        if (run.path / name).is_dir():
            shutil.copytree(run.path / name, out / name)
    noted = run.dir.plan_folder
    if noted.is_file():
        new.plan_folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(noted, new.plan_folder)
    seal_digest = digest_file(run.dir.seal)
    write_doc(
        new.manifest, run.manifest.model_copy(update={"run": out.name, "rescored": seal_digest})
    )
    return new


def _sealed(run: Run, new: RunDir, cells: dict[str, tuple[Line, ...]]) -> Run:
    digests = {name: decision_digest(lines) for name, lines in cells.items()}
    crashes = {name: sum(line.crashed for line in lines) for name, lines in cells.items()}
    facts = []
    for cell in run.provenance.cells:
        at = Cell(task=cell.task, system=cell.system, seed=cell.seed, split=cell.split)
        name = str(run.dir.journal(at).relative_to(run.path))
        facts.append(cell.model_copy(update={"decisions": digests[name], "crashes": crashes[name]}))
        write_doc(new.finished(at), facts[-1])
    write_doc(new.provenance, run.provenance.model_copy(update={"cells": tuple(facts)}))
    incomplete = tuple(str(cell_of(run.path, run.path / n)) for n, many in crashes.items() if many)
    seal(new, decisions=digests, incomplete=incomplete)
    finished = Run.load(new.root)
    derive(finished, new.derived)
    return finished


def require_known_tasks(run: Run) -> None:
    """Raise ``PlanError`` A104 for a run of another tool's log: it has no verifier."""
    for name, facts in run.manifest.tasks.items():
        if facts.use == "reported.samples":
            raise PlanError(
                f"{name} was imported: its outcomes are the other tool's, and nothing verifies them",
                where=str(run.path),
                hint="rescore a run that `assay run` made",
                code="A104",
            )
