"""What a system's records would have been above each of some offered thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from ..core.errors import DataError, PlanError
from ..core.metric import Estimate, Ratio
from ..stats import threshold as ltt
from ..store.columns import CODE
from .case import Case
from .cuts import ANSWERED
from .rules import ByUtility, MaxRisk
from .table import Table
from .thresholds import scores_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One threshold, and every metric of outcomes above it."""

    threshold: float
    calibration: Mapping[str, Estimate]
    """What the choice may rest on."""

    test: Mapping[str, Estimate]
    worth: float | None = None
    """Mean payoff on calibration of what has an answer; None under a rule that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Offered thresholds from low to high, and which of them calibration picks."""

    system: str
    points: tuple[Offered, ...]
    rule: MaxRisk | ByUtility
    picked: float | None
    """None: none of them may be had under the rule; ``why`` says so."""

    why: str = ""

    @property
    def promise(self) -> str:
        """What may be said of the pick."""
        return self.rule.refusal if self.picked is None else self.rule.promise

    @property
    def chosen(self) -> Offered | None:
        """The point that was picked."""
        return next((p for p in self.points if p.threshold == self.picked), None)


def offer(
    case: Case, system: str, thresholds: Sequence[float], *, rule: MaxRisk | ByUtility
) -> Offers:
    """Put a system above each threshold; pick one of them on calibration records alone.

    ``thresholds`` are confidences in [0, 1], fixed before anybody saw the records.  With ``MaxRisk``
    they are tested strictest first, each on one random sample per calibration group, until the first
    failure (Learn then Test, Angelopoulos et al. 2021); under several seeds the pick has passed under
    each.  With ``ByUtility`` the one with the largest mean payoff on calibration is picked, the
    strictest among equals.

    Raises ``DataError`` A202 for thresholds that are none; ``PlanError`` A103 for an unknown system,
    A104 for one that was asked no calibration question.

    *Not to be trusted when* the list was made by looking at the test.
    """
    asked = np.unique(np.asarray(thresholds, dtype=np.float64))
    if not asked.size or not all(isfinite(t) and 0 <= t <= 1 for t in asked.tolist()):
        raise DataError(
            "thresholds are confidences from 0 to 1", hint="for example 0.5,0.6,0.7", code="A202"
        )
    require_calibration(case, system)
    held, seen = case.calibration[system], case.raw[system]
    points = tuple(
        Offered(
            threshold=at,
            calibration=_estimates(case, system, held, at),
            test=_estimates(case, system, seen, at),
            worth=_worth(held, at, rule) if isinstance(rule, ByUtility) else None,
        )
        for at in asked.tolist()
    )
    picked, why = pick(held, asked.tolist(), rule=rule, rng=case.rng)
    return Offers(system=system, points=points, rule=rule, picked=picked, why=why)


def require_calibration(case: Case, system: str) -> None:
    """Raise ``PlanError`` A103 for an unknown system, A104 for one that was asked no calibration."""
    if system not in case.tables:
        raise PlanError(f"no system is called {system!r}", code="A103")
    if system not in case.calibration:
        raise PlanError(
            f"{system} was asked no calibration question, and a threshold is chosen on nothing else",
            hint="give it `abstain` in the plan, and run again",
            code="A104",
        )


def outcome_metrics(case: Case) -> tuple[str, ...]:
    """Return the task's metrics that are ratios: what a threshold changes, and costs no resampling."""
    return tuple(n for n, metric in case.metrics.items() if isinstance(metric.form, Ratio))


def _estimates(case: Case, system: str, table: Table, at: float) -> dict[str, Estimate]:
    above = table.above(dict.fromkeys(table.seeds, at))
    here = replace(case, tables={**case.tables, system: above})
    return {name: here.estimate(system, name) for name in outcome_metrics(case)}


def _worth(table: Table, at: float, rule: ByUtility) -> float:
    answered = np.isin(table.outcome, ANSWERED)
    given = answered & ~(table.confidence < at)
    right = given & (table.outcome == CODE["correct"])
    total = int(answered.sum())
    if not total:
        return rule.payoff.declined
    counts = int(right.sum()), int((given & ~right).sum()), int((answered & ~given).sum())
    payoffs = rule.payoff.right, rule.payoff.wrong, rule.payoff.declined
    return sum(n * worth for n, worth in zip(counts, payoffs, strict=True)) / total


def pick(
    table: Table, thresholds: Sequence[float], *, rule: MaxRisk | ByUtility, rng: int
) -> tuple[float | None, str]:
    """Pick a threshold on calibration records, as ``offer`` says; or None, and why."""
    if isinstance(rule, ByUtility):
        worth, best = max((_worth(table, at, rule), at) for at in thresholds)
        if worth <= rule.payoff.declined:
            return None, "no threshold of the list is worth more than declining everything"
        return best, ""
    passed: list[float] = []
    for row, seed in enumerate(table.seeds):
        found = ltt.ltt_threshold(
            scores_of(table, row),
            grid=thresholds,
            max_risk=rule.max_risk,
            delta=rule.delta,
            rng=np.random.Generator(np.random.PCG64([rng, seed])),
        )
        if isinstance(found, ltt.NoThreshold):
            return None, found.why
        passed.append(found.threshold)
    # Whatever passed under a seed, everything stricter passed before it.
    return max(passed), ""
