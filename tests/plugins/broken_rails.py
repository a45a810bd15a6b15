"""Rails that are broken on purpose: a rule left out, turned round or set off, or no rule at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from assay import Bottom, Built, Needs, Railed, Sample
from assay.families.intent.rails.judging import RULES
from assay.families.intent.rails.policy import Policy
from assay.families.intent.rails.rail import rails
from assay.families.intent.rails.rule import Rule
from assay.families.intent.rails.ruling import Block, Pass, Ruling
from assay.families.intent.rails.sight import Sight
from assay.families.intent.rails.task import Willing

OFF = Decimal("1.01")
"""A limit that is one per cent too generous."""


def without(rule: str) -> tuple[Rule, ...]:
    """Return every rule but one."""
    return tuple(one for one in RULES if one.id != rule)


def with_other(rule: str, of) -> tuple[Rule, ...]:
    """Return all rules, one of them answered by something else."""
    return tuple(replace(one, of=of(one)) if one.id == rule else one for one in RULES)


def flipped(rule: Rule):
    """Return a rule that says the opposite."""

    def of(sight: Sight) -> Ruling:
        said = rule.of(sight)
        kind = Block if isinstance(said, Pass) else Pass
        return kind(rule=rule.id, says="the opposite")

    return of


def generous(rule: Rule):
    """Return a rule whose limits are one per cent off, to the user's side."""

    def of(sight: Sight) -> Ruling:
        return rule.of(replace(sight, policy=loosened(sight.policy)))

    return of


def loosened(policy: Policy) -> Policy:
    """Return a policy that allows one per cent more."""

    def more(value):
        return value if value == "none" else value * OFF

    return policy.model_copy(
        update={
            "ltv_max": policy.ltv_max * OFF,
            "hf_min": policy.hf_min * (2 - OFF),
            "deviation_max": policy.deviation_max * OFF,
            "slippage_max": policy.slippage_max * OFF,
            "price_age_max_s": policy.price_age_max_s + 1,
            "quote_age_max_s": policy.quote_age_max_s + 1,
            "day_usd_max": more(policy.day_usd_max),
            "tx_usd": policy.tx_usd.model_copy(
                update={"min": policy.tx_usd.min * (2 - OFF), "max": more(policy.tx_usd.max)}
            ),
        }
    )


FAULTS: Mapping[str, tuple[Rule, ...]] = {
    **{f"without_{rule.id}": without(rule.id) for rule in RULES},
    **{f"flipped_{name}": with_other(name, flipped) for name in ("ltv", "balance", "quote")},
    **{
        f"generous_{name}": with_other(name, generous)
        for name in ("ltv", "health", "oracle_age", "oracle_deviation", "tx_max", "day_max")
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRails:
    """The recipe ``broken.rails``."""

    fault: str

    @property
    def seeded(self) -> bool:
        return False

    @property
    def needs(self) -> Needs:
        return Needs(memory_mb=60)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        match self.fault:
            case "accepts_everything":
                return Built(system=Railed(Willing(), ()))
            case "blocks_everything":
                return Built(system=Railed(Willing(), (lambda _q, _a: Bottom("no"),)))
            case fault:
                return Built(system=Railed(Willing(), rails(rules=FAULTS[fault])))
