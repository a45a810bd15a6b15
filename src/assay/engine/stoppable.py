"""Plans that may stop early: what they must not ask for, because it holds for one look only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..analysis.metrics import QUANTILES, determinism
from ..analysis.stopping import is_followed, is_paired
from ..core.claim import Claim
from ..core.errors import PlanError
from ..core.metric import Metric, Over
from .document import KeyPath
from .plan import LoadedPlan


def drives(claim: Claim) -> bool:
    """Whether a run goes on until a claim is decided: a census holds of whatever was asked."""
    return bool(claim.over) and claim.metric != determinism.name


def require_stoppable(
    loaded: LoadedPlan, metrics: Mapping[str, Mapping[str, Metric]], claims: Sequence[Claim]
) -> None:
    """Raise ``PlanError`` A104 for what cannot stand in a plan that may stop early.

    ``metrics`` by task and name; ``claims`` in the order of the plan.
    """
    plan = loaded.plan
    if plan.stop is None:
        return

    def wrong(what: str, hint: str, *place: str | int) -> PlanError:
        where: KeyPath = place
        said = f"{what}, in a plan that may stop early"
        return PlanError(said, where=loaded.where(*where), hint=hint, code="A104")

    anew = "leave it out, or leave `stop` out"
    if plan.cascades:
        raise wrong("cascades are weighed at one look only", anew, "cascades")
    if plan.fronts:
        raise wrong("fronts are drawn from resamples, which hold for one look only", anew, "fronts")
    for i, system in enumerate(plan.systems):
        if system.abstain is not None:
            what = f"{system.name} has a threshold, and what it is worth holds for one look only"
            raise wrong(what, anew, "systems", i, "abstain")
        if system.limit is not None:
            what = f"{system.name} has a limit of its own, and systems are asked the same groups"
            raise wrong(what, "limit the task", "systems", i, "limit")
    for i, claim in enumerate(claims):
        if not drives(claim):
            continue
        if what := _unfit(claim, metrics[claim.task].get(claim.metric)):
            raise wrong(f"claim {claim.id!r}: {what}", _hint(claim), "claims", i, _key(claim))
    if not any(map(drives, claims)):
        what = "no claim says when to stop"
        raise wrong(what, "claim something of a share over samples", "stop")


def _unfit(claim: Claim, metric: Metric | None) -> str:
    if Over.SEEDS in claim.over:
        return "nothing follows seeds from look to look"
    if metric is None or claim.metric in QUANTILES or metric.timed:
        return f"{claim.metric} is measured after the last look"
    if not is_followed(metric):
        return f"{claim.metric} is no share of samples that outcomes decide"
    if claim.against is not None and not is_paired(metric):
        return f"{claim.metric} counts other questions for each of the two systems"
    return ""


def _key(claim: Claim) -> str:
    return "over" if Over.SEEDS in claim.over else "metric"


def _hint(claim: Claim) -> str:
    if Over.SEEDS in claim.over:
        return "write `over: [samples]`, or leave `stop` out"
    return "write `over: []` (these records only), or leave `stop` out"
