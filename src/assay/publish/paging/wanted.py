"""Which samples somebody wants to see, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ...core.verdict import Outcome


class Order(StrEnum):
    """What comes first."""

    APART = "apart"
    """Samples on which systems disagree; then those that fewest get right, then by id."""

    ID = "id"
    """By id."""

    SURE = "sure"
    """What the system (any system that is no control) was surest of."""

    UNSURE = "unsure"
    """What it was least sure of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Conditions that a sample meets all of."""

    system: str = ""
    """It was asked this one; other conditions then speak of its replies, and else of any system's
    that is no control."""

    outcomes: frozenset[Outcome] = frozenset()
    """Some reply, under any seed, came to one of these, as shipped."""

    tag: str = ""
    against: str = ""
    """``system`` is right and this one is not, or the other way round, under their first seeds."""

    apart: bool = False
    """Some systems are right and some are not, under their first seeds."""

    text: str = ""
    """Its input, target or id has this text, upper or lower case.  Every line is read for it."""

    order: Order = Order.APART
