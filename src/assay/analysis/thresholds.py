"""Choose the thresholds below which a system declines, on calibration records only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..stats import threshold, tuned
from ..stats.inference import Undefined
from ..store.columns import CODE, Floats
from .best import best_cut
from .cuts import ANSWERED, Cut
from .rules import AtBest, AtCoverage, ByUtility, MaxRisk, Rule
from .table import Table


@dataclass(frozen=True, slots=True)
class Calibration:
    """The records that a threshold may be chosen from.

    A table is not one of these: it takes the tune and the calibration table of one system, and
    refuses any other split.  Raises DataError A202 for that, and for two systems.
    """

    tune: Table
    """Fixes what is tried."""

    records: Table
    """Decides it."""

    def __post_init__(self) -> None:
        for table, wanted in ((self.tune, "tune"), (self.records, "calibration")):
            if table.split != wanted:
                raise DataError(
                    f"{table.split} records of {table.system} were offered as {wanted} records",
                    hint="thresholds are never chosen on the records that judge them",
                    code="A202",
                )
        if self.tune.system != self.records.system or self.tune.seeds != self.records.seeds:
            raise DataError("tune and calibration are of two systems", code="A202")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The thresholds of one seed, and what they promise."""

    seed: int
    rule: Rule
    cuts: tuple[Cut, ...]
    """One, or one for each class."""

    @property
    def values(self) -> tuple[float, ...]:
        """The thresholds that there are."""
        return tuple(cut.value for cut in self.cuts if cut.value is not None)

    @property
    def value(self) -> float | None:
        """The threshold, where one holds for every answer."""
        return self.cuts[0].value if len(self.cuts) == 1 and self.cuts[0].said is None else None

    @property
    def promise(self) -> str:
        """What may be said of them."""
        return self.rule.promise if self.values else self.rule.refusal

    @property
    def guaranteed(self) -> bool:
        """Whether the promise is one."""
        return isinstance(self.rule, MaxRisk)

    def keeps(
        self, confidence: Floats, answers: NDArray[np.object_] | None = None
    ) -> NDArray[np.bool_]:
        """Return which answers are given, arrays of one shape.

        ``answers`` are needed where thresholds differ by class; an answer of a class without a
        threshold is declined.
        """
        if not self.rule.by_class:
            return self.cuts[0].keeps(confidence)
        if answers is None:
            raise DataError("thresholds by class need to know what was answered", code="A202")
        kept = np.zeros(confidence.shape, dtype=np.bool_)
        for cut in self.cuts:
            kept |= (answers == cut.said) & cut.keeps(confidence)
        return kept


def choose(calibration: Calibration, *, rule: Rule, rng: int) -> dict[int, Chosen]:
    """Return the thresholds of each seed.

    With a guarantee the grid is fixed on tune scores; the test is Learn-then-Test with
    Clopper-Pearson on one random sample of each calibration group, strictest threshold first,
    until the first failure.  Classes are the answers that tune records hold, each tested at its
    share of delta on the same draw: so the promise holds for all of them, and for all answers.

    The test split is not an argument, and a ``Calibration`` cannot hold it.

    *Not to be trusted when* the mix of samples is another in use.
    """
    found = {}
    for row, seed in enumerate(calibration.records.seeds):
        generator = np.random.Generator(np.random.PCG64([rng, seed]))
        if isinstance(rule, AtBest):
            best = best_cut(calibration.records.of_seed(row), rule.metric)
            found[seed] = Chosen(seed=seed, rule=rule, cuts=(best,))
            continue
        tune, records = _Scores.of(calibration.tune, row), _Scores.of(calibration.records, row)
        cuts = tuple(_cuts(tune, records, rule, generator))
        found[seed] = Chosen(seed=seed, rule=rule, cuts=cuts)
    return found


def withhold(table: Table, chosen: Mapping[int, Chosen]) -> Table:
    """Return what the records would be had each seed's thresholds been in force."""
    answers = table.answers
    kept = [
        chosen[seed].keeps(table.confidence[row], None if answers is None else answers[row])
        for row, seed in enumerate(table.seeds)
    ]
    return table.withheld(~np.stack(kept))


