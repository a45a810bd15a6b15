"""The claims of a plan, as the sentences that are weighed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import Field, ValidationError

from ..core.claim import Claim
from ..core.errors import PlanError
from ..core.metric import Contrast, Metric
from .document import Document, read_document
from .keys import ClaimRef, Strict
from .plan import LoadedPlan, mistake


class ClaimsFile(Strict):
    """Claims that are added after a run."""

    claims: list[ClaimRef] = Field(min_length=1)


def read_claims(path: Path, loaded: LoadedPlan) -> tuple[tuple[ClaimRef, ...], Document]:
    """Read claims that are added to a plan after its run, and where each of them stands.

    Raises ``PlanError`` as ``load_plan`` does; A104 for an id that the plan has, that stands twice,
    or for a headline, which is for plans.
    """
    document = read_document(
        path, what="file of claims", begins="begin with `claims:`, as in a plan (docs/plan.md)"
    )
    try:
        found = tuple(ClaimsFile.model_validate(document.value).claims)
    except ValidationError as error:
        raise mistake(error, document) from None
    taken = {ref.id for ref in loaded.plan.claims}
    for i, ref in enumerate(found):
        where = document.where(("claims", i, "id"))
        if ref.id in taken:
            hint = "give every claim an id of its own"
            raise PlanError(
                f"two claims are called {ref.id!r}", where=where, hint=hint, code="A104"
            )
        taken.add(ref.id)
        if ref.headline:
            what = f"claim {ref.id!r}: a headline is promised before the run"
            raise PlanError(what, where=where, hint="leave `headline` out", code="A104")
    return found, document


def claims_of(loaded: LoadedPlan) -> tuple[Claim, ...]:
    """Return the claims of a plan whose names are known to be good."""
    tasks = [ref.name or ref.use for ref in loaded.plan.tasks]
    named = [ref.id for ref in loaded.plan.claims if ref.headline]
    # Where no claim is marked, the first that stands against a rival is what the plan is about.
    headlines = named or [ref.id for ref in loaded.plan.claims if ref.against][:1]
    return tuple(
        replace(to_claim(ref, tasks[0]), headline=ref.id in headlines) for ref in loaded.plan.claims
    )


def to_claim(ref: ClaimRef, task: str) -> Claim:
    """Return a claim of a plan as the noun; ``task`` where it names none."""
    return Claim(
        id=ref.id,
        says=ref.says,
        task=ref.task or task,
        system=ref.system,
        metric=ref.metric,
        relation=ref.relation,
        bound=ref.bound,
        against=ref.against,
        over=ref.generalises,
        headline=ref.headline,
    )


def too_narrow(ref: ClaimRef, metric: Metric | None) -> str:
    """Return why no ratio can lie within a claim's bound; empty where one can.

    ``metric`` None stands for a quantile of the serial pass.
    """
    ratio = metric is None or metric.contrast is Contrast.RATIO
    if ref.within is None or not ratio or ref.within > 1:
        return ""
    return (
        f"claim {ref.id!r}: {ref.metric} compares systems by a ratio, and none is within a "
        f"factor of {ref.within:g}"
    )
