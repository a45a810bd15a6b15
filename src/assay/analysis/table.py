"""The records of one system on one task, as columns over seeds and samples."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.metric import Columns, Metric, Ratio, Statistic
from ..core.verdict import Outcome
from ..stats.resamples import Prepared
from ..store.columns import CODE, OUTCOMES, CellColumns, Floats, first_attempts
from .metrics import REASON, TAG
from .prices import PriceTable

_DECLINES = {
    Outcome.CORRECT: Outcome.WITHHELD,
    Outcome.WRONG: Outcome.WITHHELD,
    Outcome.SCORED: Outcome.WITHHELD,
    Outcome.INVENTED: Outcome.DECLINED,
}
"""What an answer would have come to, had it been withheld."""


@dataclass(frozen=True, slots=True)
class Table:
    """Arrays of shape [seeds, samples]; samples in one order for every seed."""

    system: str
    seeds: tuple[int, ...]
    samples: tuple[str, ...]
    groups: tuple[str, ...]
    outcome: NDArray[np.int8]
    confidence: Floats
    no_answer: NDArray[np.bool_]
    """Shape [samples]: the right answer is to decline."""

    extra: Mapping[str, Floats] = field(default_factory=dict)
    """Measurements and verifier scores by name."""

    split: str = "test"
    """Where the samples come from: records of test choose nothing."""

    answers: NDArray[np.object_] | None = None
    """What was answered, as canonical text; read only where thresholds differ by class."""

    tags: tuple[frozenset[str], ...] = ()
    """Of each sample; empty where nobody gave any."""

    reasons: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Where a system gave a reason to decline: with it, or beside an answer for the case that it is
    withheld."""

    prepared: dict[Hashable, Prepared] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Statistics of these records in many resamples, by what they are and what is resampled: each
    system is resampled once, and pairs are differences.  Not kept by ``replace``."""

    @property
    def columns(self) -> Columns:
        """Every column that a metric can read."""
        own = (*(o.value for o in OUTCOMES), "asked", "no_answer", "confidence")
        return {**self.extra, **{name: self._column(name) for name in own}}

    @property
    def codes(self) -> NDArray[np.int64]:
        """Group of each sample as an integer, in order of first appearance; not to be written to."""
        return _coded(self.groups)

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return int(self.codes.max(initial=-1)) + 1

    @property
    def complete(self) -> bool:
        """Whether every reply was observed."""
        return not (self.outcome == CODE["crashed"]).any()

    def reads(self, metric: Metric) -> dict[str, Floats]:
        """Return the columns that a metric reads.

        What this system was never measured on (a silent system has no verifier scores) is a column
        of NaN: the metric is then undefined for it, and not zero.
        """
        return {name: self._column(name) for name in metric.columns}

    def _column(self, name: str) -> Floats:
        # One by one: of a million records, all columns at once would be most of the memory.
        if name in CODE:
            found: NDArray[np.bool_] = self.outcome == CODE[name]
            return found.astype(np.float64)
        match name:
            case "asked":
                return 1.0 - self._column("crashed")
            case "no_answer":
                return np.broadcast_to(self.no_answer.astype(np.float64), self.outcome.shape)
            case "confidence":
                return self.confidence
            case _ if name.startswith(TAG):
                return np.broadcast_to(self.tagged(name.removeprefix(TAG)), self.outcome.shape)
            case _ if name.startswith(REASON):
                return self._declined_with(name.removeprefix(REASON))
            case _ if name in self.extra:
                return self.extra[name]
            case _:
                return np.full(self.outcome.shape, np.nan)

    def _declined_with(self, reason: str) -> Floats:
        """Return 1 where the system declined with this reason, shape [seeds, samples]."""
        declined = np.isin(self.outcome, (CODE["withheld"], CODE["declined"]))
        with_it = self.reasons.get(reason, np.zeros(self.outcome.shape, dtype=np.bool_))
        return (declined & with_it).astype(np.float64)

    def tagged(self, tag: str) -> Floats:
        """Return 1 for every sample that has a tag, and 0 for every other, shape [samples]."""
        if not self.tags:
            return np.zeros(len(self.samples))
        return np.array([tag in tags for tags in self.tags], dtype=np.float64)

    def terms(self, metric: Metric) -> tuple[Floats, Floats]:
        """Return numerator and denominator of a ratio metric, zero where it does not apply."""
        assert isinstance(metric.form, Ratio)
        return terms_of(metric.form, self.reads(metric))

    def counted(self, metric: Metric) -> tuple[int, int]:
        """Return how many samples, and groups of them, a metric rests on: those in its denominator."""
        if isinstance(metric.form, Statistic) and metric.form.distance is not None:
            metric = metric.form.distance.undirected(metric)
        if isinstance(metric.form, Ratio):
            held = self.terms(metric)[1]
        elif metric.form.among is not None:
            held = np.asarray(metric.form.among(self.reads(metric)))
        else:
            return len(self.samples), self.n_groups
        among = held.sum(axis=0) > 0
        groups = {g for g, counts in zip(self.groups, among.tolist(), strict=True) if counts}
        return int(among.sum()), len(groups)

    def only(self, samples: Sequence[str]) -> Table:
        """Return the table on these samples, in their order."""
        if tuple(samples) == self.samples:
            return self
        place = {s: i for i, s in enumerate(self.samples)}
        at = [place[s] for s in samples]
        return replace(
            self,
            samples=tuple(samples),
            groups=tuple(self.groups[i] for i in at),
            outcome=self.outcome[:, at],
            confidence=self.confidence[:, at],
            no_answer=self.no_answer[at],
            extra={name: column[:, at] for name, column in self.extra.items()},
            answers=None if self.answers is None else self.answers[:, at],
            tags=tuple(self.tags[i] for i in at) if self.tags else (),
            reasons={name: where[:, at] for name, where in self.reasons.items()},
        )

    def of_seed(self, row: int) -> Table:
        """Return the records of one seed."""
        only = slice(row, row + 1)
        return replace(
            self,
            seeds=self.seeds[only],
            outcome=self.outcome[only],
            confidence=self.confidence[only],
            extra={name: column[only] for name, column in self.extra.items()},
            answers=None if self.answers is None else self.answers[only],
            reasons={name: where[only] for name, where in self.reasons.items()},
        )

    def above(self, thresholds: Mapping[int, float]) -> Table:
        """Return what the records would be had answers below a seed's threshold been withheld."""
        # An answer without a confidence stays: a threshold has nothing to say about it.
        return self.withheld(
            np.stack([self.confidence[i] < thresholds[s] for i, s in enumerate(self.seeds)])
        )

    def withheld(self, which: NDArray[np.bool_]) -> Table:
        """Return what the records would be had these answers, shape [seeds, samples], been withheld."""
        outcome = self.outcome.copy()
        for before, after in _DECLINES.items():
            outcome[which & (self.outcome == CODE[before.value])] = CODE[after.value]
        return replace(self, outcome=outcome)


