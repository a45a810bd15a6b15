"""Two runs on the samples that both asked, system by system."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.alarms import Matched, p_not_worse
from ..analysis.infer import infer_difference, summarise
from ..analysis.rivals import weakest
from ..analysis.table import Table
from ..core.errors import DataError
from ..core.metric import Better, Estimate, Metric, Over
from ..stats.inference import Census, Inference
from ..store.samples import digested, read_samples, sample_line
from ..store.seal import read_seal
from .stopped import require_one_look

if TYPE_CHECKING:
    from .run import Run

SAMPLES = frozenset({Over.SAMPLES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One metric of one system, in a run and in a baseline, on common samples."""

    task: str
    system: str
    metric: Metric
    inference: Inference
    """Of run minus baseline."""

    estimate: Estimate
    same_test: bool
    """Whether both runs asked exactly the same test samples."""

    complete: bool
    """Whether every reply was observed, in both."""

    unchanged: bool
    """Whether the system has the same digest, decided every sample the same and shipped the same of it, in both."""

    now: Table
    then: Table
    """What the run and the baseline have of the system, on the common samples."""

    headline: bool
    """Whether it is the first metric of its task that both runs have: what a gate judges."""

    @property
    def matched(self) -> Matched:
        """What the measurement of false alarms takes."""
        name = f"{self.task}/{self.system}"
        return Matched(
            name=name,
            metric=self.metric,
            now=self.now,
            then=self.then,
            unchanged=self.unchanged,
        )

    @property
    def higher(self) -> bool:
        """Whether more is better."""
        return self.metric.better is Better.HIGHER

    def p_not_worse(self, margin: float) -> float | None:
        """Return the p-value in support of "at most ``margin`` worse"; where neither way is worse, of "so far off"."""
        return p_not_worse(self.metric, self.inference, margin)

    def margin_at(self, level: float) -> float | None:
        """Return the smallest margin at which "not worse" is shown at a one-sided level."""
        ends = self.inference.interval(1 - 2 * level)
        if ends is None:
            return None
        if self.metric.better is Better.NONE:
            return max(-ends[0], ends[1])
        return max(0.0, -ends[0] if self.higher else ends[1])

    def p_changed(self) -> float | None:
        """Return the two-sided p-value of "not the same"."""
        up, down = self.inference.p_at_least(0.0), self.inference.p_at_most(0.0)
        if up is None or down is None or isinstance(self.inference, Census):
            return None
        return min(1.0, 2 * min(up, down))


def pairs(run: Run, baseline: Run) -> list[Pair]:
    """Pair two runs by task, system name and sample id, metric by metric; controls are left out.

    A sample is common when its id and its whole content are equal.  Raises ``DataError`` A203 when
    the runs share no task, no system or no sample; ``PlanError`` A104 where one may stop early.
    """
    for one in (run, baseline):
        require_one_look(one, "a comparison of two runs")
    found = [
        pair
        for task in run.manifest.tasks
        if task in baseline.manifest.tasks
        for pair in _of_task(run, baseline, task)
    ]
    if not found:
        raise DataError(
            "the two runs have no task with a system of the same name in both",
            where=f"{run.path} and {baseline.path}",
            hint="compare runs of one plan, or give the systems the same names",
            code="A203",
        )
    return found


def _of_task(run: Run, baseline: Run, task: str) -> Iterator[Pair]:
    case, before = run.results.cases[task], baseline.results.cases[task]
    systems = [s for s in case.rivals if s in before.tables]
    if not systems:
        return
    common = common_samples(run, baseline, task)
    metrics = [m for name, m in case.metrics.items() if name in before.metrics]
    for metric in metrics:
        _require_one_direction(run, baseline, task, metric, before.metrics[metric.name])
    for system in systems:
        now, then = case.tables[system], before.tables[system]
        now_all, then_all = set(now.samples), set(then.samples)
        ids = [s for s in now.samples if s in common and s in then_all]
        same_test = now_all == then_all == set(ids)
        now, then = now.only(ids), then.only(ids)
        decided = same_test and _decided_the_same(run, baseline, task, now, then)
        origin = weakest((case.origins[system], before.origins[system]))
        for metric in metrics:
            inference = infer_difference(metric, now, then, over=SAMPLES, rng=run.manifest.rng)
            estimate = summarise(
                metric.name,
                inference,
                n=len(ids),
                n_groups=now.n_groups,
                n_seeds=max(len(now.seeds), len(then.seeds)),
                over=SAMPLES,
            )
            yield Pair(
                task=task,
                system=system,
                metric=metric,
                inference=inference,
                estimate=replace(estimate, origin=origin),
                same_test=same_test,
                complete=now.complete and then.complete,
                unchanged=decided and _reads_the_same(metric, now, then),
                now=now,
                then=then,
                headline=metric is metrics[0],
            )


def _require_one_direction(run: Run, baseline: Run, task: str, now: Metric, then: Metric) -> None:
    """Raise where a metric is better high in one run and low in the other: logs may say either."""
    if now.better is not then.better:
        raise DataError(
            f"{now.name} of {task} is better {now.better.value} in one run, and {then.better.value} in the other: "
            "nobody can say which change is for the worse",
            where=f"{run.path} and {baseline.path}",
            hint="one of the two logs has the direction wrong: import it again",
            code="A203",
        )


def _decided_the_same(run: Run, baseline: Run, task: str, now: Table, then: Table) -> bool:
    """Whether the system, what it decided, and the outcomes of that are the same in both."""
    facts = (one.manifest.systems[now.system].digest for one in (run, baseline))
    if next(facts) != next(facts):
        return False
    prefix = f"records/{task}/{now.system}/"
    decided = (
        {k: d for k, d in read_seal(r.dir).decisions.items() if k.startswith(prefix)}
        for r in (run, baseline)
    )
    if next(decided) != next(decided):
        return False
    # A threshold is no part of a system, nor of its records: it makes other outcomes of the same answers.
    return now.seeds == then.seeds and np.array_equal(now.outcome, then.outcome)


def _reads_the_same(metric: Metric, now: Table, then: Table) -> bool:
    """Whether everything that a metric reads is the same in both."""
    before = then.reads(metric)
    return all(
        np.array_equal(column, before[name], equal_nan=True)
        for name, column in now.reads(metric).items()
    )


def common_samples(run: Run, baseline: Run, task: str) -> frozenset[str]:
    """Return the ids of test samples that are the same in both runs, target and group included.

    Raises ``DataError`` A203 when there is none.
    """
    here = run.manifest.tasks[task].splits["test"].digest
    there = baseline.manifest.tasks[task].splits["test"].digest
    if here == there:
        return frozenset(s.id for s in read_samples(run.dir.samples(task, "test")))
    whole = all(r.manifest.tasks[task].redistributable for r in (run, baseline))
    lines = _lines(run, task, whole=whole)
    before = _lines(baseline, task, whole=whole)
    common = frozenset(name for name, line in lines.items() if before.get(name) == line)
    if not common:
        raise DataError(
            f"the test samples of {task} are others in the two runs: none has the same id and content",
            where=f"{run.path} and {baseline.path}",
            hint="run the plan of the baseline again on today's data, then compare",
            code="A203",
        )
    return common


def _lines(run: Run, task: str, *, whole: bool) -> dict[str, bytes]:
    """Return each sample as a line; not ``whole``: as digests, which one of two runs may hold."""
    to_digest = not whole and run.manifest.tasks[task].redistributable
    return {
        s.id: sample_line(digested(s) if to_digest else s)
        for s in read_samples(run.dir.samples(task, "test"))
    }
