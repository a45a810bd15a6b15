"""Weigh claims: the interval decides, never the point, and all claims of a plan together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.claim import Claim, Finding, Relation, Status
from ..core.metric import Estimate, Over
from ..stats import multiple, power
from ..stats.inference import Census, Inference

ALPHA = 0.05
"""Per plan: at most this chance that any claim of the plan is wrongly called supported or
refuted.  Half of it goes to each side."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to weigh one claim with."""

    claim: Claim
    inference: Inference
    estimate: Estimate
    hold: str = ""
    """A reason why the claim stays undecided, whatever the interval says."""

    notes: tuple[str, ...] = ()
    samples_per_group: float = 0.0
    """Samples that have to be asked for one more group that counts; 0: as in the estimate."""


def weigh(evidence: Sequence[Evidence]) -> list[Finding]:
    """Decide the claims of a plan together.

    Support p-values go through Holm at 2.5 %, and refute p-values, separately, at 2.5 %.  Census
    claims (``over`` empty) are outside of that family: they speak of these records only.

    >>> from assay import Claim, Relation
    >>> from assay.stats.inference import Exact
    >>> claim = Claim(id="c", says="always right", task="t", system="s", metric="accuracy",
    ...               relation=Relation.AT_LEAST, bound=0.5)
    >>> estimate = Estimate(metric="accuracy", value=1.0, low=None, high=None, n=20, n_groups=20)
    >>> weigh([Evidence(claim, Exact(20, 20), estimate)])[0].status
    <Status.SUPPORTED: 'supported'>

    Not to be trusted when claims were added after looking at the records: mark them exploratory.
    """
    inferred = {
        e.claim.id: e for e in evidence if e.claim.over and not isinstance(e.inference, Census)
    }
    support = {key: p for key, e in inferred.items() if (p := _p(e, for_it=True)) is not None}
    refute = {key: p for key, e in inferred.items() if (p := _p(e, for_it=False)) is not None}
    for_it = multiple.holm(support, alpha=ALPHA / 2)
    against = multiple.holm(refute, alpha=ALPHA / 2)
    findings = []
    for e in evidence:
        key = e.claim.id
        if key not in inferred:
            findings.append(_census(e))
            continue
        status, level = Status.UNDECIDED, ALPHA / 2 / max(len(inferred), 1)
        if key in for_it:
            level = max(for_it[key].level, against[key].level)
            if for_it[key].rejected:
                status, level = Status.SUPPORTED, for_it[key].level
            elif against[key].rejected:
                status, level = Status.REFUTED, against[key].level
        findings.append(_finding(e, status, level, support.get(key), refute.get(key)))
    return findings


def _p(e: Evidence, *, for_it: bool) -> float | None:
    at_least = (e.claim.relation is Relation.AT_LEAST) == for_it
    bound = e.claim.bound
    return e.inference.p_at_least(bound) if at_least else e.inference.p_at_most(bound)


def _finding(
    e: Evidence, status: Status, level: float, support: float | None, refute: float | None
) -> Finding:
    notes = list(e.notes)
    if e.hold and status is not Status.UNDECIDED:
        status = Status.UNDECIDED
    if e.hold:
        notes.insert(0, e.hold)
    if e.inference.value is None:
        notes.append(e.inference.method)
    ends = e.inference.interval(1 - 2 * level)
    estimate = replace(
        e.estimate,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        confidence=1 - 2 * level,
    )
    more = None
    if status is Status.UNDECIDED and not e.hold and e.inference.value is not None:
        more = _more_samples(e, level)
    return Finding(
        claim=e.claim,
        status=status,
        estimate=estimate,
        p_support=support,
        p_refute=refute,
        level=level,
        more_samples=more,
        notes=tuple(notes),
    )


def _more_samples(e: Evidence, level: float) -> int | None:
    groups = e.estimate.n_groups
    if groups < 2:
        return None
    more = power.groups_needed(e.inference, bound=e.claim.bound, n_groups=groups, alpha=level)
    if more is None:
        return None
    per_group = e.samples_per_group or e.estimate.n / groups
    return max(1, round(more * per_group))


def _census(e: Evidence) -> Finding:
    value, claim = e.inference.value, e.claim
    status = Status.UNDECIDED
    notes = list(e.notes)
    if e.hold:
        notes.insert(0, e.hold)
    elif value is None:
        notes.append(e.inference.method)
    elif claim.over:
        notes.append(
            "these measurements describe themselves only: a sentence about another day needs at "
            "least 20 time blocks from three processes"
            if Over.SAMPLES in claim.over
            else "nothing to generalise from"
        )
    else:
        holds = (
            value >= claim.bound if claim.relation is Relation.AT_LEAST else value <= claim.bound
        )
        status = Status.SUPPORTED if holds else Status.REFUTED
    return Finding(claim=claim, status=status, estimate=e.estimate, notes=tuple(notes))


def tally(findings: Sequence[Finding]) -> Mapping[Status, int]:
    """Return how many claims are supported, refuted and undecided."""
    return {status: sum(f.status is status for f in findings) for status in Status}
