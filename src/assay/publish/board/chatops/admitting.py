"""Whether an archive of a stranger is the sealed run that was ordered: everything is computed again.

Covered: another plan, other questions, samples, targets, prices or options than the plan's; records that are
missing, twice, or of nobody; files that the source of the model does not have; an edit, resealed or not, that
changes what a number is; a run with overrides, of an imported log, or that stopped early; archives that
unpack to something else.
Not covered: replies that no model gave.  Whoever controls the machine that ran the benchmark can write
them, and everything here agrees with itself.  Ask again with ``assay verify RUN --rerun K``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ....core.artifact import Artifact
from ....core.errors import DataError
from ....core.record import Cell
from ....engine.facts import system_facts, task_facts
from ....engine.plan import LoadedPlan, load_plan
from ....engine.prices import from_prices
from ....engine.resolve import Resolved, resolve
from ....engine.resolved import ResolvedSystem, ResolvedTask
from ....store.canon import digest_file
from ....store.journal import read_lines
from ....store.manifest import ArtifactFacts, Manifest, read_doc
from ....store.rundir import RunDir
from ....store.samples import digested, fingerprint, read_samples
from ....store.seal import journals
from ...derive import data_files
from ...run import Run
from ..archive import unpack

PAST = ("earlier_systems", "earlier_uses")
"""What a manifest says of other runs on the machine that made it: nobody else can know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files that the source of a model has, by digest and by size."""

    digests: frozenset[str]
    sizes: frozenset[int]
    """Of files that the source names no digest of: small ones, in git itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A run that is what was ordered."""

    run: Run = field(repr=False)
    seal: str
    """SHA-256 of its SEAL, 64 hex digits."""

    archive: str
    """SHA-256 of the archive that it came in."""


def admit(archive: Path, plan: bytes, source: Source | None, into: Path) -> Admitted:
    """Unpack an archive into an empty folder, and hold the run in it against the plan as it is made here.

    Raises ``DataError`` A200 that says what is wrong, and what ``unpack`` and ``Run.load`` raise.
    Nothing of the archive is interpreted before its plan is known to be this one, byte for byte.
    """
    there = unpack(archive, into)
    if not there.plan.is_file() or there.plan.read_bytes() != plan:
        raise _not(there, "its plan is not the one that this submission makes here")
    manifest = read_doc(Manifest, there.require().manifest)
    if manifest.overrides or manifest.rescored or manifest.sandbox == "none":
        raise _not(there, "it was run with other rules than the plan's")
    if there.published.exists() or there.stopping.exists():
        raise _not(there, "it holds numbers without records, or stopped early")
    loaded = load_plan(there.plan)
    resolved = resolve(loaded, files=_claimed(manifest))
    _require_manifest(there, manifest, resolved)
    _require_files(there, manifest, source)
    _require_samples(there, resolved)
    _require_records(there, resolved)
    run = Run.load(there.root, keep=False)  # every digest of the seal, and of what was decided
    data_files(run.results)  # an archive brings no numbers: here they are computed, all of them
    return Admitted(
        run=run,
        seal=digest_file(there.seal).removeprefix("sha256:"),
        archive=digest_file(archive).removeprefix("sha256:"),
    )


def plan_in(folder: Path, plan: bytes) -> LoadedPlan:
    """Write a plan into a folder, and load it from there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "plan.yaml"
    path.write_bytes(plan)
    return load_plan(path)


def _claimed(manifest: Manifest) -> dict[str, tuple[Artifact, ...]]:
    return {
        name: tuple(Artifact(**file.model_dump()) for file in facts.files)
        for name, facts in manifest.systems.items()
    }


