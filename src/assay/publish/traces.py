"""A metric log, read as series of steps, and as results without any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..store.metric_record import MetricRecord, Scalar

ENDS = ("low", "high", "n", "p")
"""What may stand behind the name of a metric, after a slash: it belongs to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One metric of one context, step by step."""

    metric: str
    context: Mapping[str, Scalar]
    name: str
    """What tells the context from the others of the log."""

    steps: tuple[int, ...]
    values: tuple[float, ...]
    better: str = ""
    """``higher``, ``lower``, or nothing where the log does not say."""

    @property
    def best(self) -> tuple[int, float] | None:
        """The step at which it was best, the first of equals; None where nobody says what is better."""
        if not self.better:
            return None
        sign = 1 if self.better == "lower" else -1
        return min(self.points, key=lambda point: (sign * point[1], point[0]))

    @property
    def lowest(self) -> tuple[int, float]:
        """The step at which it was lowest, the first of equals."""
        return min(self.points, key=lambda point: (point[1], point[0]))

    @property
    def highest(self) -> tuple[int, float]:
        """The step at which it was highest, the first of equals."""
        return min(self.points, key=lambda point: (-point[1], point[0]))

    @property
    def points(self) -> list[tuple[int, float]]:
        """Steps with their values."""
        return list(zip(self.steps, self.values, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What a log holds."""

    records: int
    phases: tuple[str, ...]
    shared: Mapping[str, Scalar]
    """What every record is of."""

    traces: tuple[Trace, ...]
    """By metric, then by context, each in order of appearance; sorted by step."""

    results: tuple[MetricRecord, ...]
    """Records without a step."""


def log_of(records: Iterable[MetricRecord]) -> Log:
    """Return the traces and results of some records; of records for one step the last one counts.

    >>> from assay.store.metric_record import metric_log_record
    >>> log = log_of(
    ...     metric_log_record({"loss": loss}, phase="train", step=step, context={"seed": 0})
    ...     for step, loss in [(2, 0.5), (1, 0.75)]
    ... )
    >>> [(trace.metric, trace.points) for trace in log.traces]
    [('loss', [(1, 0.75), (2, 0.5)])]
    """
    found = list(records)
    shared = _shared(found)
    grown: dict[str, dict[tuple[object, ...], dict[int, float]]] = {}
    contexts: dict[tuple[object, ...], Mapping[str, Scalar]] = {}
    better: dict[str, str] = {}
    for record in found:
        better |= record.better
        if record.step is None:
            continue
        key: tuple[object, ...] = (record.record_type, *_items(record.context))
        contexts.setdefault(key, record.context)
        for metric, value in record.metrics.items():
            if value is not None:
                grown.setdefault(metric, {}).setdefault(key, {})[record.step] = value
    types = {r.record_type for r in found if r.step is not None}
    traces = []
    for metric, by_key in grown.items():
        for key, points in by_key.items():
            kind = str(key[0]) if len(types) > 1 else ""
            steps = sorted(points)
            traces.append(
                Trace(
                    metric=metric,
                    context=contexts[key],
                    name=named(contexts[key], shared, kind),
                    steps=tuple(steps),
                    values=tuple(points[step] for step in steps),
                    better=better.get(metric, ""),
                )
            )
    return Log(
        records=len(found),
        phases=tuple(dict.fromkeys(record.phase for record in found)),
        shared=shared,
        traces=tuple(traces),
        results=tuple(record for record in found if record.step is None),
    )


def named(context: Mapping[str, Scalar], shared: Mapping[str, Scalar], kind: str = "") -> str:
    """Return what a context has that not every record has.

    >>> named({"task": "dose", "seed": 3}, {"task": "dose"})
    'seed 3'
    """
    own = [f"{name} {value}" for name, value in context.items() if name not in shared]
    return " · ".join([*([kind] if kind else []), *own]) or "all"


def _shared(records: list[MetricRecord]) -> dict[str, Scalar]:
    first = dict(records[0].context) if records else {}
    for record in records:
        there = set(_items(record.context))
        first = {n: v for n, v in first.items() if (n, type(v).__name__, v) in there}
    return first


def _items(context: Mapping[str, Scalar]) -> list[tuple[str, str, Scalar]]:
    # True and 1 are equal, and not the same.
    return [(name, type(value).__name__, value) for name, value in sorted(context.items())]
