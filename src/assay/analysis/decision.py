"""The decision: which system to ship, at which threshold, and what would change our mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.claim import Finding, Status
from ..core.metric import Better, Contrast, Estimate, Origin
from .case import Case
from .thresholds import Chosen


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

    cheaper_than: str | None = None
    times_cheaper: Estimate | None = None
    """Cost of ``cheaper_than`` over cost of ``system``."""

    eligible: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()


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
    sign = 1.0 if case.better(metric) is Better.HIGHER else -1.0
    scores = {
        s: sign * value
        for s in case.rivals
        if case.origins[s] is Origin.MEASURED
        and (value := case.estimate(s, metric).value) is not None
    }
    if not scores:
        return Decision(task=case.task, system=None, why=f"no system has a measured {metric}")
    best = max(scores, key=scores.__getitem__)
    if control := _control_as_good(case, best, metric, sign):
        why = f"{best}, the best of them, is not shown to beat the control {control} on {metric}"
        return Decision(task=case.task, system=None, why=why)
    eligible = [best] + [
        s for s in scores if s != best and _is_close(case, s, best, metric, margin, sign)
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
        answers=case.estimate(chosen, "coverage") if "coverage" in case.metrics else None,
        wrong=risk,
        wrong_at_most=_bound(case, chosen),
        cheaper_than=dearest,
        times_cheaper=ratio,
        eligible=tuple(eligible),
        would_change=_would_change(case, findings, scores, eligible, metric, margin, best, sign),
    )


def _control_as_good(case: Case, best: str, metric: str, sign: float) -> str | None:
    for control in sorted(case.controls):
        inference = case.difference(best, control, metric)
        p = inference.p_at_least(0.0) if sign > 0 else inference.p_at_most(0.0)
        if p is not None and p > 0.025:
            return control
    return None


def _is_close(case: Case, system: str, best: str, metric: str, margin: float, sign: float) -> bool:
    inference = case.difference(system, best, metric)
    ends = inference.interval(0.95)
    if ends is None:
        return False
    return (ends[0] if sign > 0 else -ends[1]) >= -margin


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
        if s != chosen and (v := case.estimate(s, cheapest).value) is not None
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
    sign: float,
) -> tuple[str, ...]:
    reasons = [
        f"about {f.more_samples:,} more samples, which would decide '{f.claim.id}'"
        for f in findings
        if f.status is Status.UNDECIDED and f.more_samples
    ]
    for system in sorted(scores, key=lambda s: -scores[s]):
        if system not in eligible:
            gap = case.compare(system, best, metric)
            ahead = gap.high if sign > 0 else None if gap.low is None else -gap.low
            if ahead is not None and ahead > -margin:
                reasons.append(
                    f"{system}: it may be within {margin:g} of {best} on {metric}, "
                    "but is not shown to be"
                )
    for system, by_seed in case.thresholds.items():
        if any(chosen.value is None for chosen in by_seed.values()):
            reasons.append(
                f"more calibration groups for {system}: no threshold of it passes at its max_risk"
            )
    reasons.append("another max_risk, margin or price: each is one line of the plan")
    return tuple(reasons[:4])
