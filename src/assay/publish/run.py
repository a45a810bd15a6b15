"""A sealed run, loaded: records, estimates, fronts, verification."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..analysis.cascade import Sweep
from ..analysis.case import Case
from ..analysis.fronts import draw_front
from ..analysis.noise import NoiseFloor, noise_floor
from ..analysis.offered import Offers, offer
from ..analysis.prices import PriceTable
from ..analysis.rules import ByUtility, MaxRisk
from ..core.front import Front
from ..core.metric import Estimate
from ..core.policy import Person
from ..core.record import Cell, Record
from ..core.sample import Sample
from ..engine.claims import claims_of
from ..engine.plan import LoadedPlan
from ..engine.plugins import make_task
from ..engine.prices import load_prices, require_known, to_prices
from ..engine.resolved import metrics_of
from ..stats.tuned import Payoff
from ..store.manifest import Manifest, Provenance, read_doc
from ..store.rundir import RunDir
from ..store.seal import Fault, faults, require_intact
from .asked import Asked, answer, require_system
from .cases import cases_of
from .decisions import decision_sentence
from .derive import decision_facts, stale_files
from .flips import Flips, flips_again, flips_of
from .frame import cell_records, frame_of
from .glimpse import glimpse, line_of
from .meant import task_meant
from .opened import opened
from .results import Results, compute, sweep_case
from .rethreshold import Rethresholded, rethreshold
from .stopped import require_one_look


@dataclass(frozen=True)
class Run:
    """A sealed run directory.  Loading checks the seal: nothing is computed from a changed run."""

    dir: RunDir
    manifest: Manifest
    provenance: Provenance
    loaded: LoadedPlan
    keep: bool = True
    """Whether large journals are decoded once and kept under ``cache/``, or read every time."""

    @classmethod
    def load(cls, path: Path | str, *, keep: bool = True) -> Run:
        """Load a sealed run; without ``keep`` every number comes from the journals themselves.

        Raises ``SealError``: A303 no run directory, A301 not sealed, A300 changed, A302 of another
        schema version.

        >>> Run.load("/nowhere")
        Traceback (most recent call last):
        assay.core.errors.SealError: A303 this is not a run directory: it has no manifest.json
          at: /nowhere
          try: name a folder that `assay run` made; `assay ls` lists them
        """
        where = RunDir(Path(path)).require()
        read_doc(Manifest, where.manifest)  # another schema version says more than what differs
        require_intact(where, keep=keep)
        return cls.intact(where, keep=keep)

    @classmethod
    def intact(cls, where: RunDir, *, keep: bool = False) -> Run:
        """Return a run whose seal was found to fit a moment ago."""
        manifest, loaded = opened(where)
        return cls(
            dir=where,
            manifest=manifest,
            provenance=read_doc(Provenance, where.provenance),
            loaded=loaded,
            keep=keep,
        )

    def __repr__(self) -> str:
        return line_of(self)

    def _repr_html_(self) -> str:
        """Return the run at a glance, as notebooks show it."""
        return glimpse(self)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.dir.root

    @property
    def plan_folder(self) -> Path:
        """Where the plan lay when it ran; the run itself, when its ``cache/`` is gone."""
        noted = self.dir.plan_folder
        return Path(os.fsdecode(noted.read_bytes())) if noted.is_file() else self.path.resolve()

    @cached_property
    def results(self) -> Results:
        """Everything that the records say, at the run's own prices."""
        return self.results_at(None)

    def results_at(self, prices: str | None) -> Results:
        """Return the results at another price table: a name or a YAML file."""
        cases = self._cases_at(prices) if prices else self.cases
        claims = claims_of(self.loaded)
        return compute(self.dir, self.manifest, self.loaded, cases, claims, self._prices(prices))

    @cached_property
    def cases(self) -> Mapping[str, Case]:
        """What the records say of each task, as shipped, before anything is claimed of them."""
        return self._cases_at(None)

    def _cases_at(self, prices: str | None) -> Mapping[str, Case]:
        metrics = {
            ref.name or ref.use: metrics_of(
                make_task(ref.use, ref.options, where=str(self.dir.plan), base=self.plan_folder),
                ref,
            )
            for ref in self.loaded.plan.tasks
        }
        table = self._prices(prices)
        return cases_of(self.dir, self.manifest, self.loaded, metrics, table, keep=self.keep)

    def _prices(self, prices: str | None) -> PriceTable:
        table = load_prices(prices) if prices else to_prices(self.manifest.prices)
        require_known(table, self.manifest.systems, where=prices or str(self.path))
        return table

    @cached_property
    def records(self) -> Mapping[str, NDArray[Any]]:
        """Every record as equally long columns; give it to ``pandas.DataFrame``, or to polars with ``nan_to_null``.

        Columns: task, system, seed, split, sample, attempt, group, outcome, confidence, busy_s, latency_s.
        """
        return frame_of(self.dir, keep=self.keep)

    def read(
        self, system: str, *, task: str | None = None, split: str = "test", seed: int | None = None
    ) -> Iterator[tuple[Sample, Record]]:
        """Yield every sample of a cell with its record, in the order of the journal.

        Without a seed, the system's first.  Raises ``PlanError`` A103 for a name that is not there,
        A104 for a split or a seed that the system was not asked.
        """
        require_system(system, self.manifest.systems, where=str(self.path))
        first = self.manifest.systems[system].seeds[0] if seed is None else seed
        yield from cell_records(
            self.dir, Cell(task=self._task(task), system=system, seed=first, split=split)
        )

    def at_thresholds(
        self,
        system: str,
        thresholds: Sequence[float],
        *,
        max_risk: float | None = None,
        task: str | None = None,
    ) -> Offers:
        """Return every metric above each of these thresholds; calibration records pick one.

        With ``max_risk`` the pick carries a guarantee; without, it is the one with the most right
        answers less wrong ones.  Raises ``DataError`` A202 for thresholds outside [0, 1];
        ``PlanError`` A103 for an unknown name, A104 where calibration was not asked.
        """
        require_one_look(self, "thresholds")
        rule = (
            ByUtility(payoff=Payoff(right=1.0, wrong=-1.0, declined=0.0))
            if max_risk is None
            else MaxRisk(max_risk=max_risk)
        )
        return offer(self.cases[self._task(task)], system, thresholds, rule=rule)

    def rethreshold(
        self, system: str, *, max_risk: float, per: str = "all", task: str | None = None
    ) -> Rethresholded:
        """Choose a system's thresholds again, for another risk: global, or ``per`` "class".

        Raises ``PlanError`` A103 for an unknown name, A104 where calibration was not asked.
        """
        require_one_look(self, "thresholds")
        rule = MaxRisk(max_risk=max_risk, by_class=per == "class")
        return rethreshold(self, system, rule, task=self._task(task))

    def verify(self) -> list[Fault]:
        """Return everything that is not as it was sealed, or is not what the records compute to."""
        return faults(self.dir) or stale_files(replace(self, keep=False))

    def estimate(
        self,
        metric: str,
        system: str,
        *,
        task: str | None = None,
        against: str | None = None,
        over: str | Sequence[str] = ("samples",),
        tag: str | None = None,
        confidence: float = 0.95,
    ) -> Estimate:
        """Estimate a metric of a system, with an interval over what ``over`` names.

        With ``against`` how far it is ahead of that system, paired by sample: the difference, or of
        dollars and seconds the ratio.  With ``tag`` on the samples that have it.  Raises ``PlanError``
        A103 for an unknown name or tag, A104 for a system against itself.
        """
        asked = Asked(
            metric=metric, system=system, against=against, over=over, tag=tag, confidence=confidence
        )
        return answer(asked, self.cases[self._task(task)], where=str(self.path))

    def front(
        self, objectives: Sequence[str], *, task: str | None = None, prices: str | None = None
    ) -> Front:
        """Draw a front on any objectives, at the run's own or other prices (a name or a file)."""
        require_one_look(self, "fronts")
        cases = self._cases_at(prices) if prices else self.cases
        return draw_front(cases[self._task(task)], objectives)

    @property
    def decision(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what to ship, by task: the sentence as ``says``, and the facts it is made of."""
        facts = decision_facts(self.results)
        return {
            task: {**facts[task], "says": decision_sentence(found)}
            for task, found in self.results.decisions.items()
        }

    def cascades(
        self,
        order: Sequence[str] | None = None,
        *,
        person: Person | None = None,
        margin: float | None = None,
        task: str | None = None,
        prices: str | None = None,
    ) -> tuple[Sweep, ...]:
        """Return what asking systems in turn would have been worth: the plan's, or this order's.

        Raises ``PlanError`` A103 for an unknown name, A104 where the records cannot serve.
        """
        results = self.results_at(prices) if prices else self.results
        if order is not None:
            require_one_look(self, "cascades")
            case = results.cases[self._task(task)]
            within = self.loaded.plan.ship.margin if margin is None else margin
            return (sweep_case(case, order, person=person, margin=within),)
        wanted = None if task is None else self._task(task)
        return tuple(s for s in results.sweeps if wanted in (None, s.task))

    def noise(
        self,
        metric: str | None = None,
        *,
        trials: int = 300,
        margin: float = 0.01,
        task: str | None = None,
    ) -> NoiseFloor:
        """Measure how often the paired comparison errs on these records, and what it can see.

        Raises ``PlanError`` A103 for an unknown name, A104 for a metric that is no share.
        """
        require_one_look(self, "the noise of the paired comparison")
        case = self.cases[self._task(task)]
        return noise_floor(
            case.task,
            case.headline if metric is None else case.metric(metric),
            {system: case.tables[system] for system in case.rivals},
            margin=margin,
            trials=trials,
            rng=case.rng,
        )

    def flips(self, *, task: str | None = None, rerun: int = 0) -> list[Flips]:
        """Count how often systems decided otherwise when asked again; with ``rerun``, ask now."""
        require_one_look(self, "how often systems decide otherwise")
        name = self._task(task)
        again = [f for f in flips_again(self, rerun) if f.task == name] if rerun else []
        return [*flips_of(self, name), *again]

    def _task(self, name: str | None) -> str:
        return task_meant(self.manifest, name, where=str(self.path))


def front(
    run: Run, objectives: Sequence[str], *, task: str | None = None, prices: str | None = None
) -> Front:
    """Return which systems of a run nothing else is shown to beat."""
    return run.front(objectives, task=task, prices=prices)