def terms_of(ratio: Ratio, columns: Columns) -> tuple[Floats, Floats]:
    """Return numerator and denominator of each record, zero where the ratio does not apply."""
    above = np.asarray(ratio.numerator(columns), dtype=np.float64)
    below = np.asarray(ratio.denominator(columns), dtype=np.float64)
    gone = np.isnan(above) | np.isnan(below)
    return np.where(gone, 0.0, above), np.where(gone, 0.0, below)


@lru_cache(maxsize=32)
def _coded(groups: tuple[str, ...]) -> NDArray[np.int64]:
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(g, len(known)) for g in groups], dtype=np.int64)
    codes.setflags(write=False)
    return codes


def make_table(
    system: str,
    cells: Mapping[int, CellColumns],
    no_answer: Mapping[str, bool],
    *,
    split: str = "test",
    tags: Mapping[str, frozenset[str]] | None = None,
) -> Table:
    """Join the cells of one system; every seed must have been asked the same samples.

    ``no_answer`` and ``tags`` are of samples, by id.
    """
    cells = {seed: first_attempts(cell) for seed, cell in cells.items()}
    seeds = tuple(sorted(cells))
    first = cells[seeds[0]]
    for seed in seeds[1:]:
        if cells[seed].samples != first.samples:
            raise DataError(
                f"{system} was asked other samples under seed {seed} than under {seeds[0]}",
                hint="run the plan again; one run asks all seeds the same",
                code="A203",
            )
    names = {n for c in cells.values() for n in (*c.measured, *(f"check:{k}" for k in c.checks))}
    missing = np.full(len(first.samples), np.nan)

    def column(cell: CellColumns, name: str) -> Floats:
        if name.startswith("check:"):
            return cell.checks.get(name[6:], missing)
        return cell.measured.get(name, missing)

    return Table(
        system=system,
        seeds=seeds,
        samples=first.samples,
        groups=first.groups,
        outcome=np.stack([cells[s].outcome for s in seeds]),
        confidence=np.stack([cells[s].confidence for s in seeds]),
        no_answer=np.array([no_answer[s] for s in first.samples], dtype=np.bool_),
        extra={n: np.stack([column(cells[s], n) for s in seeds]) for n in sorted(names)},
        split=split,
        tags=() if tags is None else tuple(tags[s] for s in first.samples),
        reasons={
            reason: np.stack([_has(cells[s], reason) for s in seeds])
            for reason in sorted({r for c in cells.values() for r in c.reasons if r})
        },
    )


def _has(cell: CellColumns, reason: str) -> NDArray[np.bool_]:
    if reason not in cell.reasons:
        return np.zeros(len(cell.samples), dtype=np.bool_)
    found: NDArray[np.bool_] = cell.reason == cell.reasons.index(reason)
    return found


def priced(table: Table, prices: PriceTable) -> Table:
    """Return a table with dollars per record, where records say what was paid for."""
    usd = prices.by_record(table.system, table.extra)
    if usd is None:
        return table
    known = ~np.isnan(usd)
    dollars = {"usd": np.where(known, usd, 0.0), "priced": known.astype(np.float64)}
    return replace(table, extra={**table.extra, **dollars})
