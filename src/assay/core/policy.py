"""What to ship when it is not one system: whom to ask first, when to doubt, and whom to ask then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Declines(StrEnum):
    """What becomes of a question that a stage declines of its own accord."""

    HAND_ON = "hand_on"
    """The next one is asked."""

    STAND = "stand"
    """The decline is the reply: only doubtful answers and failures are handed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One system of a policy, and when its answer stands."""

    system: str
    at_least: Mapping[int, float] | None = None
    """Seed to the confidence that an answer needs to stand.  None: every answer stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is paid to answer what no system has.  Both numbers are assumptions."""

    usd: float
    """Per question."""

    right: float = 1.0
    """Share of questions that the person gets right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Ask the stages in turn until one answers; then the person, if there is one.

    >>> Policy(stages=(Stage(system="mapper", at_least={0: 0.8}), Stage(system="lm"))).name
    'mapper, then lm'
    >>> Policy(stages=(Stage(system="mapper"),), person=Person(usd=0.05)).name
    'mapper, then a person'
    """

    stages: tuple[Stage, ...]
    person: Person | None = None
    declines: Declines = Declines.HAND_ON

    @property
    def name(self) -> str:
        """The order in words."""
        names = [stage.system for stage in self.stages] + (["a person"] if self.person else [])
        return ", then ".join(names)
