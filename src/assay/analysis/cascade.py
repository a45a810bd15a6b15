"""What a policy over several systems would have answered and cost, from their records alone.

*Covered*: every answer, failure and decline of each stage on the questions that all stages were
asked; cost and latency from the serial pass, where each system was timed alone.  *Not covered*:
stages that share a device's memory or a queue; a fallback that is slower on the hard questions
than on the timed ones, which are a random few of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf

import numpy as np

from ..core.errors import PlanError
from ..core.metric import Estimate, Origin, Over
from ..core.policy import Declines, Person, Policy, Stage
from ..stats import bootstrap, clusters, few
from ..stats.hull import upper_hull
from ..stats.inference import Census, Inference, Resampled, Undefined
from ..stats.resamples import RESAMPLES, effective
from ..store.columns import Floats
from .chain import ANSWERED, Chain, chain_of, common_seeds, reach
from .infer import summarise
from .pick import gain_over, pick_on
from .spend import Spend, Spent
from .table import Table
from .timed import Timed

STEPS = {1: 21, 2: 9, 3: 5}
"""Thresholds tried per stage, by the number of stages that have one."""
SAMPLES = frozenset({Over.SAMPLES})
UNIT = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One policy of a sweep, on test records."""

    policy: Policy
    handed_on: tuple[float, ...]
    """Share of the calibration questions that each thresholded stage was set to hand on."""

    accuracy: Estimate
    escalated: Estimate
    """Share of test questions that went past the first stage."""

    usd_per_1k: Estimate
    latency_mean: Estimate
    latency_p50: Estimate
    latency_p95: Estimate
    on_hull: bool = False
    """Whether no mixture of two other policies is as right for less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Every policy of one order of systems, and the one that calibration records pick."""

    task: str
    order: tuple[str, ...]
    person: Person | None
    options: tuple[Option, ...]
    picked: int | None
    """Index of the option that calibration records pick."""

    why: str
    """How it was picked, or why none was."""

    n: int
    n_groups: int
    best_alone: str
    """The most accurate of the systems, as it answers without a threshold; on calibration records
    where a policy is picked."""

    gain: Estimate | None
    """Accuracy of the picked policy minus that of ``best_alone``, paired; None without a pick."""


def sweep(
    test: Mapping[str, Table],
    calibration: Mapping[str, Table],
    timed: Mapping[str, Timed],
    *,
    order: Sequence[str],
    person: Person | None = None,
    margin: float = 0.0,
    rng: int,
    task: str = "",
) -> Sweep:
    """Try every threshold for the systems of ``order``, each handing on what it is unsure of.

    ``test`` and ``calibration`` hold the systems' tables as they answered, without thresholds.
    Thresholds are quantiles of each seed's own confidence on calibration records; a policy is
    picked on calibration records too (the cheapest within ``margin`` of the most accurate), and
    only then are all of them estimated on test records.  Raises ``PlanError`` A104 where the
    records cannot serve: no calibration records, seeds that do not match, no common samples.

    Not to be trusted when a stage's confidence on test questions means something else than on
    calibration questions.
    """
    doubting = order if person is not None else order[:-1]
    _require(test, calibration, order, doubting)
    # What a person alone would do is an assumption: some question must be left to a system.
    grids = {
        name: _grid(calibration[name], STEPS[len(doubting)])[: -1 if len(order) == 1 else None]
        for name in doubting
    }
    seeds = common_seeds([test[name] for name in order])
    policies, shares = [], []
    cuts = product(*(range(len(grids[name])) for name in doubting))
    for cut, declines in product(cuts, Declines):
        at = dict(zip(doubting, cut, strict=True))
        policies.append(
            Policy(
                stages=tuple(
                    Stage(system=s, at_least=grids[s][at[s]][1] if s in at else None) for s in order
                ),
                person=person,
                declines=declines,
            )
        )
        shares.append(tuple(grids[name][at[name]][0] for name in doubting))
    chain = chain_of([test[name] for name in order], seeds)
    cost = Spend.of([timed.get(name) for name in order], person, rng)
    first = chain.tables[0]
    spent: Sequence[Spent | None] = [None] * len(policies)
    if cost.known:
        spent = cost.of_policies(reach(chain, policies, resamples=RESAMPLES, rng=rng))
    options = [
        _option(policy, share, chain, cost, spent=one)
        for policy, share, one in zip(policies, shares, spent, strict=True)
    ]
    picked, why = pick_on(policies, calibration, order, seeds, cost, margin)
    # The best of several on the records that judge it is lucky; calibration says it without luck.
    judge = test if picked is None else calibration
    alone = [
        chain_of([judge[name]], seeds).terms(Policy(stages=(Stage(system=name),)))[0].mean()
        for name in order
    ]
    best = order[int(np.argmax(alone))]
    return Sweep(
        task=task,
        order=tuple(order),
        person=person,
        options=_with_hull(options),
        picked=picked,
        why=why,
        n=len(first.samples),
        n_groups=first.n_groups,
        best_alone=best,
        gain=None if picked is None else gain_over(policies[picked], best, chain),
    )


