"""One task of a run as the board needs it: who was asked the same, and what each system came to on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import numpy.typing as npt

from ...analysis.case import TIMED, Case
from ...analysis.infer import infer_timed, summarise
from ...analysis.metrics import QUANTILES, total
from ...analysis.table import Table
from ...core.metric import Better, Contrast, Estimate, Metric, Over, Ratio
from ...stats.inference import Census, Inference, Undefined
from ...store.canon import digest_value
from ...store.columns import CODE
from ..facts import estimate_facts
from ..words import label
from .card import Asked, ColumnFacts, Group, Measured, Number, Values

TOKENS = Metric(
    name="tokens_per_s",
    says="tokens written for each busy second, one question at a time",
    better=Better.HIGHER,
    form=Ratio(numerator=total("tokens_out"), denominator=total("busy_s")),
    columns=("tokens_out", "busy_s"),
    unit="tokens/s",
    bounds=(0.0, float("inf")),
    contrast=Contrast.RATIO,
    timed=True,
)
PEAK = "peak_bytes"
_GROUPS: dict[str, Group] = {
    "usd_per_1k": "cost",
    "usd_per_correct": "cost",
    "determinism": "quality",
}
_SAYS = {name: f"{q:.0%} of replies come within this many seconds" for name, q in QUANTILES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """The samples that some system was asked."""

    ids: tuple[str, ...]
    """Sorted."""

    asked: Asked

    @property
    def digest(self) -> str:
        """What names these samples."""
        return digest_value(list(self.ids))


def sitting_of(task: str, table: Table) -> Sitting:
    """Return which samples a table holds, in the order of their ids."""
    ids = tuple(sorted(table.samples))
    codes = table.only(ids).codes
    own = len(set(codes.tolist())) == len(ids)
    return Sitting(
        ids=ids,
        asked=Asked(
            task=task,
            n=len(ids),
            n_groups=len(set(codes.tolist())),
            groups="" if own else " ".join(map(str, codes.tolist())),
        ),
    )


def objectives_of(headline: str) -> tuple[str, ...]:
    """Return what the front of the board is drawn on."""
    return (headline, "usd_per_1k", "latency_p50")


def columns_of(case: Case) -> tuple[ColumnFacts, ...]:
    """Return every metric of a task that may stand on the board, the headline first."""
    own = [_column(case, name) for name in (*case.metrics, *_timed(case))]
    tokens = ColumnFacts(
        metric=TOKENS.name,
        label="tokens per second",
        says=TOKENS.says,
        unit="tokens/s",
        better="higher",
        bounds=(0.0, None),
        ratio=True,
        group="speed",
    )
    peak = ColumnFacts(
        metric=PEAK,
        label="peak memory",
        says="the most memory that a process of the system held, its libraries included",
        unit="bytes",
        better="lower",
        bounds=(0.0, None),
        ratio=True,
        group="size",
    )
    return (*own, tokens, peak)


def restricted(case: Case, systems: Sequence[str], ids: Sequence[str]) -> Case:
    """Return the case of these systems on these samples alone."""
    tables = {s: case.tables[s].only(ids) for s in systems}
    raw = {s: case.raw[s].only(ids) for s in systems}
    return replace(case, tables=tables, raw=raw)


def measured(case: Case, system: str, sitting: Sitting) -> Measured:
    """Return everything of one system on one task; what is not complete has reasons in the place of numbers."""
    table = case.tables[system]
    crashes = int((table.outcome == CODE["crashed"]).sum())
    # The serial pass leaves controls out: what it measures has no place on their rows.
    names = tuple(case.metrics) if system in case.controls else (*case.metrics, *_timed(case))
    numbers = {name: number_of(_estimate(case, system, name)) for name in names}
    if system not in case.controls:
        numbers[TOKENS.name] = number_of(_summed(TOKENS.name, _speed(case, system), case, system))
        numbers[PEAK] = number_of(_summed(PEAK, _peak(case, system), case, system))
    return Measured(
        asked=sitting.digest,
        replies=int(table.outcome.size),
        crashes=crashes,
        numbers=numbers,
        values=None if crashes else values_of(case, table, sitting),
    )


def values_of(case: Case, table: Table, sitting: Sitting) -> Values | None:
    """Return the headline sample by sample; None where it is no ratio, or the run may have stopped early."""
    metric = case.headline
    if not isinstance(metric.form, Ratio) or case.sequences is not None:
        return None
    ordered = table.only(sitting.ids)
    above, below = (term.sum(axis=0) for term in ordered.terms(metric))
    return Values(
        seeds=len(table.seeds),
        numerators=_text(above),
        denominators=_text(below[:1] if below.size and (below == below[0]).all() else below),
        bounds=_ends(metric.bounds),
    )


def number_of(estimate: Estimate) -> Number:
    """Return an estimate as a card holds it."""
    facts = estimate_facts(estimate)
    facts.pop("metric")
    return Number.model_validate({**facts, "over": tuple(facts["over"])})


def column_of(metric: Metric, group: Group) -> ColumnFacts:
    """Return what a metric is."""
    return ColumnFacts(
        metric=metric.name,
        label=label(metric.name),
        says=metric.says,
        unit=_unit(metric),
        better=metric.better.value,
        bounds=_ends(metric.bounds),
        ratio=metric.contrast is Contrast.RATIO,
        group=group,
    )


def _column(case: Case, name: str) -> ColumnFacts:
    if name not in QUANTILES:
        group = _GROUPS.get(name, "quality" if name in case.metrics else "speed")
        return column_of(case.metric(name), group)
    return ColumnFacts(
        metric=name,
        label=label(name),
        says=_SAYS[name],
        unit="s",
        better="lower",
        bounds=(0.0, None),
        ratio=True,
        group="speed",
    )


def _timed(case: Case) -> tuple[str, ...]:
    return tuple(name for name in (*TIMED, *QUANTILES) if name not in case.metrics)


def _estimate(case: Case, system: str, name: str) -> Estimate:
    if not case.tables[system].complete and not case.metric_is_timed(name):
        lost = int((case.tables[system].outcome == CODE["crashed"]).sum())
        why = f"{lost} of its replies were not observed (crashes are left)"
        return _summed(name, Undefined(why), case, system)
    return case.estimate(system, name)


def _summed(name: str, found: Inference, case: Case, system: str) -> Estimate:
    timed = case.timed.get(system)
    n = len(timed.blocks) if timed is not None else 0
    blocks = len(set(timed.blocks)) if timed is not None else 0
    return summarise(
        name,
        found,
        n=n,
        n_groups=blocks,
        n_seeds=1,
        over=frozenset({Over.SAMPLES}),
        origin=case.origins[system],
    )


def _speed(case: Case, system: str) -> Inference:
    timed = case.timed.get(system)
    if timed is None:
        return Undefined("not measured in the serial pass")
    tokens = timed.columns.get("tokens_out")
    if tokens is None or np.isnan(tokens).any() or not tokens.sum():
        return Undefined("it does not say how many tokens it wrote")
    return infer_timed(TOKENS, timed)


def _peak(case: Case, system: str) -> Inference:
    timed = case.timed.get(system)
    if timed is None:
        return Undefined("not measured in the serial pass")
    held = timed.peak_bytes
    return Undefined("nobody counted its memory") if held is None else Census(float(held))


def _unit(metric: Metric) -> str:
    if metric.unit:
        return "usd" if metric.unit == "$" else metric.unit
    return "share" if metric.bounds == (0.0, 1.0) else ""


def _ends(bounds: tuple[float, float]) -> tuple[float | None, float | None]:
    low, high = (each if isfinite(each) else None for each in bounds)
    return low, high


def _text(values: npt.NDArray[np.float64]) -> str:
    return " ".join(f"{value:.12g}" for value in values.tolist())
