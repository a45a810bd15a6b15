"""Weigh claims: the interval decides, never the point, and all claims of a plan together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

from ..core.claim import Claim, Correction, Finding, Relation, Status
from ..core.metric import Contrast, Estimate, Over
from ..stats import multiple, power
from ..stats.inference import Inference
from ..stats.quotient import is_census

ALPHA = 0.05
"""Per plan: at most this chance that any claim of the plan is wrongly called supported or
refuted.  Half of it goes to each side."""

RATE = 0.05
"""Of exploratory claims: at most this share of those that are called supported or refuted is
expected to be wrong."""


_Test: TypeAlias = Callable[[float], float | None]
"""From a bound to a p-value."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to weigh one claim with."""

    claim: Claim
    inference: Inference
    estimate: Estimate
    hold: str = ""
    """A reason why the claim stays undecided, whatever the interval says."""

    notes: tuple[str, ...] = ()
    samples_per_group: float = 0.0
    """Samples that have to be asked for one more group that counts; 0: as in the estimate."""

    contrast: Contrast = Contrast.DIFFERENCE
    """How the metric compares systems: what *within* means depends on it."""

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest number for which the claim is true."""
        return self.claim.limits(self.contrast)


@dataclass(frozen=True, slots=True)
class _Word:
    """What the correction for many claims lets be said of one claim."""

    status: Status
    tail: float
    """Of the interval that agrees with the status."""


def weigh(
    evidence: Sequence[Evidence], *, correction: Correction = Correction.HOLM
) -> list[Finding]:
    """Decide the claims of a plan together, and exploratory ones apart from them.

    Support p-values go through Holm (or Bonferroni) at 2.5 %, and refute p-values, separately, at
    2.5 %.  *Within* is supported when both one-sided tests pass (TOST), refuted when the interval
    lies outside; two edges can refute it, so each gets half the level.  Census claims (``over``
    empty) are outside of that family: they speak of these records only.  Exploratory claims are
    decided at a false discovery rate of 5 %, and never change the others.

    Source: Holm 1979; Schuirmann 1987 (TOST); Benjamini and Hochberg 1995, with directions by
    Benjamini and Yekutieli 2005.

    >>> from assay import Claim, Relation
    >>> from assay.stats.inference import Exact
    >>> claim = Claim(id="c", says="always right", task="t", system="s", metric="accuracy",
    ...               relation=Relation.AT_LEAST, bound=0.5)
    >>> estimate = Estimate(metric="accuracy", value=1.0, low=None, high=None, n=20, n_groups=20)
    >>> weigh([Evidence(claim, Exact(20, 20), estimate)])[0].status
    <Status.SUPPORTED: 'supported'>

    Not to be trusted when claims were added after looking at the records: mark them exploratory.
    """
    inferred = [e for e in evidence if e.claim.over and not is_census(e.inference)]
    sealed = [e for e in inferred if not e.claim.exploratory]
    later = [e for e in inferred if e.claim.exploratory]
    words = _confirm(sealed, correction) | _explore(later)
    return [_finding(e, words[e.claim.id]) if e.claim.id in words else _census(e) for e in evidence]


def _confirm(family: Sequence[Evidence], correction: Correction) -> dict[str, _Word]:
    """Decide a family so that the chance of any wrong word is at most ``ALPHA``."""
    correct = multiple.holm if correction is Correction.HOLM else multiple.bonferroni
    # What is undefined was promised with the rest: it counts, and shows nothing.
    p = {e.claim.id: _p_values(e) or (1.0, 1.0) for e in family}
    for_it = correct({key: support for key, (support, _) in p.items()}, alpha=ALPHA / 2)
    against = correct({key: refute for key, (_, refute) in p.items()}, alpha=ALPHA / 2)
    words = {}
    for e in family:
        one, other = for_it[e.claim.id], against[e.claim.id]
        refuting = other.level / _edges(e)
        if one.rejected:
            word = _Word(Status.SUPPORTED, one.level)
        elif other.rejected:
            word = _Word(Status.REFUTED, refuting)
        else:
            # The two sides may have other levels; only the wider interval is sure to hold an edge.
            word = _Word(Status.UNDECIDED, min(one.level, refuting))
        words[e.claim.id] = word
    return words


def _explore(family: Sequence[Evidence]) -> dict[str, _Word]:
    """Decide claims at a false discovery rate: two-sided p-values, then the side that is shown."""
    p = {e.claim.id: _p_values(e) or (1.0, 1.0) for e in family}
    tested = multiple.benjamini_hochberg(
        {key: min(1.0, 2 * min(both)) for key, both in p.items()}, rate=RATE
    )
    words = {}
    for e in family:
        (support, refute), found = p[e.claim.id], tested[e.claim.id]
        tail, refuting = found.level / 2, found.level / 2 / _edges(e)
        if not found.rejected:
            word = _Word(Status.UNDECIDED, refuting)
        elif support <= refute:
            word = _Word(Status.SUPPORTED, tail)
        else:
            word = _Word(Status.REFUTED, refuting)
        words[e.claim.id] = word
    return words


def _edges(e: Evidence) -> int:
    """Return how many edges the claim's numbers have: each of them can refute it."""
    return sum(abs(limit) < inf for limit in e.limits) if e.claim.relation is Relation.WITHIN else 1


