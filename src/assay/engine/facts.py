"""What the manifest says of tasks and systems."""

from __future__ import annotations

import json

from ..store.manifest import ArtifactFacts, SplitFacts, SystemFacts, TaskFacts
from ..store.samples import fingerprint
from .plugins import distribution
from .resolve import ResolvedSystem, ResolvedTask


def task_facts(task: ResolvedTask) -> TaskFacts:
    """Return what the manifest says of a task."""
    return TaskFacts(
        use=task.ref.use,
        distribution=distribution("assay.tasks", task.ref.use),
        version=task.task.version,
        says=task.task.says,
        headline=task.task.metrics[0].name,
        splits={
            split: SplitFacts(
                samples=len(samples),
                groups=len({s.cluster for s in samples}),
                digest=fingerprint(samples),
            )
            for split, samples in task.splits.items()
        },
    )


def system_facts(system: ResolvedSystem) -> SystemFacts:
    """Return what the manifest says of a system."""
    return SystemFacts(
        use=system.use,
        options=json.loads(json.dumps(system.options, default=str)),
        origin=system.origin,
        control=system.control,
        seeded=system.recipe.seeded,
        seeds=system.seeds,
        limit=system.limit,
        max_risk=system.abstain.max_risk if system.abstain else None,
        delta=system.abstain.delta if system.abstain else 0.05,
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