def _require(
    test: Mapping[str, Table],
    calibration: Mapping[str, Table],
    order: Sequence[str],
    doubting: Sequence[str],
) -> None:
    if not 1 <= len(doubting) <= len(STEPS) or len(set(order)) < len(order):
        raise PlanError(
            f"no cascade can be made of {', '.join(order) or 'nothing'}",
            hint="name two to four different systems, cheapest first, or one to three and a person",
            code="A104",
        )
    for name in order:
        if name not in test:
            raise PlanError(f"no system is called {name!r}", hint=", ".join(test), code="A103")
    missing = [name for name in doubting if name not in calibration]
    if missing:
        raise PlanError(
            f"{missing[0]} was asked no calibration questions, and a threshold is chosen on nothing "
            "else",
            hint=f"add `cascades: [{{order: [{', '.join(order)}]}}]` to the plan and run it again",
            code="A104",
        )


def _grid(table: Table, steps: int) -> list[tuple[float, dict[int, float]]]:
    """Return shares to hand on, and for each the threshold of every seed that does it."""
    found = []
    if np.isnan(table.confidence).all():
        steps = 1  # nothing is more doubtful than anything else
    for share in np.linspace(0.0, 1.0, steps):
        at = {}
        for row, seed in enumerate(table.seeds):
            answered = np.isin(table.outcome[row], ANSWERED)
            sure = table.confidence[row][answered & ~np.isnan(table.confidence[row])]
            if share == 0.0 or not sure.size:
                at[seed] = -np.inf
            elif share == 1.0:
                at[seed] = np.inf
            else:
                at[seed] = float(np.quantile(sure, share, method="higher"))
        found.append((float(share), at))
    return found


def _option(
    policy: Policy,
    share: tuple[float, ...],
    chain: Chain,
    cost: Spend,
    *,
    spent: Spent | None,
) -> Option:
    right, seen, asked = chain.terms(policy)
    first = chain.tables[0]
    groups = np.tile(first.codes, len(first.seeds))

    def estimate(name: str, found: Inference, *, timed: bool = False) -> Estimate:
        return summarise(
            name,
            found,
            n=len(first.samples) if not timed else len(cost.usd[0]) if cost.usd else 0,
            n_groups=first.n_groups,
            n_seeds=1 if timed else len(first.seeds),
            over=SAMPLES,
            origin=Origin.MEASURED,
        )

    assumed = policy.person is not None and policy.person.right not in (0.0, 1.0)
    terms = right.ravel(), seen.ravel()
    accuracy = (
        clusters.ratio(*terms, groups=groups, bounds=UNIT)
        if assumed
        else clusters.share(*terms, groups=groups)
    )
    past = np.zeros_like(seen) if len(asked) < 2 else asked[1] * seen
    escalated = clusters.share(past.ravel(), seen.ravel(), groups=groups)
    if spent is None:
        nothing = Undefined("a system of the cascade was not timed")
        money = mean = middle = tail = estimate("latency", nothing, timed=True)
    else:
        worth = min(effective(first.codes), inf if cost.drawn is None else effective(cost.block))
        money, mean, middle, tail = (
            estimate(name, _drawn(*found, worth=worth, timed=cost.drawn is not None), timed=True)
            for name, found in spent.items()
        )
    return Option(
        policy=policy,
        handed_on=share,
        accuracy=estimate("accuracy", accuracy),
        escalated=estimate("escalated", escalated),
        usd_per_1k=money,
        latency_mean=mean,
        latency_p50=middle,
        latency_p95=tail,
    )


def _drawn(value: float, draws: Floats, *, worth: float, timed: bool) -> Inference:
    """Infer from draws of groups worth so many of one size; too few of them leave a census."""
    found = bootstrap.resampled(value, draws, df=max(worth - 1, 1.0))
    if isinstance(found, Resampled):
        also = (
            "groups and time blocks" if timed else "groups; the times of the timed questions only"
        )
        said = found.method.replace("percentile bootstrap", f"bootstrap of {also}")
        found = few.steadied(replace(found, method=said), bounds=(0.0, inf))
    return Census(value) if isinstance(found, Undefined) else found


def _with_hull(options: Sequence[Option]) -> tuple[Option, ...]:
    known = {
        i: (x, y)
        for i, o in enumerate(options)
        if (x := o.usd_per_1k.value) is not None and (y := o.accuracy.value) is not None
    }
    if not known:
        return tuple(options)
    hull = upper_hull([x for x, _ in known.values()], [y for _, y in known.values()])
    places = list(known)
    corners = {places[i] for i in hull.vertices}
    return tuple(replace(o, on_hull=i in corners) for i, o in enumerate(options))
