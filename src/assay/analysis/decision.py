"""The decision: which system to ship, at which threshold, and what would change our mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..core.claim import Finding, Status
from ..core.metric import Better, Contrast, Estimate
from ..stats.quotient import is_census
from .case import Case
from .rivals import standing, unmeasured
from .thresholds import Chosen

ALPHA = 0.025
"""One-sided, for all systems together."""


class Remedy(StrEnum):
    """What a reader can do about a doubt."""

    SAMPLES = "samples"
    MARGIN = "margin"
    RISK = "risk"
    ANOTHER = "another"
    """Another price, margin or risk: assumptions, which no sample changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that would change the decision."""

    says: str
    remedy: Remedy
    system: str = ""
    """Whose risk it is."""

    amount: float | None = None
    """Samples to add, or the margin with which the system would be good enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The shipped system beside another one."""

    system: str
    difference: Estimate
    """Shipped minus other (or over it, on a ratio scale), paired."""

    shown: bool
    """Whether the shipped one is shown to be better, at a one-sided 2.5 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to ship on one task, with the numbers that the last line prints."""

    task: str
    system: str | None
    """None when nothing under test is better than the best control."""

    why: str
    thresholds: tuple[Chosen, ...] = ()
    answers: Estimate | None = None
    """Coverage."""

    wrong: Estimate | None = None
    """Risk: wrong and invented answers, of the answers given."""

    wrong_at_most: float | None = None
    """One-sided 95 % bound on that risk."""

    metric: str = ""
    """What *best* is judged by."""

    best: Estimate | None = None
    """The shipped system on that metric."""

    control: Beside | None = None
    """Beside the best control."""

    rival: Beside | None = None
    """Beside the best other system under test."""

    cheaper_than: str | None = None
    times_cheaper: Estimate | None = None
    """Cost of ``cheaper_than`` over cost of ``system``."""

    eligible: tuple[str, ...] = ()
    would_change: tuple[Change, ...] = ()


def decide(
    case: Case,
    findings: Sequence[Finding],
    *,
    metric: str,
    margin: float,
    cheapest: str,
) -> Decision:
    """Pick the cheapest of the systems that are shown to be good enough.

    Good enough is the best system by point estimate, and every system whose paired interval shows
    it at most ``margin`` behind that one.  Of these the one with the least ``cheapest`` is shipped;
    without timings, the best.
    """
    if case.better(metric) is Better.NONE:
        return Decision(
            task=case.task, system=None, why=f"neither more nor less of {metric} is better"
        )
    sign = 1.0 if case.better(metric) is Better.HIGHER else -1.0
    scores = {
        s: sign * value
        for s in case.rivals
        if case.origins[s] is standing(case)
        and (value := case.estimate(s, metric).value) is not None
    }
    if not scores:
        return Decision(task=case.task, system=None, why=unmeasured(case, metric))
    best = max(scores, key=scores.__getitem__)
    alpha = ALPHA / len(scores)
    if control := _control_as_good(case, best, metric, sign, alpha):
        # At the level that decided, so that the interval and the words agree.
        difference = case.compare(best, control, metric, confidence=1 - 2 * alpha)
        why = f"{best}, the best of them, is not shown to beat the control {control} on {metric}"
        return Decision(
            task=case.task,
            system=None,
            why=why,
            metric=metric,
            control=Beside(system=control, difference=difference, shown=False),
            would_change=_would_tell(findings, best, control),
        )
    behind = {s: _behind(case, s, best, metric, len(scores) - 1) for s in scores if s != best}
    eligible = [
        best,
        *(s for s, (_, most) in behind.items() if most is not None and most <= margin),
    ]
    cost = {s: v for s in eligible if (v := case.estimate(s, cheapest).value) is not None}
    chosen = min(cost, key=cost.__getitem__) if cost else best
    why = _why(chosen, best, eligible, metric, margin, cheapest)
    dearest, ratio = _dearest(case, chosen, cheapest)
    risk = case.estimate(chosen, "risk") if "risk" in case.metrics else None
    return Decision(
        task=case.task,
        system=chosen,
        why=why,
        thresholds=tuple(case.thresholds.get(chosen, {}).values()),
        metric=metric,
        best=case.estimate(chosen, metric),
        control=_beside(case, chosen, sorted(case.controls), metric, sign),
        rival=_beside(case, chosen, [s for s in scores if s != chosen], metric, sign),
        answers=case.estimate(chosen, "coverage") if "coverage" in case.metrics else None,
        wrong=risk,
        wrong_at_most=_bound(case, chosen),
        cheaper_than=dearest,
        times_cheaper=ratio,
        eligible=tuple(eligible),
        would_change=_would_change(case, findings, scores, eligible, metric, margin, best, behind),
    )


def _control_as_good(case: Case, best: str, metric: str, sign: float, alpha: float) -> str | None:
    # One that never did what the metric counts has no value; the best of the others first.
    values = {c: case.estimate(c, metric).value for c in sorted(case.controls)}
    known = {c: sign * v for c, v in values.items() if v is not None}
    for control in sorted(known, key=lambda c: -known[c]):
        # What cannot be told is not shown.
        if not _is_better(case, best, control, metric, sign, alpha):
            return control
    return None


def _even(case: Case, metric: str) -> float:
    """Return what a comparison comes to where neither is better."""
    return 1.0 if case.contrast(metric) is Contrast.RATIO else 0.0


def _beside(
    case: Case, system: str, others: Sequence[str], metric: str, sign: float
) -> Beside | None:
    """Compare with the best of several others by point estimate; None where none has a number."""
    scores = {s: sign * v for s in others if (v := case.estimate(s, metric).value) is not None}
    if not scores:
        return None
    other = max(scores, key=scores.__getitem__)
    difference = case.compare(system, other, metric)
    shown = _is_better(case, system, other, metric, sign, ALPHA)
    return Beside(system=other, difference=difference, shown=shown)


def _is_better(case: Case, system: str, other: str, metric: str, sign: float, alpha: float) -> bool:
    """Whether one is shown to be better than another, one-sided, on more than these records."""
    inference = case.difference(system, other, metric)
    even = _even(case, metric)
    p = inference.p_at_least(even) if sign > 0 else inference.p_at_most(even)
    return p is not None and p <= alpha and not is_census(inference)


def _behind(
    case: Case, system: str, best: str, metric: str, others: int
) -> tuple[float | None, float | None]:
    """Return how far behind the best a system is at least, and at most; None where unknown."""
    gap = case.compare(system, best, metric, confidence=1 - 2 * ALPHA / others)
    even = _even(case, metric)
    if case.better(metric) is Better.LOWER:
        least, most = gap.low, gap.high
        return None if least is None else least - even, None if most is None else most - even
    least, most = gap.high, gap.low
    return None if least is None else even - least, None if most is None else even - most


def _why(
    chosen: str, best: str, eligible: Sequence[str], metric: str, margin: float, cheapest: str
) -> str:
    if chosen == best and len(eligible) == 1:
        return f"the best on {metric}; no other system is shown to be within {margin:g} of it"
    if chosen == best:
        return f"the best on {metric}, and the least {cheapest} of those within {margin:g} of it"
    return f"shown to be within {margin:g} of {best} on {metric}, with the least {cheapest}"


def _bound(case: Case, system: str) -> float | None:
    """Return the one-sided 95 % bound on the risk: the upper end of the two-sided 90 % interval."""
    if "risk" not in case.metrics:
        return None
    ends = case.inference(system, "risk").interval(0.90)
    return ends[1] if ends else None


def _dearest(case: Case, chosen: str, cheapest: str) -> tuple[str | None, Estimate | None]:
    costs = {
        s: v
        for s in case.rivals
        if s != chosen
        and case.origins[s] is standing(case)
        and (v := case.estimate(s, cheapest).value) is not None
    }
    if not costs or case.contrast(cheapest) is not Contrast.RATIO:
        return None, None
    dearest = max(costs, key=costs.__getitem__)
    own = case.estimate(chosen, cheapest).value
    if own is None or costs[dearest] <= own:
        return None, None
    return dearest, case.compare(dearest, chosen, cheapest)


def _would_change(
    case: Case,
    findings: Sequence[Finding],
    scores: dict[str, float],
    eligible: Sequence[str],
    metric: str,
    margin: float,
    best: str,
    behind: Mapping[str, tuple[float | None, float | None]],
) -> tuple[Change, ...]:
    reasons = _deciding(findings)
    for system in sorted(scores, key=lambda s: -scores[s]):
        if system not in eligible:
            least, most = behind[system]
            if least is not None and least < margin:
                reasons.append(
                    Change(
                        says=f"{system}: it may be within {margin:g} of {best} on {metric}, "
                        "but is not shown to be",
                        remedy=Remedy.MARGIN,
                        system=system,
                        amount=None if most is None else max(0.0, most),
                    )
                )
    for system, by_seed in case.thresholds.items():
        if any(c.guaranteed and len(c.values) < len(c.cuts) for c in by_seed.values()):
            says = f"more calibration groups for {system}: not every threshold passes its max_risk"
            reasons.append(Change(says=says, remedy=Remedy.RISK, system=system))
    says = "another max_risk, margin or price: each is one line of the plan"
    reasons = [*reasons[:3], Change(says=says, remedy=Remedy.ANOTHER)]
    return tuple(reasons)


def _would_tell(findings: Sequence[Finding], best: str, control: str) -> tuple[Change, ...]:
    """Return what would let something be shipped where nothing is better than a control."""
    says = f"more questions, in more groups, on which {best} does better than {control}"
    return (Change(says=says, remedy=Remedy.SAMPLES, system=best), *_deciding(findings)[:2])


def _deciding(findings: Sequence[Finding]) -> list[Change]:
    return [
        Change(
            says=f"about {f.more_samples:,} more samples, which would decide '{f.claim.id}'",
            remedy=Remedy.SAMPLES,
            system=f.claim.system,
            amount=f.more_samples,
        )
        for f in findings
        if f.status is Status.UNDECIDED and f.more_samples
    ]
