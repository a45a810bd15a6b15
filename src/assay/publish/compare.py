"""What changed between runs, paired sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..analysis.alarms import family
from ..analysis.case import TIMED
from ..analysis.metrics import QUANTILES
from ..core.metric import Better, Estimate
from ..stats.multiple import benjamini_hochberg
from .paired import Pair, pairs

if TYPE_CHECKING:
    from .run import Run

RATE = 0.05
"""Of all differences that a comparison calls a change, at most this share is expected to be none:
nobody promised a difference beforehand, so the table is exploratory."""

LEFT_OUT = (*TIMED, *QUANTILES)
WHY_LEFT_OUT = "measured one at a time: times and costs belong to their day and machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """One metric of one system: run minus baseline."""

    task: str
    system: str
    metric: str
    better: Better
    baseline: str
    """Name of the baseline's run."""

    estimate: Estimate
    """Paired; its interval is the 95 % one, not corrected for the number of differences."""

    p: float | None
    """Two-sided.  None: nothing to infer, ``estimate.method`` says why."""

    adjusted: float | None
    """The same after Benjamini-Hochberg, over all differences of the comparison."""

    same_test: bool
    """Whether both runs asked exactly the same test samples; else the common ones are used."""

    complete: bool
    """Whether every reply was observed, in both runs."""

    @property
    def changed(self) -> bool:
        """Whether a change is shown."""
        return self.adjusted is not None and self.adjusted <= RATE

    @property
    def worse(self) -> bool:
        """Whether a change for the worse is shown; never of a metric of which neither way is better."""
        if self.better is Better.NONE:
            return False
        value = self.estimate.value or 0.0
        return self.changed and (value < 0) == (self.better is Better.HIGHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run beside its baselines."""

    run: str
    baselines: tuple[str, ...]
    diffs: tuple[Diff, ...]
    left_out: tuple[str, ...] = LEFT_OUT
    """Metrics that are not compared, ``WHY_LEFT_OUT``."""


def compare(run: Run, baselines: Run | Sequence[Run]) -> Comparison:
    """Compare a run with one or more baselines.

    Systems are paired by name and samples by id and content, as shipped (thresholds applied).
    Metrics of the serial pass are left out: their seconds belong to their day and machine.

    Raises ``DataError`` A203 when a baseline shares no task, no system or no sample with the run.

    *Not to be trusted when* a system of the same name is something else in the two runs: compare
    the digests in the manifests.
    """
    several = list(baselines) if isinstance(baselines, Sequence) else [baselines]
    found: list[tuple[str, Pair]] = [
        (baseline.path.name, pair) for baseline in several for pair in pairs(run, baseline)
    ]
    return Comparison(
        run=run.path.name,
        baselines=tuple(b.path.name for b in several),
        diffs=_corrected([_diff(name, pair) for name, pair in found]),
    )


def _corrected(diffs: Sequence[Diff]) -> tuple[Diff, ...]:
    tested = benjamini_hochberg(family([d.p for d in diffs]), rate=RATE)
    return tuple(
        d if d.p is None else replace(d, adjusted=tested[str(i)].adjusted)
        for i, d in enumerate(diffs)
    )


def besides(baseline: Run, found: Sequence[Pair]) -> tuple[str, ...]:
    """Return the sentence about what got worse and is not judged by a gate: all metrics but the headline."""
    worse: dict[str, list[str]] = {}
    diffs = _corrected([_diff(baseline.path.name, pair) for pair in found])
    for pair, diff in zip(found, diffs, strict=True):
        if diff.worse and not pair.headline:
            worse.setdefault(f"{diff.task}/{diff.system}", []).append(diff.metric)
    if not worse:
        return ()
    told = "; ".join(f"{system}: {', '.join(metrics)}" for system, metrics in worse.items())
    return (f"Not judged, and worse than in the baseline by `assay compare`: {told}",)


def _diff(baseline: str, pair: Pair) -> Diff:
    return Diff(
        task=pair.task,
        system=pair.system,
        metric=pair.metric.name,
        better=pair.metric.better,
        baseline=baseline,
        estimate=pair.estimate,
        p=pair.p_changed(),
        adjusted=None,
        same_test=pair.same_test,
        complete=pair.complete,
    )
