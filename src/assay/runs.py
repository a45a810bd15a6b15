"""A sealed run's own parts, for plugins: samples, recipe, files, threshold of a system, and joint resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from .analysis.joint import Joint, jointly
from .analysis.table import Table
from .core.artifact import Artifact
from .core.errors import PlanError
from .core.sample import Sample
from .core.system import Recipe
from .engine.plugins import make_recipe, make_task
from .publish.bundle import Bundle, Origin, digests_of, write_metadata
from .publish.meant import task_meant
from .publish.originals import originals
from .publish.run import Run
from .publish.stopped import require_one_look
from .store.canon import digest_file

__all__ = [
    "Joint",
    "Place",
    "Point",
    "digest_of_file",
    "redrawn",
    "training_samples",
    "write_bundle",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The threshold that a plan chose for a system on calibration records."""

    value: float
    promise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One seed of one system on one task of a run."""

    run: Run
    task: str
    system: str
    seed: int

    @classmethod
    def of(
        cls, run: Run, system: str, *, seed: int | None = None, task: str | None = None
    ) -> Place:
        """Return a place that is there; without a seed the system's first.

        Raises ``PlanError`` A103 for a task or system that is not there, A104 for a seed.
        """
        name = task_meant(run.manifest, task, where=str(run.path))
        if system not in run.manifest.systems:
            raise PlanError(
                f"no system is called {system!r}",
                where=str(run.path),
                hint=f"there are: {', '.join(sorted(run.manifest.systems))}",
                code="A103",
            )
        seeds = run.manifest.systems[system].seeds
        first = seeds[0] if seed is None else seed
        if first not in seeds:
            raise PlanError(
                f"{system} did not run under seed {first}",
                where=str(run.path),
                hint=f"its seeds are: {', '.join(map(str, seeds))}",
                code="A104",
            )
        return cls(run=run, task=name, system=system, seed=first)

    @property
    def original(self) -> str:
        """The system that was asked: another one where this is an operating point of it."""
        return self.run.manifest.systems[self.system].of or self.system

    @property
    def workdir(self) -> Path:
        """The private folder of its recipe; it may be gone, as all of ``cache/``."""
        return self.run.dir.work / "work" / self.task / self.original / str(self.seed)

    @property
    def made(self) -> tuple[Artifact, ...]:
        """The files that building it made, as the run's provenance names them."""
        for cell in self.run.provenance.cells:
            if (cell.task, cell.system, cell.seed) == (self.task, self.original, self.seed):
                return tuple(Artifact(**facts.model_dump()) for facts in cell.made)
        return ()

    @property
    def point(self) -> Point | None:
        """Its threshold; None where the plan asks for none.

        Raises ``PlanError`` A104 where it declines everything, or its thresholds differ by class.
        """
        chosen = self.run.results.cases[self.task].thresholds.get(self.system, {}).get(self.seed)
        if chosen is None:
            return None
        if chosen.value is None:
            what = "its thresholds differ by class" if chosen.rule.by_class else chosen.promise
            raise PlanError(
                f"{self.system} has no threshold under seed {self.seed}: {what}",
                where=str(self.run.path),
                hint="name another system, or another seed",
                code="A104",
            )
        return Point(value=chosen.value, promise=chosen.promise)

    def recipe(self) -> Recipe:
        """Return the recipe that made it, made again from the sealed options."""
        facts = self.run.manifest.systems[self.original]
        where = str(self.run.dir.manifest)
        return make_recipe(facts.use, facts.options, where=where, base=self.run.plan_folder)


def training_samples(place: Place) -> Mapping[str, Sequence[Sample]]:
    """Return the samples of every split of the task, with their content.

    Raises ``DataError`` A200 where the run holds digests only, and the task's data is not there.
    """
    return originals(place.run, place.task)


