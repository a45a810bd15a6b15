"""The noise floor: how often the comparison cries wolf on these records, and what it can see.

*Covered*: the comparison that ``compare`` and ``gate`` make (paired, groups resampled as groups),
run many times on records in which nothing, or a known loss, is there to be found.  *Not covered*:
another day's questions of another kind; a loss that falls on whole groups at once is harder to see
than a planted one, which falls on single questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from ..core.errors import PlanError
from ..core.metric import Better, Metric, Ratio
from ..stats import binomial, clusters
from ..stats.inference import Inference, Undefined
from ..store.columns import Floats
from .regroup import Groups
from .table import Table

UNIT = (0.0, 1.0)
LEVEL = 0.025
"""One-sided, as in ``compare`` and ``gate``."""

DROPS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
Terms = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of some trials."""

    count: int
    trials: int

    @property
    def value(self) -> float:
        """The share."""
        return self.count / self.trials

    @property
    def ends(self) -> tuple[float, float]:
        """The 95 % Clopper-Pearson interval of the share.

        >>> low, high = Rate(count=0, trials=100).ends
        >>> low, round(high, 3)
        (0.0, 0.036)
        """
        found = binomial.clopper_pearson(self.count, self.trials)
        assert not isinstance(found, Undefined)  # there is at least one trial
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SameAgainstSame:
    """Two systems with their names shuffled, group by group: nothing is there to be found."""

    system: str
    against: str
    alarms: Rate
    """How often a difference was called all the same; at most 5 % is promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A system against itself with some right answers spoiled."""

    system: str
    drop: float
    """How much worse it was made; 0: only churn, nothing lost."""

    churn: float
    """Share of questions that changed besides, as many for the better as for the worse: what two
    seeds of the system differ in; 0 for a system that no seed changes."""

    seen: Rate
    """How often ``compare`` says *worse*."""

    stopped: Rate
    """How often ``gate`` stays closed, at its margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """Seeds of one system against one another: the same recipe, made again."""

    system: str
    called: Rate
    """How often two of them are called different.  Its ``ends`` say nothing: pairs share seeds."""

    churn: float
    """Share of questions on which two of them differ in being right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """What these records can and cannot show."""

    task: str
    metric: str
    n: int
    n_groups: int
    margin: float
    same: tuple[SameAgainstSame, ...]
    retrained: tuple[Retrained, ...]
    planted: tuple[Planted, ...]

    def visible(self, system: str) -> float | None:
        """Return the smallest planted drop that was seen at least 80 % of the time."""
        seen = [
            p.drop for p in self.planted if p.system == system and p.seen.value >= 0.8 and p.drop
        ]
        return min(seen, default=None)


def noise_floor(
    task: str,
    metric: Metric,
    tables: dict[str, Table],
    *,
    margin: float,
    trials: int,
    rng: int,
) -> NoiseFloor:
    """Measure false alarms and detections of the paired comparison on these very records.

    ``tables`` are the systems under test.  In every trial the groups are drawn again with
    replacement, so that a trial stands for another test set of this kind.

    Raises ``PlanError`` A104 for a metric that is no share of questions, or without records.
    Source: sign-flip (randomisation) null, Fisher 1935; cluster bootstrap of groups.

    *Not to be trusted when* there are fewer than about 30 groups: a few groups drawn again are
    not another test set.
    """
    if not isinstance(metric.form, Ratio) or metric.bounds != UNIT:
        raise PlanError(
            f"noise is measured on shares, and {metric.name} is none",
            hint="name a metric such as accuracy",
            code="A104",
        )
    if not tables or trials < 1:
        raise PlanError("there is no system under test to measure noise on", code="A104")
    if metric.better is Better.NONE:
        raise PlanError(
            f"neither more nor less of {metric.name} is better: nothing can get worse by it",
            hint="name a metric such as accuracy",
            code="A104",
        )
    lower = metric.better is Better.LOWER
    generator = np.random.Generator(np.random.PCG64([rng, 9]))
    first = next(iter(tables.values()))
    return NoiseFloor(
        task=task,
        metric=metric.name,
        n=len(first.samples),
        n_groups=first.n_groups,
        margin=margin,
        same=tuple(_shuffled(metric, tables, trials, generator)),
        retrained=tuple(_retrained(metric, tables)),
        planted=tuple(
            _planted(metric, table, drop, margin, trials, generator, lower=lower)
            for table in tables.values()
            for drop in DROPS
            if _can_lose(metric, table, drop, lower=lower)
        ),
    )


