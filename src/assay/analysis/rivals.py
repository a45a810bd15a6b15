"""Whether a headline claim stands against the best rival, or against a straw man."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..core.claim import Claim, Relation
from ..core.metric import Better, Contrast, Origin

if TYPE_CHECKING:
    from .case import Case


def straw_man(case: Case, claim: Claim) -> str:
    """Return which rival is better than the one that a headline claim names; empty for none.

    Rivals are the measured systems under test, without the claim's own, each paired with
    ``against`` on the samples that both were asked.

    Not to be trusted as proof that the other rival is better: the best of several points is a
    little flattered.  The note says so.
    """
    if not claim.headline or claim.against is None or claim.against in case.controls:
        return _against_a_control(case, claim)
    if case.better(claim.metric) is Better.NONE:
        return ""
    ratio = case.contrast(claim.metric) is Contrast.RATIO
    even = 1.0 if ratio else 0.0
    sign = 1.0 if case.better(claim.metric) is Better.HIGHER else -1.0
    others = [s for s in _rivals(case, claim) if s != claim.against]
    ahead = {
        s: sign * (value - even)
        for s in others
        if (value := case.difference(s, claim.against, claim.metric).value) is not None
    }
    best = max(ahead, key=lambda s: (ahead[s], s), default=None)
    if best is None or ahead[best] <= 0:
        return ""
    inference = case.difference(best, claim.against, claim.metric)
    p = inference.p_at_least(even) if sign > 0 else inference.p_at_most(even)
    shown = "is shown to be" if p is not None and p <= 0.025 / len(others) else "measures"
    several = f", the best of {len(others)}," if len(others) > 1 else ""
    return (
        f"not against the best rival: {best}{several} {shown} better than {claim.against} on "
        f"{claim.metric}"
    )


def _against_a_control(case: Case, claim: Claim) -> str:
    rivals = _rivals(case, claim)
    if not claim.headline or claim.against is None or not rivals:
        return ""
    return (
        f"not against a rival: {claim.against} is a control, and {', '.join(rivals)} "
        f"{'was' if len(rivals) == 1 else 'were'} measured too"
    )


def _rivals(case: Case, claim: Claim) -> list[str]:
    return sorted(s for s in case.rivals if s != claim.system and case.origins[s] is standing(case))


def standing(case: Case) -> Origin:
    """Return the one origin whose systems are ranked: measured, or reported where nothing else is."""
    there = {case.origins[s] for s in case.rivals}
    return Origin.REPORTED if there == {Origin.REPORTED} else Origin.MEASURED


def unmeasured(case: Case, metric: str) -> str:
    """Say that no system that is ranked has a number, and why, where it is the same for all."""
    origin = standing(case)
    methods = {case.estimate(s, metric).method for s in case.rivals if case.origins[s] is origin}
    said = f"no system has a {origin.value} {metric}"
    return f"{said}: {methods.pop().removeprefix('undefined: ')}" if len(methods) == 1 else said


def is_non_inferiority(case: Case, claim: Claim) -> bool:
    """Whether a claim says that a system is as good as another, but for a margin."""
    if case.contrast(claim.metric) is not Contrast.DIFFERENCE:
        return False
    if case.better(claim.metric) is Better.NONE:
        return False  # on how alike two systems are, not on how good
    if claim.relation is Relation.WITHIN:
        # As good as a system that is no good is no good either.
        return claim.metric in case.metrics
    higher = case.better(claim.metric) is Better.HIGHER
    wanted = Relation.AT_LEAST if higher else Relation.AT_MOST
    margin = -claim.bound if higher else claim.bound
    if claim.relation is not wanted:
        return False
    return margin > 0 and claim.metric in case.metrics


def not_competent(case: Case, claim: Claim) -> str:
    """Return why being as good as the reference means nothing; empty where it means something."""
    assert claim.against is not None
    higher = case.better(claim.metric) is Better.HIGHER
    for control in sorted(case.controls):
        if case.inference(control, claim.metric).value is None:
            continue  # it never did what the metric counts: there is nothing to beat
        inference = case.difference(claim.against, control, claim.metric)
        ends = inference.interval(0.95)
        if ends is None:
            return (
                f"reference not competent: whether {claim.against} beats the control {control} "
                f"cannot be told ({inference.method})"
            )
        gain = ends[0] if higher else -ends[1]
        if gain <= abs(claim.bound):
            return (
                f"reference not competent: {claim.against} is not shown to beat the control "
                f"{control} by more than the margin of {abs(claim.bound):g}"
            )
    return ""


def weakest(origins: Iterable[Origin]) -> Origin:
    """Return what a number of several systems may call itself: no more than the least of them.

    >>> weakest([Origin.MEASURED, Origin.REPORTED]).value
    'reported'
    """
    return max(origins, key=list(Origin).index)
