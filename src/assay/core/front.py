"""Which systems nothing else is shown to beat.  Dominance is a claim like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .metric import Better, Estimate


class Standing(StrEnum):
    """Where a system stands."""

    ON = "on"
    """On the front of the point estimates, and nothing is shown to beat it."""
    BEATEN = "beaten"
    """Another system is shown to be better on every objective at once."""
    UNRESOLVED = "unresolved"
    """Behind on the point estimates, but not shown to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One system on a front."""

    system: str
    at: Mapping[str, Estimate]
    standing: Standing
    beaten_by: tuple[str, ...] = ()
    frequency: float | None = None
    """Resampling frequency of standing on the front; not a probability of truth."""

    on_hull: bool = False
    """Whether no mixture of two other systems does better (first two objectives)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The systems of one task on a few objectives."""

    task: str
    objectives: tuple[tuple[str, Better], ...]
    points: tuple[Point, ...]