def redrawn(task: str, among: Mapping[str, tuple[Run, str]], *, resamples: int = 4_000) -> Joint:
    """Return the headline of systems, maybe of several runs, in the same resamples of the same samples.

    ``among`` says by what name each system goes, in which run it is, and how it is called there.  A control
    that was asked more than the systems under test counts on their samples.  Draws depend on the samples
    alone: whoever else is there, and in which order, changes none.

    Raises ``PlanError`` A104 where the systems were asked other samples, under other versions of the task or with
    other headlines, or a run may stop early; A103 for a name that is not there.
    """
    tables: dict[str, Table] = {}
    for name, (run, system) in among.items():
        require_one_look(run, "joint resamples")
        case = run.results.cases[task_meant(run.manifest, task, where=str(run.path))]
        if system not in case.tables:
            raise PlanError(f"no system is called {system!r}", where=str(run.path), code="A103")
        tables[name] = case.tables[system]
    (leader, (first, _)), *others = among.items()
    for name, (run, _) in others:
        _require_same_task(task, (leader, first), (name, run))
    tested = [n for n, (run, s) in among.items() if s not in run.results.cases[task].controls]
    common = _common(task, {name: tables[name] for name in tested or among})
    for name, table in tables.items():
        if not common <= {*table.samples}:
            _refuse(task, f"{name} was not asked all of what the others were asked")
    order = sorted(common)
    said = first.manifest.tasks[task]
    ref = next(ref for ref in first.loaded.plan.tasks if (ref.name or ref.use) == task)
    made = make_task(ref.use, ref.options, where=str(first.dir.plan), base=first.plan_folder)
    known = {sample.id: sample for sample in first.results.samples[task]}
    chances = [made.chance(known[name]) for name in order]
    return jointly(
        first.results.cases[task].headline,
        {name: table.only(order) for name, table in tables.items()},
        chances=np.array([np.nan if c is None else c for c in chances], dtype=np.float64),
        resamples=resamples,
        seed=int(said.splits["test"].digest.rpartition(":")[2][:12], 16),
    )


def _require_same_task(task: str, one: tuple[str, Run], other: tuple[str, Run]) -> None:
    (_, first), (name, run) = one, other
    ours, theirs = first.manifest.tasks[task], run.manifest.tasks[task]
    where = f"in the run of {name}"
    if (ours.use, ours.version) != (theirs.use, theirs.version):
        _refuse(task, f"it is {theirs.use} {theirs.version} {where}, not {ours.use} {ours.version}")
    if ours.headline != theirs.headline:
        _refuse(task, f"its headline is {theirs.headline} {where}, not {ours.headline}")
    if ours.splits["test"].digest != theirs.splits["test"].digest:
        counts = (theirs.splits["test"].samples, ours.splits["test"].samples)
        _refuse(task, f"its samples are others {where} ({counts[0]:,}, not {counts[1]:,})")


def _common(task: str, tables: Mapping[str, Table]) -> set[str]:
    (leader, first), *others = tables.items()
    common = {*first.samples}
    for name, table in others:
        if {*table.samples} != common:
            counts = f"{len(table.samples):,} of its samples, {leader} {len(common):,}"
            _refuse(task, f"{name} was asked {counts}, and not the same")
    return common


def _refuse(task: str, why: str) -> None:
    raise PlanError(
        f"these systems are not compared on {task}: {why}",
        where=f"task {task}",
        hint="ask all of them the same samples of the same version, or look at each alone",
        code="A104",
    )


def digest_of_file(path: Path) -> str:
    """Return ``sha256:<hex>`` of a file, as artifacts and bundles name it.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     digest_of_file(Path(file.name))[:19]
    'sha256:e3b0c44298fc'
    """
    return digest_file(path)


def write_bundle(
    folder: Path, place: Place, *, files: Sequence[str], model: Mapping[str, Any]
) -> Bundle:
    """Write the metadata of a bundle whose other files are there; ``assay report FOLDER`` reads it.

    ``model`` is plain values, of the family's own.  Raises ``RunError`` A500 when the disk says no.
    """
    run, manifest = place.run, place.run.manifest
    task, facts = manifest.tasks[place.task], manifest.systems[place.original]
    bundle = Bundle(
        origin=Origin(
            run=manifest.run,
            plan=manifest.plan,
            seal=digest_file(run.dir.seal),
            manifest=digest_file(run.dir.manifest),
            task=place.task,
            task_use=task.use,
            task_version=task.version,
            system=place.system,
            of=place.original,
            use=facts.use,
            options=dict(facts.options),
            seed=place.seed,
            data={split: one.digest for split, one in task.splits.items()},
            packages=dict(run.provenance.packages),
        ),
        files=digests_of(folder, list(files)),
        model=dict(model),
        packages={name: metadata.version(name) for name in ("assay-eval", "numpy")},
    )
    write_metadata(folder, bundle)
    return bundle
