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
from ..analysis.imagine import UNIT, Guess, Pilot, Size
from ..analysis.metrics import QUANTILES, determinism, usd_per_1k, usd_per_correct
from ..analysis.power import can_be_shown, groups_for_none
from ..analysis.presumed import if_answered, if_declined
from ..analysis.timed import MIN_BLOCKS, MIN_PROCESSES
from ..core.claim import Claim
from ..core.metric import Contrast, Metric, Over
from ..core.sample import Sample
from ..stats.inference import Census
from .chances import Sight, Supposed, foresee
from .resolve import Resolved
from .resolved import ResolvedTask
from .starved import Starved, starved


@dataclass(frozen=True, slots=True)
class _Asked:
    """What everything is told from."""

    resolved: Resolved
    starved: tuple[Starved, ...]
    supposed: Supposed

    @property
    def alpha(self) -> float:
        return self.supposed.alpha


def sights(
    resolved: Resolved, guess: Guess | None = None, pilots: Mapping[str, Pilot] | None = None
) -> tuple[Sight, ...]:
    """Return what each claim of a plan could show.

    ``pilots`` has what an earlier run says, by claim id; of what it does not say, ``guess`` tells.
    """
    inferred = sum(bool(claim.over) for claim in resolved.claims)
    alpha = ALPHA / 2 / max(inferred, 1)
    supposed = Supposed(guess=guess or Guess(), pilots=pilots or {}, alpha=alpha)
    asked = _Asked(resolved, starved(resolved), supposed)
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
        return foresee(asked.supposed, claim, metric, size)
    if held := _declines_all(asked, claim, metric, samples):
        return held
    counted = if_answered(metric, samples)
    found = samples if counted is None else counted
    groups = len({s.cluster for s in found})
    if groups < 2 and Over.SAMPLES in claim.over:
        says = f"cannot be shown: it counts {groups} independent samples"
        return Sight(claim=claim, n=len(found), n_groups=groups, hopeless=True, says=says)
    seeds = tuple(len(asked.resolved.systems[name].seeds) for name in claim.systems)
    size = Size(n=len(found), groups=groups, seeds=seeds)
    share = metric.bounds == UNIT and metric.contrast is Contrast.DIFFERENCE
    limits = claim.limits(metric.contrast)
    inferred = share and Over.SAMPLES in claim.over
    if inferred and not can_be_shown(claim, limits, size, asked.alpha):
        return _cannot(asked, claim, metric, size)
    return foresee(asked.supposed, claim, metric, size)


def _cannot(asked: _Asked, claim: Claim, metric: Metric, size: Size) -> Sight:
    """Say what even the best result shows, and how many groups would do."""
    limits = claim.limits(metric.contrast)
    sight = Sight(
        claim=claim, n=size.n, n_groups=size.groups, hopeless=True, says="cannot be shown"
    )
    if claim.against is not None and (limits[0] >= 1 or limits[1] <= -1):
        says = "cannot be shown: two shares are not that far apart"
        return replace(sight, says=says, remedy="no number of samples shows it: change the bound")
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
    split = asked.resolved.tasks[claim.task].task.samples("test")
    counted = if_answered(metric, split)
    there = len({s.cluster for s in (split if counted is None else counted)})
    remedy = f"takes {needed:,} groups that count for it, all flawless"
    if there > size.groups:
        remedy += f"; without its limits the test split has {there:,} of them"
    return replace(sight, says=says, remedy=remedy)


def _untimed(asked: _Asked, claim: Claim) -> Sight | None:
    """Return that nothing is timed; None where there is a timing pass."""
    if asked.resolved.loaded.plan.timing.processes:
        return None
    return Sight(
        claim=claim,
        n=0,
        hopeless=True,
        says="stays undecided: the plan has no timing pass",
        remedy="set timing.processes to 3",
    )


def _quantile(asked: _Asked, claim: Claim) -> Sight:
    """A quantile has to be reached by the timed questions, and two have no interval together."""
    if never := _untimed(asked, claim):
        return never
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
    if never := _untimed(asked, claim):
        return never
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
    return _blocks(asked, claim, n) or foresee(asked.supposed, claim, metric, size)


def _of_one_seed(asked: _Asked, claim: Claim, n: int) -> Sight | None:
    """Return that a clock is held beside one seed only; None where no other is spoken of."""
    if Over.SEEDS not in claim.over or all(
        len(asked.resolved.systems[name].seeds) == 1 for name in claim.systems
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
    limits = [resolved.systems[name].limit for name in claim.systems]
    asked = [{s.id for s in task.asked("test", limit)} for limit in limits]
    return [s for s in task.splits["test"] if all(s.id in ids for ids in asked)]