def _require_manifest(there: RunDir, manifest: Manifest, resolved: Resolved) -> None:
    """Require that the manifest says what the plan comes to here, given the files that it names."""
    plan = resolved.loaded.plan
    here = Manifest(
        run=manifest.run,
        name=plan.name,
        says=plan.says,
        plan=resolved.digest,
        seeds=tuple(plan.seeds),
        rng=resolved.rng,
        tasks={name: task_facts(task) for name, task in resolved.tasks.items()},
        systems={name: system_facts(system) for name, system in resolved.systems.items()},
        prices=from_prices(resolved.prices),
        packages=manifest.packages,
        sandbox=manifest.sandbox,
        **{name: getattr(manifest, name) for name in PAST},
    )
    ours, theirs = here.model_dump(mode="json"), manifest.model_dump(mode="json")
    if odd := [key for key in ours if ours[key] != theirs[key]]:
        raise _not(there, f"its manifest says something else of {', '.join(odd)} than its plan")


def _require_files(there: RunDir, manifest: Manifest, source: Source | None) -> None:
    """Require that what the systems under test loaded stands in the source, or was made of what does."""
    if source is None:
        return
    for name, facts in manifest.systems.items():
        known: set[str] = set()
        for file in facts.files:
            if not (_has(source, file) or (file.parents and known.issuperset(file.parents))):
                raise _not(there, f"{name} loaded a file that the model's source does not have")
            known.add(file.digest)
        if facts.files and not any(file.digest in source.digests for file in facts.files):
            raise _not(there, f"{name} loaded none of the files that the model's source names")


def _has(source: Source, file: ArtifactFacts) -> bool:
    return file.digest in source.digests or file.size in source.sizes


def _require_samples(there: RunDir, resolved: Resolved) -> None:
    """Require the task's own questions and right answers in the place of those of the archive."""
    wanted = {
        there.samples(name, split): samples if task.task.redistributable else map(digested, samples)
        for name, task in resolved.tasks.items()
        for split, samples in task.splits.items()
    }
    found = {path for path in (there.root / "samples").rglob("*") if path.is_file()}
    if found != set(wanted):
        raise _not(there, "it holds samples of other tasks or splits than its plan's")
    for path, samples in wanted.items():
        if fingerprint(read_samples(path)) != fingerprint(samples):
            raise _not(there, f"{path.relative_to(there.root)} are not the samples of the task")


def _require_records(there: RunDir, resolved: Resolved) -> None:
    """Require one record for every question of every cell, and no other."""
    wanted = {there.journal(cell): asked for cell, asked in _cells(resolved)}
    if set(journals(there)) != set(wanted):
        raise _not(there, "it holds records of other systems, seeds or splits than its plan's")
    for path, asked in wanted.items():
        found: dict[tuple[str, int], str] = {}
        answers: Counter[tuple[str, int]] = Counter()
        for line in read_lines(path):
            key = line.decided.sample, line.decided.attempt
            answers[key] += not line.crashed
            found[key] = line.decided.group
        if found != asked or any(n > 1 for n in answers.values()):
            raise _not(there, f"{path.relative_to(there.root)} does not answer each question once")


def _cells(resolved: Resolved) -> Iterator[tuple[Cell, dict[tuple[str, int], str]]]:
    """Yield every cell with what it is asked: sample and attempt, to the group of the sample."""
    for name, task in resolved.tasks.items():
        for system in resolved.systems.values():
            for seed in system.seeds:
                for split in system.splits:
                    at = Cell(task=name, system=system.name, seed=seed, split=split)
                    yield at, _asked(task, system, split)


def _asked(task: ResolvedTask, system: ResolvedSystem, split: str) -> dict[tuple[str, int], str]:
    attempts = task.attempts(system.recipe) if split == "test" else 1
    samples = task.asked(split, system.limit_of(split))
    return {(s.id, attempt): s.cluster for s in samples for attempt in range(attempts)}


def _not(there: RunDir, why: str) -> DataError:
    return DataError(
        f"this is not the run that was ordered: {why}",
        where=there.root.name,
        hint="say /test-benchmark again; look at the workflow run if it happens twice",
    )
