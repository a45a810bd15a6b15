"""A rule: one question about one step, with its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .exact import show
from .ruling import Block, Idle, Missing, Pass, Ruling
from .sight import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is asked, of which actions, and how it is found out."""

    id: str
    says: str
    actions: frozenset[str] | None
    """None: of every action, known or not."""

    of: Callable[[Sight], Ruling]

    def judge(self, sight: Sight) -> Ruling:
        """Return the ruling; what is not known blocks."""
        if self.actions is not None and sight.step.action not in self.actions:
            return Idle(rule=self.id, says=f"does not concern {sight.step.action}")
        try:
            return self.of(sight)
        except Missing as lack:
            return Block(
                rule=f"missing:{lack.what}",
                says=f"{self.id} cannot be decided without {lack.path}",
                numbers={"path": lack.path, "needed_by": self.id},
                limit="known",
            )


def at_most(
    rule: str, value: Decimal, limit: Decimal, *, says: str, numbers: Mapping[str, str]
) -> Pass | Block:
    """Rule that a value is at most its limit; both are listed."""
    kind = Block if value > limit else Pass
    return kind(rule=rule, says=says, numbers=numbers, limit=f"<= {show(limit)}")


def at_least(
    rule: str, value: Decimal, limit: Decimal, *, says: str, numbers: Mapping[str, str]
) -> Pass | Block:
    """Rule that a value is at least its limit; both are listed."""
    kind = Block if value < limit else Pass
    return kind(rule=rule, says=says, numbers=numbers, limit=f">= {show(limit)}")


def one_of(rule: str, values: Mapping[str, str], allowed: tuple[str, ...]) -> Pass | Block:
    """Rule that every value stands on a list."""
    limit = "one of " + ", ".join(allowed)
    for role, value in values.items():
        if value not in allowed:
            return Block(
                rule=rule, says=f"the {role} {value} is not allowed", numbers=values, limit=limit
            )
    return Pass(rule=rule, says="allowed", numbers=values, limit=limit)
