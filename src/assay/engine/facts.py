"""What the manifest says of tasks and systems."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..analysis.rules import AtBest, AtCoverage, ByUtility, MaxRisk, Rule
from ..core.metric import Metric
from ..stats.tuned import Payoff
from ..store.manifest import ArtifactFacts, SplitFacts, SystemFacts, TaskFacts
from ..store.samples import fingerprint
from .plugins import distribution
from .resolved import ResolvedSystem, ResolvedTask


def task_facts(task: ResolvedTask) -> TaskFacts:
    """Return what the manifest says of a task."""
    return TaskFacts(
        use=task.ref.use,
        distribution=distribution("assay.tasks", task.ref.use),
        version=task.task.version,
        says=task.task.says,
        headline=task.task.metrics[0].name,
        redistributable=task.task.redistributable,
        caveats=tuple(task.task.caveats()),
        splits={
            split: SplitFacts(
                samples=len(samples),
                groups=len({s.cluster for s in samples}),
                digest=fingerprint(samples),
            )
            for split, samples in task.splits.items()
        },
    )


def rule_of(facts: SystemFacts, metrics: Mapping[str, Metric]) -> Rule | None:
    """Return how a system's threshold is chosen, None where it has none.  ``metrics`` are the task's."""
    by_class = facts.per == "class"
    if facts.max_risk is not None:
        return MaxRisk(max_risk=facts.max_risk, delta=facts.delta, by_class=by_class)
    if facts.coverage is not None:
        return AtCoverage(coverage=facts.coverage, by_class=by_class)
    if facts.metric is not None:
        return AtBest(metric=metrics[facts.metric])
    if facts.utility is not None:
        return ByUtility(payoff=Payoff(**facts.utility), by_class=by_class)
    return None


def _abstain(system: ResolvedSystem) -> dict[str, Any]:
    return system.abstain.model_dump() if system.abstain else {}


def system_facts(system: ResolvedSystem) -> SystemFacts:
    """Return what the manifest says of a system."""
    return SystemFacts(
        use=system.use,
        options=json.loads(json.dumps(system.options, default=str)),
        origin=system.origin,
        control=system.control,
        of=system.of,
        seeded=system.recipe.seeded,
        seeds=system.seeds,
        limit=system.limit,
        **_abstain(system),
        files=tuple(
            ArtifactFacts(
                digest=a.digest,
                kind=a.kind,
                size=a.size,
                source=a.source,
                parents=a.parents,
                made_by=a.made_by,
                license=a.license,
            )
            for a in system.artifacts
        ),
        digest=system.digest,
    )