def _p_values(e: Evidence) -> tuple[float, float] | None:
    """Return the p-values for and against a claim."""
    low, high = e.limits
    says = e.inference
    above = _sides(says.value, low, says.p_at_least, says.p_at_most)
    below = _sides(says.value, high, says.p_at_most, says.p_at_least)
    inside = [p for p in (above[0], below[0]) if p is not None]
    outside = [p for p in (above[1], below[1]) if p is not None]
    if len(inside) < 2 or len(outside) < 2:
        return None
    return max(inside), min(1.0, _edges(e) * min(outside))


def _sides(
    value: float | None, edge: float, inside: _Test, outside: _Test
) -> tuple[float | None, float | None]:
    """Return the p-values of being inside of an edge, and outside of it.

    A number on the edge is inside: what was always right is shown to be right at most always, and
    that is nothing against "at least always".
    """
    if abs(edge) == inf:
        return 0.0, 1.0
    return inside(edge), 1.0 if value == edge else outside(edge)


def _finding(e: Evidence, word: _Word) -> Finding:
    status = Status.UNDECIDED if e.hold else word.status
    notes = ((e.hold,) if e.hold else ()) + e.notes
    if e.inference.value is None:
        notes += (e.inference.method,)
    ends = e.inference.interval(1 - 2 * word.tail)
    p = _p_values(e)
    estimate = replace(
        e.estimate,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        confidence=1 - 2 * word.tail,
    )
    more = None
    if status is Status.UNDECIDED and not e.hold and e.inference.value is not None:
        more = _more_samples(e, word.tail)
    return Finding(
        claim=e.claim,
        status=status,
        estimate=estimate,
        p_support=None if p is None else p[0],
        p_refute=None if p is None else p[1],
        level=word.tail,
        more_samples=more,
        hold=e.hold,
        notes=notes,
    )


def _more_samples(e: Evidence, tail: float) -> int | None:
    groups, value = e.estimate.n_groups, e.inference.value
    if groups < 2 or value is None:
        return None
    low, high = e.limits

    def needed(bound: float, sure: float, alpha: float = tail) -> float:
        if abs(bound) == inf:
            return 0
        found = power.groups_needed(
            e.inference, bound=bound, n_groups=groups, alpha=alpha, power=sure
        )
        return inf if found is None else found

    if e.claim.relation is not Relation.WITHIN:
        more = needed(e.claim.bound, 0.8)
    elif low < value < high:
        # Both tests have to pass: what is not sure is shared evenly, or left to the nearer edge.
        alpha = tail * _edges(e)
        splits = ((0.9, 0.9), (0.81, 0.99), (0.99, 0.81))
        more = min(max(needed(low, a, alpha), needed(high, b, alpha)) for a, b in splits)
    else:
        more = needed(low if value <= low else high, 0.8)
    if more == inf:
        return None
    per_group = e.samples_per_group or e.estimate.n / groups
    return max(1, round(more * per_group))


def _census(e: Evidence) -> Finding:
    claim, ends = e.claim, e.inference.interval()
    status = Status.UNDECIDED
    notes = ((e.hold,) if e.hold else ()) + e.notes
    if e.hold:
        pass
    elif ends is None:
        notes += (e.inference.method,)
    elif claim.over:
        notes += (
            "these measurements describe themselves only: a sentence about another day needs at "
            "least 20 time blocks from three processes"
            if Over.SAMPLES in claim.over
            else "nothing to generalise from",
        )
    else:
        low, high = e.limits
        if low <= ends[0] and ends[1] <= high:
            status = Status.SUPPORTED
        elif ends[1] < low or ends[0] > high:
            status = Status.REFUTED
    return Finding(claim=claim, status=status, estimate=e.estimate, hold=e.hold, notes=notes)


def tally(findings: Sequence[Finding]) -> Mapping[Status, int]:
    """Return how many claims are supported, refuted and undecided."""
    return {status: sum(f.status is status for f in findings) for status in Status}
