"""Everything that is known of one task in a run: what tables, claims and fronts draw on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from ..core.claim import Claim
from ..core.errors import PlanError
from ..core.metric import Better, Contrast, Estimate, Metric, Origin, Over, Ratio
from ..stats.inference import Inference, Undefined
from ..stats.quotient import quotient
from .claims import Evidence
from .crashes import can_be_imputed, in_every_case, missing_note
from .endings import cut_note
from .infer import (
    infer,
    infer_difference,
    infer_quantile,
    infer_quantile_ratio,
    infer_timed,
    infer_timed_ratio,
    summarise,
)
from .metrics import QUANTILES, accuracy, determinism, latency_mean, usd_per_1k, usd_per_correct
from .points import Points
from .rivals import is_non_inferiority, not_competent, straw_man, weakest
from .stopping import Sequences
from .sureness import SURENESS
from .table import Table
from .thresholds import Chosen
from .timed import Timed

SAMPLES = frozenset({Over.SAMPLES})
ONE_SEED_TIMED = Undefined("timed under one seed, which says nothing of other seeds")
TIMED = {m.name: m for m in (usd_per_1k, usd_per_correct, latency_mean, determinism)}


@dataclass(frozen=True, slots=True)
class Case:
    """One task: its systems' tables as shipped (thresholds applied), and as they answered."""

    task: str
    metrics: Mapping[str, Metric]
    """The task's own; the first is the headline."""

    tables: Mapping[str, Table]
    raw: Mapping[str, Table]
    timed: Mapping[str, Timed]
    thresholds: Mapping[str, Mapping[int, Chosen]]
    controls: frozenset[str]
    origins: Mapping[str, Origin]
    rng: int
    calibration: Mapping[str, Table] = field(default_factory=dict)
    """Of the systems that were asked calibration questions, as they answered."""

    points: Points = field(default_factory=Points)
    """What tells whether an operating point is one of its own."""

    temperatures: Mapping[str, float | Undefined] = field(default_factory=dict)
    """Of the systems with a threshold, fitted on calibration records."""

    sequences: Sequences | None = None
    """Of a run that may stop early: how its numbers over samples are followed."""

    known: dict[tuple[str, str, frozenset[Over]], Estimate] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was estimated once: every table, figure and front asks again.  Not kept by ``replace``."""

    @property
    def headline(self) -> Metric:
        """The task's first metric."""
        return next(iter(self.metrics.values()))

    @property
    def rivals(self) -> tuple[str, ...]:
        """The systems under test, in the plan's order."""
        return tuple(s for s in self.tables if s not in self.controls)

    def metric(self, name: str) -> Metric:
        """Return a metric by name."""
        found = self.metrics.get(name) or TIMED.get(name) or SURENESS.get(name)
        if found is None:
            raise PlanError(
                f"no metric of {self.task} is called {name!r}",
                hint=f"known: {', '.join([*self.metrics, *TIMED, *SURENESS])}",
                code="A103",
            )
        return found

    def knows(self, name: str) -> bool:
        """Whether this task has a metric of that name."""
        return name in self.metrics or self.metric_is_timed(name)

    def metric_is_timed(self, name: str) -> bool:
        """Whether a metric comes from the serial pass."""
        return name in QUANTILES or name in TIMED

    def inference(self, system: str, metric: str, *, over: frozenset[Over] = SAMPLES) -> Inference:
        """Infer a metric of one system."""
        if self.sequences is not None and over and not self._is_clocked(metric, system):
            found = self.metric(metric)
            return self.sequences.infer(found, self._read(metric)[system], over=over)
        if metric == usd_per_correct.name:
            return self._usd_per_correct(system, over)
        if metric == usd_per_1k.name and self.is_paid_by_record(system):
            return infer(usd_per_1k, self.tables[system], over=over, rng=self.rng)
        if self.metric_is_timed(metric):
            if (timed := self.timed.get(system)) is None:
                return Undefined("not measured in the serial pass")
            if self._seeds_matter(over, system):
                return ONE_SEED_TIMED
            if metric in QUANTILES:
                return infer_quantile(metric, timed)
            return infer_timed(self.metric(metric), timed)
        asked = partial(infer, self.metric(metric), over=over, rng=self.rng)
        table = self._read(metric)[system]
        return in_every_case(asked(table), self.metric(metric), asked, table)

    def difference(
        self, system: str, against: str, metric: str, *, over: frozenset[Over] = SAMPLES
    ) -> Inference:
        """Infer ``system - against`` on common samples; on a ratio scale ``system / against``."""
        if self.sequences is not None and over and not self._is_clocked(metric, system, against):
            found, known = self.metric(metric), self._read(metric)
            return self.sequences.difference(found, known[system], known[against], over=over)
        paid = [self.is_paid_by_record(s) for s in (system, against)]
        if metric == usd_per_correct.name or (metric == usd_per_1k.name and any(paid)):
            if metric == usd_per_1k.name and all(paid):
                ours, theirs = self.tables[system], self.tables[against]
                return infer_difference(usd_per_1k, ours, theirs, over=over, rng=self.rng)
            # Seconds come from timed blocks and tokens from samples: there is nothing to pair.
            return quotient(
                self.inference(system, metric, over=over),
                self.inference(against, metric, over=over),
            )
        if self.metric_is_timed(metric):
            a, b = self.timed.get(system), self.timed.get(against)
            if a is None or b is None:
                return Undefined("not measured in the serial pass")
            if self._seeds_matter(over, system, against):
                return ONE_SEED_TIMED
            if metric in QUANTILES:
                return infer_quantile_ratio(metric, a, b)
            return infer_timed_ratio(self.metric(metric), a, b)
        asked = partial(infer_difference, self.metric(metric), over=over, rng=self.rng)
        pair = [self._read(metric)[one] for one in (system, against)]
        return in_every_case(asked(*pair), self.metric(metric), asked, *pair)

    def _read(self, metric: str) -> Mapping[str, Table]:
        """Return tables as shipped; as answered for how sure a system is, whatever it then said."""
        return self.raw if metric in SURENESS and metric not in self.metrics else self.tables

    def _seeds_matter(self, over: frozenset[Over], *systems: str) -> bool:
        """Whether a number is to speak of other seeds, of a system that has any."""
        return Over.SEEDS in over and any(len(self.tables[s].seeds) > 1 for s in systems)

    def _is_clocked(self, metric: str, *systems: str) -> bool:
        """Whether a metric rests on the time blocks of the serial pass alone."""
        if metric == usd_per_1k.name:
            return not any(map(self.is_paid_by_record, systems))
        return self.metric_is_timed(metric) and metric != usd_per_correct.name

    def is_paid_by_record(self, system: str) -> bool:
        """Whether its dollars come from tokens or bills in the records, not from timed seconds."""
        return "usd" in self.tables[system].extra

    def _usd_per_correct(self, system: str, over: frozenset[Over]) -> Inference:
        if self.is_paid_by_record(system):
            return infer(usd_per_correct, self.tables[system], over=over, rng=self.rng)
        if accuracy.name not in self.metrics:
            return Undefined("nothing is right or wrong on this task")
        return quotient(
            self.inference(system, usd_per_1k.name, over=over),
            self.inference(system, accuracy.name, over=over),
            scale=1e-3,
        )

    def estimate(self, system: str, metric: str, *, over: frozenset[Over] = SAMPLES) -> Estimate:
        """Estimate a metric of one system."""
        key = system, metric, over
        if key not in self.known:
            inference = self.inference(system, metric, over=over)
            self.known[key] = self.summary(metric, inference, (system,), over, 0.95)
        return self.known[key]

    def compare(
        self,
        system: str,
        against: str,
        metric: str,
        *,
        over: frozenset[Over] = SAMPLES,
        confidence: float = 0.95,
    ) -> Estimate:
        """Estimate a paired difference, or ratio."""
        inference = self.difference(system, against, metric, over=over)
        return self.summary(metric, inference, (system, against), over, confidence)

    def evidence(self, claim: Claim) -> Evidence:
        """Gather what there is to weigh a claim with."""
        systems = claim.systems
        if claim.against is None:
            inference = self.inference(claim.system, claim.metric, over=claim.over)
        else:
            inference = self.difference(claim.system, claim.against, claim.metric, over=claim.over)
        estimate = self.summary(claim.metric, inference, systems, claim.over, 0.95)
        return Evidence(
            claim,
            inference,
            estimate,
            hold=self._hold(claim, systems),
            notes=self._notes(claim, systems),
            samples_per_group=len(self._common(systems).samples) / max(estimate.n_groups, 1),
            contrast=self.contrast(claim.metric),
        )

    def better(self, metric: str) -> Better:
        """Return which way is good."""
        return Better.LOWER if metric in QUANTILES else self.metric(metric).better

    def contrast(self, metric: str) -> Contrast:
        """Return how systems are compared on a metric."""
        return Contrast.RATIO if metric in QUANTILES else self.metric(metric).contrast

    def _hold(self, claim: Claim, systems: tuple[str, ...]) -> str:
        known = claim.metric in self.metrics and can_be_imputed(self.metric(claim.metric))
        for system in systems:
            if not self.tables[system].complete and not known:
                return f"replies of {system} were not observed (crashes are left)"
        if claim.against and is_non_inferiority(self, claim):
            return not_competent(self, claim)
        return ""

    def _notes(self, claim: Claim, systems: tuple[str, ...]) -> tuple[str, ...]:
        notes = []
        if not self.metric_is_timed(claim.metric):
            tables = [self.tables[system] for system in systems]
            notes += [say for t in tables for say in (missing_note(t), cut_note(t)) if say]
        if len(systems) == 2 and (shares := self._answered(claim.metric, *systems)):
            one, two = (f"{100 * share:.1f} %" for share in shares)
            notes.append(
                f"each is measured on its own answers, {one} and {two} of the questions; the two "
                "ratios are left out group by group together, and no coverage is matched"
            )
        notes += self.points.notes(systems)
        if straw := straw_man(self, claim):
            notes.append(straw)
        return tuple(notes)

    def _answered(self, metric: str, one: str, two: str) -> tuple[float, float] | None:
        """Return the shares of common samples in a metric's two denominators, where they differ."""
        found = self.metrics.get(metric)
        if found is None or not isinstance(found.form, Ratio) or "asked" in found.columns:
            return None
        tables = self._common((one, two)), self._common((two, one))
        shares = [float((t.terms(found)[1] > 0).mean()) for t in tables]
        return (shares[0], shares[1]) if abs(shares[0] - shares[1]) > 1e-12 else None

    def _common(self, systems: tuple[str, ...], metric: str = "") -> Table:
        """Return the first system's table, as a metric reads it, on samples that all were asked."""
        first, *rest = (self._read(metric)[s] for s in systems)
        common = set(first.samples).intersection(*(t.samples for t in rest))
        return first.only([s for s in first.samples if s in common])

    def summary(
        self,
        metric: str,
        inference: Inference,
        systems: tuple[str, ...],
        over: frozenset[Over],
        confidence: float,
    ) -> Estimate:
        """Sum up what was inferred of a system, or of two."""
        tables = [self.tables[s] for s in systems]
        timed = [self.timed[s] for s in systems if s in self.timed]
        recorded = metric == usd_per_correct.name or (
            metric == usd_per_1k.name and all(map(self.is_paid_by_record, systems))
        )
        if self.metric_is_timed(metric) and not recorded:
            n = min((len(t.blocks) for t in timed), default=0)
            groups, seeds = min((len(set(t.blocks)) for t in timed), default=0), 1
        else:
            seeds = max(len(t.seeds) for t in tables)
            counts = accuracy if recorded else self.metric(metric)
            n, groups = self._common(systems, counts.name).counted(counts)
        return summarise(
            metric,
            inference,
            n=n,
            n_groups=groups,
            n_seeds=seeds,
            over=over,
            confidence=confidence,
            origin=weakest(self.origins[s] for s in systems),
        )
