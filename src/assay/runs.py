"""A sealed run's own parts, for plugins that take a system out of it: samples, recipe, files, threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from .core.artifact import Artifact
from .core.errors import PlanError
from .core.sample import Sample
from .core.system import Recipe
from .engine.plugins import make_recipe
from .publish.bundle import Bundle, Origin, digests_of, write_metadata
from .publish.meant import task_meant
from .publish.originals import originals
from .publish.run import Run
from .store.canon import digest_file

__all__ = ["Place", "Point", "digest_of_file", "training_samples", "write_bundle"]


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
