"""How likely a claim is to be shown, from a guess or from an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from ..analysis.claims import ALPHA
from ..analysis.imagine import Guess, Pilot, Size, imagine, imagine_again, supposing, truth_of
from ..analysis.power import Level, Prospect, prospect
from ..core.claim import Claim, Relation
from ..core.metric import Contrast, Metric
from ..stats.inference import Census, Envelope

LEAST_RATIO = 1e-9
"""Ratios have logarithms: none is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one claim could show."""

    claim: Claim
    says: str
    n: int = 0
    """Samples that count for it, asked of every system that it names."""

    n_groups: int = 0
    level: float = ALPHA / 2
    """The one-sided level that it is left with if no other claim is shown."""

    hopeless: bool = False
    """Whether no result could support it."""

    remedy: str = ""
    """What would make it possible, or likely."""

    basis: str = ""
    """Where the supposed numbers come from."""

    prospect: Prospect | None = None

    @property
    def shown_from(self) -> float | None:
        """With a true value this good or better it is shown as often as is wanted."""
        return None if self.prospect is None else self.prospect.shown_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """What is taken for true before anything ran."""

    guess: Guess
    pilots: Mapping[str, Pilot]
    """What an earlier run says, by claim id."""

    alpha: float
    """The one-sided level of each claim."""


def foresee(supposed: Supposed, claim: Claim, metric: Metric, size: Size) -> Sight:
    """Say how likely a claim on samples of that size is to be shown."""
    guess = supposed.guess
    limits, reach = claim.limits(metric.contrast), _reach(claim, metric)
    sight = Sight(claim=claim, n=size.n, n_groups=size.groups, says="")
    if limits[0] <= reach[0] and limits[1] >= reach[1]:
        return replace(sight, says="true of every system, whatever it answers")
    if limits[0] > reach[1] or limits[1] < reach[0]:
        says = f"cannot be shown: it always lies from {reach[0]:g} to {reach[1]:g}"
        return replace(sight, says=says, hopeless=True, remedy="change the bound")
    level = Level(alpha=supposed.alpha, power=guess.power, reach=reach)
    pilot, told = supposed.pilots.get(claim.id), ""
    if pilot is not None:
        if pilot.inference.value is not None and not isinstance(pilot.inference, Census | Envelope):
            again = imagine_again(pilot, size)
            truth = pilot.inference.value
            if guess.effect is not None:
                truth = min(max(truth_of(claim, metric, guess), reach[0]), reach[1])
            found = prospect(again, limits, truth=truth, size=size, level=level)
            return _told(sight, found, metric, guess, basis=f"as in {pilot.run}")
        told = f"{pilot.run} has no spread for it ({pilot.inference.method}); "
    imagined = imagine(claim, metric, size, guess)
    if imagined is None:
        says = f"{told}how far its numbers spread is not known before a run"
        return replace(sight, says=says, remedy="give --from RUN, or --guess spread=SD")
    truth = min(max(truth_of(claim, metric, guess), reach[0]), reach[1])
    found = prospect(imagined, limits, truth=truth, size=size, level=level)
    basis = told + supposing(claim, metric, size, guess)
    return _told(sight, found, metric, guess, basis=basis)


def _told(sight: Sight, found: Prospect, metric: Metric, guess: Guess, *, basis: str) -> Sight:
    claim = sight.claim
    times = "four times in five" if guess.power == 0.8 else f"{100 * guess.power:g} % of the time"
    what = "the truth" if claim.against is None else "the true difference"
    sign = "" if claim.against is None else "+"
    if claim.against and metric.contrast is Contrast.RATIO:
        what, sign = "the true ratio", ""
    if found.shown_from is None:
        says = f"not shown {times} even if {what} is as good as can be"
    elif claim.relation is Relation.WITHIN:
        says = f"shown {times} if they are within {found.shown_from:.3g}"
    else:
        word = "at most" if claim.relation is Relation.AT_MOST else "at least"
        says = f"shown {times} if {what} is {word} {found.shown_from:{sign}.3g}"
    if found.truth is not None and found.power is not None:
        says += f"; at {found.truth:{sign}.3g} with {100 * found.power:.0f} %"
        if found.refuted is not None and found.refuted > 0.2:
            says += f" (refuted with {100 * found.refuted:.0f} %)"
    remedy = ""
    if found.truth is not None and found.power is not None and found.power < guess.power:
        if found.groups_needed is None:
            remedy = f"no number of samples shows it {times} at {found.truth:{sign}.3g}"
        else:
            more = max(found.groups_needed, 1)
            remedy = f"at {found.truth:{sign}.3g} it takes {more:,} groups"
            if sight.n > sight.n_groups > 0 and not metric.timed:
                remedy += f", about {round(more * sight.n / sight.n_groups):,} samples"
    return replace(sight, says=says, prospect=found, basis=basis, remedy=remedy)


def _reach(claim: Claim, metric: Metric) -> tuple[float, float]:
    if claim.against is None:
        return metric.bounds
    if metric.contrast is Contrast.RATIO:
        return LEAST_RATIO, inf
    reach = metric.bounds[1] - metric.bounds[0]
    return -reach, reach
