"""A sentence about systems, and whether the records support it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .metric import Estimate, Over


class Relation(StrEnum):
    """How the number stands to the bound."""

    AT_LEAST = ">="
    AT_MOST = "<="


class Status(StrEnum):
    """What the records say of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Every threshold, gate, regression, operating point and paper claim is this one noun.

    >>> Claim(id="good", says="a is right nine times in ten", task="t", system="a",
    ...       metric="accuracy", relation=Relation.AT_LEAST, bound=0.9).against is None
    True
    """

    id: str
    says: str
    """The sentence that the report prints."""

    task: str
    system: str
    metric: str
    relation: Relation
    bound: float
    against: str | None = None
    """Another system; then ``bound`` is on the paired difference ``system - against``, or, for a
    metric measured on a ratio scale (dollars, seconds), on the ratio ``system / against``."""

    over: frozenset[Over] = field(default_factory=lambda: frozenset({Over.SAMPLES}))
    """What the sentence generalises to; empty means exactly these records (a census)."""

    exploratory: bool = False
    """Added after the run was sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A claim, weighed."""

    claim: Claim
    status: Status
    estimate: Estimate
    """At the level that decided the claim, so that the interval and the word agree."""

    p_support: float | None = None
    """One-sided, before Holm; None for a census or an undefined number."""

    p_refute: float | None = None
    level: float = 0.025
    """The one-sided level that Holm left to this claim."""

    more_samples: int | None = None
    """For undecided: about how many more samples, in groups as large as today's, would decide it
    if the point estimate is the truth.  None: no number of samples would."""

    notes: tuple[str, ...] = ()
    """Why a rule overruled the interval: reference not competent, crashes left, adaptive reuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A number without records: displayed as *reported*, never in a front or a claim."""

    value: float
    source: str
