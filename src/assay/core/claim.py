"""A sentence about systems, and whether the records support it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from .metric import Contrast, Estimate, Over


class Relation(StrEnum):
    """How the number stands to the bound."""

    AT_LEAST = ">="
    AT_MOST = "<="
    WITHIN = "within"
    """As good as the same: a difference of at most the bound either way, a ratio of at most the
    bound or one over it."""


class Correction(StrEnum):
    """How the claims of a plan share the chance of a wrong word."""

    HOLM = "holm"
    BONFERRONI = "bonferroni"
    """One level for every claim, which can be said in half a sentence; never finds more."""


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

    headline: bool = False
    """What the plan is about: ``against`` has to be the best rival, or the finding says so."""

    @property
    def systems(self) -> tuple[str, ...]:
        """Whom the sentence is about: one system, or two."""
        return (self.system,) if self.against is None else (self.system, self.against)

    def limits(self, contrast: Contrast) -> tuple[float, float]:
        """Return the least and the greatest number for which the claim is true.

        ``contrast`` is how the metric compares systems.

        >>> from dataclasses import replace
        >>> claim = Claim(id="same", says="a is as fast as b", task="t", system="a", against="b",
        ...               metric="latency_mean", relation=Relation.WITHIN, bound=1.25)
        >>> claim.limits(Contrast.RATIO)
        (0.8, 1.25)
        >>> replace(claim, relation=Relation.AT_MOST).limits(Contrast.RATIO)
        (-inf, 1.25)
        """
        match self.relation:
            case Relation.AT_LEAST:
                return self.bound, inf
            case Relation.AT_MOST:
                return -inf, self.bound
            case Relation.WITHIN:
                ratio = contrast is Contrast.RATIO and self.against is not None
                return (1 / self.bound if ratio else -self.bound), self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A claim, weighed."""

    claim: Claim
    status: Status
    estimate: Estimate
    """At the level that decided the claim, so that the interval and the word agree."""

    p_support: float | None = None
    """Before the correction for many claims; for *within*, the larger of its two one-sided tests.
    None for a census or an undefined number."""

    p_refute: float | None = None
    """The same against the claim; for *within*, twice the smaller of the two sides."""

    level: float = 0.025
    """One tail of the interval: what the correction for many claims left to this one."""

    more_samples: int | None = None
    """For undecided: about how many more samples, in groups as large as today's, would decide it
    four times in five if the point estimate is the truth.  None: no number of samples would."""

    hold: str = ""
    """The rule that leaves it undecided whatever the interval says; the first of the notes."""

    notes: tuple[str, ...] = ()
    """Why a rule overruled the interval: reference not competent, crashes left, adaptive reuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A number without records: displayed as *reported*, never in a front or a claim."""

    value: float
    source: str
