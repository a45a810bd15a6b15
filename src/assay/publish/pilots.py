"""What an earlier run says of the claims of a plan that has not been run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..analysis.case import Case
from ..analysis.imagine import Pilot
from ..analysis.presumed import if_answered
from ..core.claim import Claim
from ..core.sample import Sample
from .run import Run


def pilots(run: Run, claims: Sequence[Claim]) -> Mapping[str, Pilot]:
    """Return what a run says of each claim, by id; without those on what it did not run.

    Tasks, systems and metrics are found by their names in the run.
    """
    found = {}
    for claim in claims:
        case = run.results.cases.get(claim.task)
        names = claim.systems
        if case is None or not case.knows(claim.metric) or set(names) - set(case.tables):
            continue
        evidence = case.evidence(claim)
        groups = evidence.estimate.n_groups
        if claim.metric in case.metrics:
            groups = _groups(case, claim, names, run.results.samples[claim.task])
        if groups:
            found[claim.id] = Pilot(
                inference=evidence.inference,
                groups=groups,
                seeds=max(len(case.tables[name].seeds) for name in names),
                run=run.path.name,
            )
    return found


def _groups(case: Case, claim: Claim, names: Sequence[str], samples: Sequence[Sample]) -> int:
    """Count groups as a plan does that has not been run: as if everything were answered."""
    shared = set.intersection(*(set(case.tables[name].samples) for name in names))
    asked = [s for s in samples if s.id in shared]
    counted = if_answered(case.metric(claim.metric), asked)
    return len({s.cluster for s in (asked if counted is None else counted)})
