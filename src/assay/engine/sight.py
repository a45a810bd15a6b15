"""What the claims of a plan could show, given how many samples there are."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from ..analysis.claims import ALPHA
from ..analysis.metrics import QUANTILES, determinism
from ..analysis.table import MIN_BLOCKS, MIN_PROCESSES
from ..core.claim import Claim, Relation
from ..core.metric import Columns, Contrast, Metric, Over, Ratio
from ..core.reply import Bottom
from ..core.sample import Sample
from ..core.verdict import Outcome
from ..stats import power
from ..stats.binomial import upper_bound
from ..stats.inference import Exact, Score, Undefined
from .resolve import Resolved, ResolvedTask

DISCORDANCE = 0.2
"""Assumed share of samples on which two systems differ, before anything has run."""

POWER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one claim could show."""

    claim: Claim
    n: int = 0
    """Samples that count for it, asked of every system that it names."""

    n_groups: int = 0
    shown_from: float | None = None
    """With a true value this good or better it is shown four times in five."""

    hopeless: bool = False
    """Whether no result could support it."""

    says: str


def sights(resolved: Resolved) -> tuple[Sight, ...]:
    """Return what each claim of a plan could show; a group counts once, seeds add nothing."""
    inferred = sum(bool(claim.over) for claim in resolved.claims)
    alpha = ALPHA / 2 / max(inferred, 1)
    return tuple(_sight(resolved, claim, alpha) for claim in resolved.claims)


def _sight(resolved: Resolved, claim: Claim, alpha: float) -> Sight:
    task = resolved.tasks[claim.task]
    if (
        claim.metric in QUANTILES
        or task.metrics[claim.metric].timed
        or (claim.metric == determinism.name)
    ):
        return _timed(resolved, claim)
    metric = task.metrics[claim.metric]
    samples = _common(resolved, task, claim)
    if not claim.over:
        says = f"read off these {len(samples):,} samples; it speaks of no others"
        return Sight(claim=claim, n=len(samples), says=says)
    counted = _counted(metric, samples)
    if counted is None or metric.bounds != (0.0, 1.0) or metric.contrast is Contrast.RATIO:
        says = "how far its numbers spread is not known before a run"
        return Sight(claim=claim, n=len(samples), says=says)
    groups = len({s.cluster for s in counted})
    if groups < 2:
        says = f"cannot be shown: it counts {groups} independent samples"
        return Sight(claim=claim, n=len(counted), n_groups=groups, hopeless=True, says=says)
    see = _share if claim.against is None else _difference
    shown_from, hopeless, says = see(claim, groups, alpha)
    if Over.SEEDS in claim.over and shown_from is not None:
        says += "; more if seeds matter"
    return Sight(
        claim=claim,
        n=len(counted),
        n_groups=groups,
        shown_from=shown_from,
        hopeless=hopeless,
        says=says,
    )


def _timed(resolved: Resolved, claim: Claim) -> Sight:
    timing = resolved.loaded.plan.timing
    blocks = timing.processes * timing.blocks
    n = blocks * timing.questions
    if not claim.over:
        return Sight(claim=claim, n=n, says=f"read off {n} timed questions; it speaks of no others")
    if claim.metric == determinism.name:
        says = "stays undecided: asking again describes these questions only (write `over: []`)"
        return Sight(claim=claim, n=n, hopeless=True, says=says)
    if timing.processes < MIN_PROCESSES or blocks < MIN_BLOCKS:
        says = (
            f"stays undecided: {blocks} time blocks from {timing.processes} processes; to speak of "
            f"another day takes {MIN_BLOCKS} from {MIN_PROCESSES} (or write `over: []`)"
        )
        return Sight(claim=claim, n=n, hopeless=True, says=says)
    return Sight(claim=claim, n=n, n_groups=blocks, says="how far times spread is not known yet")


