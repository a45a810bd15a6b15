"""What the claims of a plan could show, given how many samples there are.

*Covered*: claims that no result could support, and what would; how likely the others are to be
supported, from guesses or from an earlier run.
*Not covered*: whether a reference will prove competent, crashes, samples that are not like the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, inf, log

from ..analysis.claims import ALPHA
from ..analysis.imagine import UNIT, Guess, Pilot, Size, imagine, imagine_again, supposing, truth_of
from ..analysis.metrics import QUANTILES, determinism, usd_per_1k, usd_per_correct
from ..analysis.power import Level, Prospect, can_be_shown, groups_for_none, prospect
from ..analysis.presumed import if_answered, if_declined
from ..analysis.table import MIN_BLOCKS, MIN_PROCESSES
from ..core.claim import Claim, Relation
from ..core.metric import Contrast, Metric, Over
from ..core.sample import Sample
from ..stats.inference import Census, Envelope
from .resolve import Resolved, ResolvedTask
from .starved import Starved, starved

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What everything is told from."""

    resolved: Resolved
    guess: Guess
    pilots: Mapping[str, Pilot]
    starved: tuple[Starved, ...]
    alpha: float


def sights(
    resolved: Resolved, guess: Guess | None = None, pilots: Mapping[str, Pilot] | None = None
) -> tuple[Sight, ...]:
    """Return what each claim of a plan could show.

    ``pilots`` has what an earlier run says, by claim id; of what it does not say, ``guess`` tells.
    """
    inferred = sum(bool(claim.over) for claim in resolved.claims)
    alpha = ALPHA / 2 / max(inferred, 1)
    asked = _Asked(resolved, guess or Guess(), pilots or {}, starved(resolved), alpha)
    return tuple(replace(_sight(asked, claim), level=alpha) for claim in resolved.claims)


def _sight(asked: _Asked, claim: Claim) -> Sight:
    task = asked.resolved.tasks[claim.task]
    if claim.metric in QUANTILES:
        return _quantile(asked, claim)
    metric = task.claimable[claim.metric]
    measured = metric.timed or claim.metric == determinism.name
    if measured and claim.metric != usd_per_correct.name:
        return _timed(asked, claim, metric)
    samples = _common(asked.resolved, task, claim)
    if not claim.over:
        says = f"read off these {len(samples):,} samples; it speaks of no others"
        return Sight(claim=claim, n=len(samples), says=says)
    if claim.metric == usd_per_correct.name:
        size = Size(n=len(samples), groups=len({s.cluster for s in samples}))
        return _likely(asked, claim, metric, size)
    if held := _declines_all(asked, claim, metric, samples):
        return held
    counted = if_answered(metric, samples)
    found = samples if counted is None else counted
    groups = len({s.cluster for s in found})
    if groups < 2 and Over.SAMPLES in claim.over:
        says = f"cannot be shown: it counts {groups} independent samples"
        return Sight(claim=claim, n=len(found), n_groups=groups, hopeless=True, says=says)
    names = [claim.system, *([claim.against] if claim.against else [])]
    seeds = tuple(len(asked.resolved.systems[name].seeds) for name in names)
    size = Size(n=len(found), groups=groups, seeds=seeds)
    share = metric.bounds == UNIT and metric.contrast is Contrast.DIFFERENCE
    limits = claim.limits(metric.contrast)
    inferred = share and Over.SAMPLES in claim.over
    if inferred and not can_be_shown(claim, limits, size, asked.alpha):
        return _cannot(asked, claim, size, limits)
    return _likely(asked, claim, metric, size)


def _cannot(asked: _Asked, claim: Claim, size: Size, limits: tuple[float, float]) -> Sight:
    """Say what even the best result shows, and how many groups would do."""
    sight = Sight(
        claim=claim, n=size.n, n_groups=size.groups, hopeless=True, says="cannot be shown"
    )
    if claim.against is not None:
        says = f"cannot be shown: {size.groups} groups are too few for any difference"
        return replace(sight, says=says, remedy="ask more groups")
    room = limits[1] if limits[1] < inf else 1 - limits[0]
    least = 1 - asked.alpha ** (1 / size.groups)
    shows = f"at most {least:.3g}" if limits[1] < inf else f"at least {1 - least:.3g}"
    says = f"cannot be shown: even a flawless result in {size.groups} groups only shows {shows}"
    needed = groups_for_none(room, asked.alpha)
    if needed is None:
        return replace(sight, says=says, remedy="no number of samples shows it: change the bound")
    there = len({s.cluster for s in asked.resolved.tasks[claim.task].task.samples("test")})
    remedy = f"takes {needed:,} groups that count for it, all flawless"
    if there > size.groups:
        remedy += f"; without its limits the test split has {there:,} groups"
    return replace(sight, says=says, remedy=remedy)