def scores_of(table: Table, row: int) -> threshold.Calibration:
    """Return one seed's confidences (minus infinity where nothing was answered), and what was right.

    An answer without a confidence cannot be withheld by a threshold: it counts as surest.
    """
    outcome = table.outcome[row]
    sure = np.where(np.isnan(table.confidence[row]), 1.0, table.confidence[row])
    return threshold.Calibration(
        confidence=np.where(np.isin(outcome, ANSWERED), sure, -np.inf),
        right=outcome == CODE["correct"],
        groups=table.codes,
    )


@dataclass(frozen=True, slots=True)
class _Scores:
    """One seed's records as a threshold sees them."""

    samples: threshold.Calibration
    said: NDArray[np.object_] | None

    @classmethod
    def of(cls, table: Table, row: int) -> _Scores:
        """Take confidences (minus infinity where nothing was answered), and what was right.

        An answer without a confidence cannot be withheld by a threshold: it counts as surest.
        """
        samples = scores_of(table, row)
        return cls(samples, None if table.answers is None else table.answers[row])

    @property
    def answered(self) -> NDArray[np.bool_]:
        return self.samples.confidence > -np.inf

    @property
    def classes(self) -> tuple[str, ...]:
        """What was answered."""
        return tuple(sorted(set(self._said[self.answered].tolist())))

    def one_per_group(self, rng: np.random.Generator) -> _Scores:
        n = self.samples.confidence.size
        places = threshold.Calibration(
            confidence=np.arange(n, dtype=np.float64),
            right=self.samples.right,
            groups=self.samples.groups,
        ).one_per_group(rng)
        at = places.confidence.astype(np.intp)
        return _Scores(self.samples.only(at), self._said[at])

    def of_class(self, said: str) -> threshold.Calibration:
        return self.samples.only((self._said == said) & self.answered)

    @property
    def _said(self) -> NDArray[np.object_]:
        if self.said is None:
            raise DataError("thresholds by class need to know what was answered", code="A202")
        return self.said


def _cuts(
    tune: _Scores,
    records: _Scores,
    rule: MaxRisk | AtCoverage | ByUtility,
    rng: np.random.Generator,
) -> Iterator[Cut]:
    if not rule.by_class:
        yield _cut(tune.samples, records.samples, rule, _delta(rule), None, rng)
        return
    classes = tune.classes
    if isinstance(rule, MaxRisk):
        records = records.one_per_group(rng)
    for said in classes:
        one, other = tune.of_class(said), records.of_class(said)
        yield _cut(one, other, rule, _delta(rule) / len(classes), said, rng)
    if not classes:
        yield Cut(value=None, said="", why="no tune sample has an answer")


def _delta(rule: Rule) -> float:
    return rule.delta if isinstance(rule, MaxRisk) else 0.05


def _cut(
    tune: threshold.Calibration,
    records: threshold.Calibration,
    rule: MaxRisk | AtCoverage | ByUtility,
    delta: float,
    said: str | None,
    rng: np.random.Generator,
) -> Cut:
    match rule:
        case MaxRisk(max_risk=most):
            groups = int(np.unique(records.groups).size)
            grid = threshold.grid_from(tune.confidence, n_groups=groups, max_risk=most, delta=delta)
            if isinstance(grid, Undefined):
                return Cut(value=None, said=said, why=grid.why)
            return _kept(
                threshold.ltt_threshold(records, grid=grid, max_risk=most, delta=delta, rng=rng),
                said,
            )
        case AtCoverage(coverage=share):
            return _kept(tuned.at_coverage(records, coverage=share), said)
        case ByUtility(payoff=payoff):
            return _kept(tuned.by_utility(records, payoff), said)
        case _:
            assert_never(rule)


def _kept(
    found: threshold.Threshold | tuned.Tuned | threshold.NoThreshold, said: str | None
) -> Cut:
    if isinstance(found, threshold.NoThreshold):
        return Cut(value=None, said=said, why=found.why)
    cut = Cut(value=found.threshold, said=said, accepted=found.accepted, errors=found.errors)
    if isinstance(found, threshold.Threshold):
        return replace(cut, p=found.p, at_most=found.risk_at_most)
    return replace(cut, worth=found.worth, why=found.why)