def _share(claim: Claim, groups: int, alpha: float) -> tuple[float | None, bool, str]:
    """Look for the truth that is shown four times in five, every group one independent sample."""
    at_most = claim.relation is Relation.AT_MOST
    room = claim.bound if at_most else 1.0 - claim.bound
    word = "at most" if at_most else "at least"
    if room >= 1.0:
        return None, False, f"true of every system: a share is always {word} {claim.bound:g}"
    allowed = _most_events(room, groups, alpha)
    if allowed is None:
        least = upper_bound(0, groups, confidence=1 - alpha)
        assert not isinstance(least, Undefined)
        says = (
            f"cannot be shown: even a flawless result only shows {word} "
            f"{least if at_most else 1.0 - least:.3g}"
        )
        return None, True, says
    events = upper_bound(allowed, groups, confidence=1 - POWER)
    assert not isinstance(events, Undefined)
    truth = events if at_most else 1.0 - events
    return truth, False, f"shown four times in five if the truth is {word} {truth:.3g}"


def _most_events(room: float, groups: int, alpha: float) -> int | None:
    """Return with how many events of so many "at most room" is still shown."""
    low, high = -1, groups
    while high - low > 1:
        middle = (low + high) // 2
        seen: Exact | Score = (
            Exact(0, groups) if middle == 0 else Score(share=middle / groups, n_eff=groups)
        )
        low, high = (middle, high) if seen.p_at_most(room) <= alpha else (low, middle)
    return low if low >= 0 else None


def _difference(claim: Claim, groups: int, alpha: float) -> tuple[float | None, bool, str]:
    gap = power.minimum_detectable(
        sqrt(DISCORDANCE / groups), n_groups=groups, alpha=alpha, power=POWER
    )
    if claim.relation is Relation.WITHIN:
        return _equivalence(claim, groups, alpha)
    at_most = claim.relation is Relation.AT_MOST
    truth = claim.bound - gap if at_most else claim.bound + gap
    word = "at most" if at_most else "at least"
    says = (
        f"shown four times in five if the true difference is {word} {truth:+.3g}, "
        f"supposing that the two differ on one sample in {1 / DISCORDANCE:g}"
    )
    return truth, False, says


def _equivalence(claim: Claim, groups: int, alpha: float) -> tuple[float | None, bool, str]:
    """Both tests have to pass: at no difference, each of them nine times in ten."""
    gap = power.minimum_detectable(
        sqrt(DISCORDANCE / groups), n_groups=groups, alpha=alpha, power=(1 + POWER) / 2
    )
    supposing = f"supposing that the two differ on one sample in {1 / DISCORDANCE:g}"
    if gap > claim.bound:
        says = f"not shown four times in five even if there is no difference, {supposing}"
        return None, False, says
    truth = claim.bound - gap
    return truth, False, f"shown four times in five if they are within {truth:.3g}, {supposing}"


def _common(resolved: Resolved, task: ResolvedTask, claim: Claim) -> list[Sample]:
    names = [claim.system, *([claim.against] if claim.against else [])]
    asked = [{s.id for s in task.asked("test", resolved.systems[n].limit)} for n in names]
    return [s for s in task.splits["test"] if all(s.id in ids for ids in asked)]


def _counted(metric: Metric, samples: list[Sample]) -> list[Sample] | None:
    """Return the samples in a metric's denominator, if everything is answered."""
    if not isinstance(metric.form, Ratio):
        return None
    no_answer = np.array([isinstance(s.target, Bottom) for s in samples], dtype=np.float64)
    columns: Columns = {
        **{outcome.value: np.zeros(len(samples)) for outcome in Outcome},
        "correct": 1.0 - no_answer,
        "invented": no_answer,
        "asked": np.ones(len(samples)),
        "no_answer": no_answer,
    }
    if not set(metric.columns) <= set(columns):
        return None
    below = np.asarray(metric.form.denominator(columns), dtype=np.float64)
    return [s for s, weight in zip(samples, below, strict=True) if weight > 0]