def _shuffled(
    metric: Metric, tables: dict[str, Table], trials: int, rng: np.random.Generator
) -> Iterator[SameAgainstSame]:
    names = list(tables)
    for one, other in pairwise(names):
        a, b = tables[one], tables[other]
        common = [s for s in a.samples if s in set(b.samples)]
        if not common:
            continue
        a, b = a.only(common), b.only(common)
        pair = _pooled(metric, a, len(b.seeds)), _pooled(metric, b, len(a.seeds))
        draw = Groups(a.codes, a.n_groups, rng)
        alarms = 0
        for _ in range(trials):
            rows, groups = draw.again()
            # A coin per drawn group says which of the two has which name.
            coin = rng.random(a.n_groups)[groups] < 0.5
            (an, ad), (bn, bd) = ((n[rows], d[rows]) for n, d in pair)
            left = np.where(coin, an, bn), np.where(coin, ad, bd)
            right = np.where(coin, bn, an), np.where(coin, bd, ad)
            alarms += _differs(clusters.paired(left, right, groups=groups, bounds=UNIT))
        yield SameAgainstSame(system=one, against=other, alarms=Rate(count=alarms, trials=trials))


def _retrained(metric: Metric, tables: dict[str, Table]) -> Iterator[Retrained]:
    for name, table in tables.items():
        above, below = table.terms(metric)
        every = list(combinations(range(len(table.seeds)), 2))
        if not every:
            continue
        found = [
            clusters.paired(
                (above[i], below[i]), (above[j], below[j]), groups=table.codes, bounds=UNIT
            )
            for i, j in every
        ]
        yield Retrained(
            system=name,
            called=Rate(count=sum(map(_differs, found)), trials=len(every)),
            churn=_churn(above),
        )


def _churn(above: Floats) -> float:
    """Return the share of questions on which two seeds differ, over all pairs of seeds."""
    pairs = list(combinations(range(len(above)), 2))
    return float(np.mean([(above[i] != above[j]).mean() for i, j in pairs])) if pairs else 0.0


def _planted(
    metric: Metric,
    table: Table,
    drop: float,
    margin: float,
    trials: int,
    rng: np.random.Generator,
    *,
    lower: bool,
) -> Planted:
    above, below = table.terms(metric)
    churn = _churn(above)
    draw = Groups(table.codes, table.n_groups, rng)
    good = above < 1.0 if lower else above > 0.0
    asked = below > 0
    # A loss is a share of what the metric counts, churn one of all questions.  Half of the churn mends,
    # as much as it spoils: two seeds that differ have one bad answer, so that there is as much to mend.
    spoil = (drop * float(asked.mean()) + churn / 2.0) / float((good & asked).mean())
    mend = churn / 2.0 / max(float((~good & asked).mean()), churn / 2.0) if churn else 0.0
    chance = np.where(good, spoil, mend) if churn else np.where(good, spoil, 0.0)
    chance = np.where(asked, chance, 0.0)
    seen = stopped = 0
    for _ in range(trials):
        # Drawn first and spoiled then: a group that is drawn twice loses other answers each time.
        rows, groups = draw.again()
        before = above[:, rows]
        flipped = rng.random(before.shape) < chance[:, rows]
        after = np.where(flipped, 1.0 - before, before)
        counted = below[:, rows].sum(axis=0)
        now, then = (after.sum(axis=0), counted), (before.sum(axis=0), counted)
        found = clusters.paired(now, then, groups=groups, bounds=UNIT)
        worse = found.p_at_least(0.0) if lower else found.p_at_most(0.0)
        close = found.p_at_most(margin) if lower else found.p_at_least(-margin)
        seen += worse is not None and worse <= LEVEL and found.value != 0.0
        stopped += close is None or close > LEVEL
    return Planted(
        system=table.system,
        drop=drop,
        churn=churn,
        seen=Rate(count=seen, trials=trials),
        stopped=Rate(count=stopped, trials=trials),
    )


def _can_lose(metric: Metric, table: Table, drop: float, *, lower: bool) -> bool:
    above, below = table.terms(metric)
    asked = below > 0
    good = (above < 1.0 if lower else above > 0.0) & asked
    return float(good.mean()) > drop * float(asked.mean()) + _churn(above) / 2.0


def _pooled(metric: Metric, table: Table, times: int) -> Terms:
    """Return totals over seeds per sample, scaled to the other system's number of seeds."""
    above, below = table.terms(metric)
    return above.sum(axis=0) * times, below.sum(axis=0) * times


def _differs(found: Inference) -> bool:
    up, down = found.p_at_least(0.0), found.p_at_most(0.0)
    if up is None or down is None or found.value == 0.0:
        return False
    return min(up, down) <= LEVEL