def _likely(asked: _Asked, claim: Claim, metric: Metric, size: Size) -> Sight:
    """Say how likely the claim is to be shown."""
    limits, reach = claim.limits(metric.contrast), _reach(claim, metric)
    sight = Sight(claim=claim, n=size.n, n_groups=size.groups, says="")
    if limits[0] <= reach[0] and limits[1] >= reach[1]:
        return replace(sight, says="true of every system, whatever it answers")
    if limits[0] > reach[1] or limits[1] < reach[0]:
        says = f"cannot be shown: it always lies from {reach[0]:g} to {reach[1]:g}"
        return replace(sight, says=says, hopeless=True, remedy="change the bound")
    level = Level(alpha=asked.alpha, power=asked.guess.power, reach=reach)
    pilot, told = asked.pilots.get(claim.id), ""
    if pilot is not None:
        if pilot.inference.value is not None and not isinstance(pilot.inference, Census | Envelope):
            imagined = imagine_again(pilot, size)
            truth = pilot.inference.value
            if asked.guess.effect is not None:
                truth = min(max(truth_of(claim, metric, asked.guess), reach[0]), reach[1])
            found = prospect(imagined, limits, truth=truth, size=size, level=level)
            return _told(sight, found, metric, asked.guess, basis=f"as in {pilot.run}")
        told = f"{pilot.run} has no spread for it ({pilot.inference.method}); "
    supposed = imagine(claim, metric, size, asked.guess)
    if supposed is None:
        says = f"{told}how far its numbers spread is not known before a run"
        return replace(sight, says=says, remedy="give --from RUN, or --guess spread=SD")
    truth = min(max(truth_of(claim, metric, asked.guess), reach[0]), reach[1])
    found = prospect(supposed, limits, truth=truth, size=size, level=level)
    return _told(
        sight, found, metric, asked.guess, basis=told + supposing(claim, metric, size, asked.guess)
    )


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


def _quantile(asked: _Asked, claim: Claim) -> Sight:
    """A quantile has to be reached by the timed questions, and two have no interval together."""
    timing = asked.resolved.loaded.plan.timing
    n = timing.processes * timing.blocks * timing.questions
    q, per = QUANTILES[claim.metric], timing.processes * timing.blocks
    sight = Sight(claim=claim, n=n, n_groups=per, hopeless=True, says="")
    tail = 0.025 if not claim.over else min(0.025, asked.alpha)
    needed = ceil(log(tail) / log(max(q, 1 - q)) - 1e-9)
    if n < needed:
        return replace(
            sight,
            says=f"stays undecided: {n} timed questions do not reach p{100 * q:g}",
            remedy=f"takes {needed}: set timing.questions to {ceil(needed / per)}",
        )
    if not claim.over:
        says = f"read off {n} timed questions; it speaks of no others"
        return replace(sight, n_groups=0, hopeless=False, says=says)
    if speaks := _of_one_seed(asked, claim, n):
        return speaks
    if claim.against is not None:
        says = "stays undecided: a ratio of quantiles has no interval"
        return replace(sight, says=says, remedy="write `over: []`, or claim latency_mean")
    return _blocks(asked, claim, n) or replace(
        sight, hopeless=False, says="how far times spread is not known yet"
    )


def _timed(asked: _Asked, claim: Claim, metric: Metric) -> Sight:
    timing = asked.resolved.loaded.plan.timing
    n = timing.processes * timing.blocks * timing.questions
    if not claim.over:
        return Sight(claim=claim, n=n, says=f"read off {n} timed questions; it speaks of no others")
    if claim.metric == determinism.name:
        return Sight(
            claim=claim,
            n=n,
            hopeless=True,
            says="stays undecided: asking again describes these questions only",
            remedy="write `over: []`",
        )
    if speaks := _of_one_seed(asked, claim, n):
        return speaks
    size = Size(n=n, groups=timing.processes * timing.blocks)
    return _blocks(asked, claim, n) or _likely(asked, claim, metric, size)


def _of_one_seed(asked: _Asked, claim: Claim, n: int) -> Sight | None:
    """Return that a clock is held beside one seed only; None where no other is spoken of."""
    names = [claim.system, *([claim.against] if claim.against else [])]
    if Over.SEEDS not in claim.over or all(
        len(asked.resolved.systems[name].seeds) == 1 for name in names
    ):
        return None
    paid = " (unless dollars come from bills or tokens)" if claim.metric == usd_per_1k.name else ""
    return Sight(
        claim=claim,
        n=n,
        hopeless=not paid,
        says=f"stays undecided: it is timed under one seed, which says nothing of others{paid}",
        remedy="write `over: [samples]`",
    )


def _blocks(asked: _Asked, claim: Claim, n: int) -> Sight | None:
    """Return why measurements would describe themselves only; None where they are enough."""
    timing = asked.resolved.loaded.plan.timing
    blocks = timing.processes * timing.blocks
    if timing.processes >= MIN_PROCESSES and blocks >= MIN_BLOCKS:
        return None
    return Sight(
        claim=claim,
        n=n,
        hopeless=True,
        says=f"stays undecided: {blocks} time blocks from {timing.processes} processes",
        remedy=f"to speak of another day takes {MIN_BLOCKS} from {MIN_PROCESSES} (or `over: []`)",
    )


def _declines_all(
    asked: _Asked, claim: Claim, metric: Metric, samples: list[Sample]
) -> Sight | None:
    """Return why a claim cannot be shown of a system whose threshold cannot be found."""
    for one in asked.starved:
        if one.task != claim.task or one.system not in (claim.system, claim.against):
            continue
        match if_declined(metric, samples):
            case None:
                continue
            case Census(value=value):
                low, high = claim.limits(metric.contrast)
                if claim.against is not None or low <= value <= high:
                    continue
        says = f"cannot be shown: {one.system} will decline everything"
        return Sight(claim=claim, n=len(samples), hopeless=True, says=says, remedy=one.remedy)
    return None


def _common(resolved: Resolved, task: ResolvedTask, claim: Claim) -> list[Sample]:
    names = [claim.system, *([claim.against] if claim.against else [])]
    asked = [{s.id for s in task.asked("test", resolved.systems[n].limit)} for n in names]
    return [s for s in task.splits["test"] if all(s.id in ids for ids in asked)]
