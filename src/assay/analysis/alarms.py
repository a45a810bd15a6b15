"""How often a gate is closed though nothing got worse: measured on the very records that it judges.

*Covered*: the whole decision (every pair, the margin, Holm), made many times on the records of two
runs whose names were shuffled, so that neither is worse.  *Not covered*: claims of the plan, and
questions of another kind than those that were asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..core.metric import Better, Contrast, Metric, Ratio
from ..stats import clusters, multiple
from ..stats.inference import Census, Inference
from ..store.columns import Floats
from .noise import LEVEL, Rate
from .regroup import Groups
from .table import Table

TRIALS = 200
FEWEST = 20
ROWS = 4_000_000
"""Rows of all trials together: about a second."""

Terms = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """One system in a run and in a baseline, on the samples that both asked, in one order."""

    name: str
    metric: Metric
    now: Table
    then: Table
    unchanged: bool
    """It passes whatever its numbers are: the same system decided every sample the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """How often the gate was closed for nothing, or why that was not measured."""

    rate: Rate | None
    why_not: str = ""
    of: Literal["records", "times"] = "records"
    """What it was measured on."""


def p_not_worse(metric: Metric, found: Inference, margin: float) -> float | None:
    """Return the p-value in support of "at most ``margin`` worse"; where neither way is worse, of "so far off".

    ``found`` is of run minus baseline.  None where nothing can be tested.
    """
    if isinstance(found, Census):
        return None
    if metric.better is Better.NONE:
        up, down = found.p_at_least(-margin), found.p_at_most(margin)
        return None if up is None or down is None else max(up, down)
    return found.p_at_least(-margin) if metric.better is Better.HIGHER else found.p_at_most(margin)


def family(found: Sequence[float | None]) -> dict[str, float]:
    """Return p-values by place; what came to nothing was compared with the rest, and counts as 1.

    >>> family([0.01, None])
    {'0': 0.01, '1': 1.0}
    """
    return {str(at): 1.0 if p is None else p for at, p in enumerate(found)}


def false_alarms(
    matched: Sequence[Matched], *, margin: float, rng: int, trials: int = TRIALS
) -> Alarms:
    """Measure how often a gate at this margin is closed though nothing got worse.

    In every trial the groups are drawn again with replacement, and a coin for each group says
    which of its two sets of replies is called new.  The two runs then differ as much as they do,
    in no direction.  The trial is an alarm when any system that may fail is not shown to be at
    most ``margin`` worse.  Large runs get fewer trials, down to 20.

    Source: sign-flip (randomisation) null, Fisher 1935; cluster bootstrap of groups.

    *Not to be trusted when* there are fewer than about 30 groups: a few groups drawn again are
    not another test set.
    """
    if why := _not_measured(matched):
        return Alarms(rate=None, why_not=why)
    rows = sum(len(each.now.samples) for each in matched)
    trials = min(trials, max(FEWEST, ROWS // rows))
    generator = np.random.Generator(np.random.PCG64([rng, 10]))
    asked = [_Asked.of(each) for each in matched]
    # Systems that were asked the same samples are drawn together: one trial is one other test set.
    draws = {
        each.samples: Groups(one.now.codes, one.now.n_groups, generator)
        for each, one in zip(asked, matched, strict=True)
    }
    alarms = sum(
        _is_closed(matched, asked, draws, margin=margin, rng=generator) for _ in range(trials)
    )
    return Alarms(rate=Rate(count=alarms, trials=trials))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What both runs have of one system: totals over seeds, scaled to one number of seeds."""

    samples: tuple[str, ...]
    now: Terms
    then: Terms

    @classmethod
    def of(cls, one: Matched) -> _Asked:
        """Return the terms as the comparison has them."""
        now, then = one.now.terms(one.metric), one.then.terms(one.metric)
        many, few = len(one.then.seeds), len(one.now.seeds)
        return cls(
            tuple(one.now.samples),
            (now[0].sum(axis=0) * many, now[1].sum(axis=0) * many),
            (then[0].sum(axis=0) * few, then[1].sum(axis=0) * few),
        )


def _not_measured(matched: Sequence[Matched]) -> str:
    if all(each.unchanged for each in matched):
        return "every system is the same, and decided every sample the same"
    for each in matched:
        form, contrast = each.metric.form, each.metric.contrast
        if not isinstance(form, Ratio) or contrast is not Contrast.DIFFERENCE:
            return f"{each.metric.name} of {each.name} is no mean over samples"
        if not (each.now.complete and each.then.complete):
            return f"replies of {each.name} were not observed (crashes are left)"
    return ""


def _is_closed(
    matched: Sequence[Matched],
    asked: Sequence[_Asked],
    draws: Mapping[tuple[str, ...], Groups],
    *,
    margin: float,
    rng: np.random.Generator,
) -> bool:
    drawn = {}
    for samples, draw in draws.items():
        rows, groups = draw.again()
        drawn[samples] = rows, groups, rng.random(draw.n_groups)[groups] < 0.5
    found = []
    for one, terms in zip(matched, asked, strict=True):
        rows, groups, coin = drawn[terms.samples]
        now, then = ((above[rows], below[rows]) for above, below in (terms.now, terms.then))
        new = np.where(coin, now[0], then[0]), np.where(coin, now[1], then[1])
        old = np.where(coin, then[0], now[0]), np.where(coin, then[1], now[1])
        inference = clusters.paired(new, old, groups=groups, bounds=one.metric.bounds)
        found.append(p_not_worse(one.metric, inference, margin))
    tested = multiple.holm(family(found), alpha=LEVEL)
    return any(
        not one.unchanged and not tested[str(place)].rejected for place, one in enumerate(matched)
    )
