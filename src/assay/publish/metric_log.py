"""A run as a metric log: what every seed came to, all of them, and what changed since a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from ..analysis.best import value_of
from ..analysis.case import Case
from ..core.metric import Better, Estimate
from ..store.metric_log import line_of
from ..store.metric_record import MetricRecord, metric_log_record
from .facts import short

if TYPE_CHECKING:
    from .compare import Comparison
    from .results import Results

MEASURED = ("usd_per_1k", "usd_per_correct", "latency_mean", "latency_p50", "determinism")
"""Of the serial pass, beside the metrics of the task."""


def result_records(results: Results) -> Iterator[MetricRecord]:
    """Yield each seed of each system on each task, then all of its seeds together.

    Seeds have values without intervals; together they have the estimate's interval.
    """
    for case in results.cases.values():
        for system, table in case.tables.items():
            for row, seed in enumerate(table.seeds):
                one = table.of_seed(row)
                values = {name: short(value_of(one, m)) for name, m in case.metrics.items()}
                yield _record(case, values, "benchmark_seed", system=system, seed=seed)
            spread: dict[str, Any] = {}
            for name in (*case.metrics, *MEASURED):
                if not case.metric_is_timed(name) or system in case.timed:
                    spread |= _spread(case.estimate(system, name))
            yield _record(case, spread, "benchmark_summary", system=system)


def change_records(results: Results, found: Comparison) -> Iterator[MetricRecord]:
    """Yield what changed of each system since each baseline: run minus baseline, paired."""
    keys = dict.fromkeys((d.task, d.system, d.baseline) for d in found.diffs)
    for task, system, baseline in keys:
        changes: dict[str, Any] = {}
        for diff in found.diffs:
            if (diff.task, diff.system, diff.baseline) == (task, system, baseline):
                changes |= _spread(diff.estimate)
                changes[f"{diff.metric}/p"] = short(diff.adjusted)
        case = results.cases[task]
        yield _record(case, changes, "benchmark_delta", system=system, baseline=baseline)


def log_bytes(records: Iterator[MetricRecord]) -> bytes:
    """Return records as the bytes of a log."""
    return b"".join(map(line_of, records))


def _record(
    case: Case,
    metrics: dict[str, Any],
    phase: Literal["benchmark_seed", "benchmark_summary", "benchmark_delta"],
    **context: str | int,
) -> MetricRecord:
    made = metric_log_record(metrics, phase=phase, context={"task": case.task, **context})
    told = {n: case.better(n) for n in metrics if case.knows(n)}
    return replace(made, better={n: _word(b) for n, b in told.items() if b is not Better.NONE})


def _word(better: Better) -> Literal["higher", "lower"]:
    return "lower" if better is Better.LOWER else "higher"


def _spread(estimate: Estimate) -> dict[str, float | int | None]:
    name = estimate.metric
    if estimate.value is None:
        return {name: None}
    ends = {"low": short(estimate.low), "high": short(estimate.high)}
    told = {f"{name}/{end}": value for end, value in ends.items() if value is not None}
    return {name: short(estimate.value), **told, f"{name}/n": estimate.n}
