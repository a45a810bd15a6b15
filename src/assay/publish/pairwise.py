"""Every pair of a run's systems on one metric, with Holm over the pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from ..core.errors import PlanError
from ..core.metric import Contrast, Estimate, Over
from ..stats.inference import Census, Inference
from ..stats.multiple import holm
from .meant import task_meant
from .stopped import require_one_look

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two systems on one metric, paired by sample."""

    system: str
    against: str
    estimate: Estimate
    """``system - against``; of a metric that is compared by ratios, the ratio."""

    p: float | None
    """Two-sided; None where there is nothing to test."""

    adjusted: float
    """After Holm, over all pairs: shown where it is at most 0.05.  1 where there is no p-value."""

    @property
    def shown(self) -> bool:
        """Whether the two are shown to differ, all pairs together at 0.05."""
        return self.adjusted <= 0.05


def pairwise(
    run: Run,
    metric: str | None = None,
    *,
    task: str | None = None,
    over: Sequence[str] = ("samples",),
    systems: Sequence[str] | None = None,
) -> tuple[Difference, ...]:
    """Compare every pair of systems, on common samples; without a metric on the headline.

    Without ``systems`` all that are under test; controls are left out.

    With ``over=("samples", "seeds")`` differences speak of other seeds, too, where a system of the
    pair has several; a pair without seeds is compared over samples.
    Method: the paired inference of claims (``docs/statistics.md``), two-sided, Holm over all pairs.

    Raises ``PlanError`` A103 for an unknown name; A104 for a run that may stop early.

    *Not to be trusted when* ``systems`` were picked by how they did: Holm speaks of the pairs that
    were compared.  Nor in the place of claims, which were written before, and are a family of their own.
    """
    require_one_look(run, "pairwise differences")
    case = run.results.cases[task_meant(run.manifest, task, where=str(run.path))]
    name = case.headline.name if metric is None else case.metric(metric).name
    named = case.rivals if systems is None else tuple(systems)
    if unknown := sorted(set(named) - set(case.tables)):
        where = str(run.path)
        raise PlanError(f"no system is called {unknown[0]!r}", where=where, code="A103")
    asked = frozenset(Over(word) for word in over)
    found = []
    for one, other in combinations(named, 2):
        seeds = max(len(case.tables[s].seeds) for s in (one, other))
        here = asked if seeds > 1 else asked - {Over.SEEDS}
        same = 1.0 if case.contrast(name) is Contrast.RATIO else 0.0
        inference = case.difference(one, other, name, over=here)
        estimate = case.summary(name, inference, (one, other), here, 0.95)
        found.append((one, other, estimate, _two_sided(inference, same)))
    tested = holm({str(i): 1.0 if p is None else p for i, (*_, p) in enumerate(found)}, alpha=0.05)
    return tuple(
        Difference(
            system=one, against=other, estimate=estimate, p=p, adjusted=tested[str(i)].adjusted
        )
        for i, (one, other, estimate, p) in enumerate(found)
    )


def _two_sided(inference: Inference, same: float) -> float | None:
    if isinstance(inference, Census):
        return None
    up, down = inference.p_at_least(same), inference.p_at_most(same)
    return None if up is None or down is None else min(1.0, 2 * min(up, down))
