"""The claims of a plan, as the sentences that are weighed."""

from __future__ import annotations

from ..core.claim import Claim, Relation
from .plan import LoadedPlan


def claims_of(loaded: LoadedPlan) -> tuple[Claim, ...]:
    """Return the claims of a plan whose names are known to be good."""
    tasks = [ref.name or ref.use for ref in loaded.plan.tasks]
    found = []
    for ref in loaded.plan.claims:
        bound = ref.at_least if ref.at_least is not None else ref.at_most
        assert bound is not None  # the model has made sure of one of the two
        found.append(
            Claim(
                id=ref.id,
                says=ref.says,
                task=ref.task or tasks[0],
                system=ref.system,
                metric=ref.metric,
                relation=Relation.AT_MOST if ref.at_least is None else Relation.AT_LEAST,
                bound=bound,
                against=ref.against,
                over=ref.generalises,
            )
        )
    return tuple(found)
