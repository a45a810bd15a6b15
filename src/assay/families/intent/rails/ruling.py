"""What a rule says of one step: it passes, it blocks, or the rule has nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A rule is kept; by how much, its numbers say."""

    rule: str
    says: str
    numbers: Mapping[str, str] = field(default_factory=dict)
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A rule is broken, or what it needs is not known (``missing:<what>``)."""

    rule: str
    says: str
    numbers: Mapping[str, str] = field(default_factory=dict)
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A rule that does not concern this action."""

    rule: str
    says: str


Ruling: TypeAlias = Pass | Block | Idle


class Missing(Exception):  # noqa: N818  (it is no error: a rule says what it lacks)
    """A rule cannot be decided: this is not known."""

    def __init__(self, what: str, path: str) -> None:
        self.what, self.path = what, path
        super().__init__(what, path)


class Unclear(Missing):
    """A rule cannot be decided: what the step says of this makes no sense."""

    def __init__(self, what: str, says: str) -> None:
        super().__init__(what, f"step.{what}")
        self.says = says
