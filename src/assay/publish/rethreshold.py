"""Another rule for a system's threshold than the plan's, on the records that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.offered import outcome_metrics, require_calibration
from ..analysis.rules import Rule
from ..analysis.table import Table, make_table
from ..analysis.thresholds import Calibration, Chosen, choose, withhold
from ..core.errors import PlanError
from ..core.metric import Estimate
from ..core.record import Cell
from ..core.reply import Bottom
from ..store.columns import CellColumns, answers_of
from ..store.journal import read_lines
from ..store.kept import columns_of
from ..store.samples import read_samples

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Rethresholded:
    """A system as it would have been under a rule."""

    system: str
    rule: Rule
    chosen: Mapping[int, Chosen]
    """By seed; chosen on calibration records alone."""

    estimates: Mapping[str, Estimate]
    """Every metric of outcomes, on test."""

    @property
    def promise(self) -> str:
        """What may be said of it."""
        return next(iter(self.chosen.values())).promise


def rethreshold(run: Run, system: str, rule: Rule, *, task: str) -> Rethresholded:
    """Choose a system's thresholds again by another rule, and withhold accordingly.

    Raises ``PlanError`` A103 for an unknown system, A104 for one that was not asked calibration, or
    not tune: a member of a cascade is asked calibration alone.
    """
    case = run.results.cases[task]
    require_calibration(case, system)
    _require_tune(run, task, system)
    tune, held, seen = (_table(run, task, system, s) for s in ("tune", "calibration", "test"))
    chosen = choose(Calibration(tune, held), rule=rule, rng=case.rng)
    above = withhold(replace(case.raw[system], answers=seen.answers), chosen)
    here = replace(case, tables={**case.tables, system: above})
    estimates = {name: here.estimate(system, name) for name in outcome_metrics(case)}
    return Rethresholded(system=system, rule=rule, chosen=chosen, estimates=estimates)


def _require_tune(run: Run, task: str, system: str) -> None:
    first = Cell(
        task=task, system=system, seed=min(run.manifest.systems[system].seeds), split="tune"
    )
    if not run.dir.journal(first).is_file():
        raise PlanError(
            f"{system} was asked no tune question, and the thresholds to try are fixed on these",
            hint="give it `abstain` in the plan, and run again",
            code="A104",
        )


def _table(run: Run, task: str, system: str, split: str) -> Table:
    """Return the records of one split, with what was answered."""
    cells: dict[int, CellColumns] = {}
    said = []
    for seed in sorted(run.manifest.systems[system].seeds):
        path = run.dir.journal(Cell(task=task, system=system, seed=seed, split=split))
        cells[seed] = columns_of(run.dir, path, None)
        said.append(answers_of(list(read_lines(path))))
    samples = read_samples(run.dir.samples(task, split))
    bottoms = {sample.id: isinstance(sample.target, Bottom) for sample in samples}
    tags = {sample.id: sample.tags for sample in samples}
    made = make_table(system, cells, bottoms, split=split, tags=tags)
    return replace(made, answers=np.stack(said))
