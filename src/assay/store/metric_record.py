"""What a line of a metric log holds, made of whatever numbers a training loop has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from operator import index
from typing import Any, Literal, SupportsFloat, SupportsIndex, TypeAlias, get_args

from ..core.errors import DataError

Phase: TypeAlias = Literal["train", "benchmark_seed", "benchmark_summary", "benchmark_delta"]
PHASES: tuple[str, ...] = get_args(Phase)

Direction: TypeAlias = Literal["higher", "lower"]
Scalar: TypeAlias = "str | int | float | bool | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRecord:
    """What some metrics were at one step, of one seed, of all seeds, or beside a baseline."""

    metrics: Mapping[str, float | None]
    """Name to a finite number; None: not measured.  ``NAME/low``, ``NAME/high`` and ``NAME/n`` are the
    ends of an interval around ``NAME``, and the samples that it rests on."""

    phase: Phase
    step: int | None = None
    context: Mapping[str, Scalar] = field(default_factory=dict)
    """What the record is of: task, system, seed."""

    record_type: str = ""
    better: Mapping[str, Direction] = field(default_factory=dict)
    """Which way a metric is better, where that is known."""


def metric_log_record(
    metrics: Mapping[str, Any],
    *,
    phase: Phase,
    step: int | None = None,
    context: Mapping[str, Scalar] | None = None,
    record_type: str | None = None,
) -> MetricRecord:
    """Return a record for a log; ``record_type`` is the phase where it is left out.

    Numbers of NumPy and torch are taken for what they are.  Raises ``DataError``: A202 for a metric that
    is no finite number, A200 for an unknown phase, a step that is no whole number from 0 on, and names
    and contexts that are more than text and plain values.

    >>> metric_log_record({"loss": 0.25}, phase="train", step=3, context={"seed": 0}).step
    3
    >>> metric_log_record({"loss": float("nan")}, phase="train")
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A202 the metric 'loss' is nan: a log holds finite numbers
      try: write None where a metric was not measured
    """
    if phase not in PHASES:
        raise DataError(f"{phase!r} is no phase of a log", hint=f"use one of: {', '.join(PHASES)}")
    step, given = _plain(step), {n: _plain(v) for n, v in (context or {}).items()}
    if step is not None and (isinstance(step, bool) or not isinstance(step, int) or step < 0):
        raise DataError(f"the step is {step!r}", hint="count steps with whole numbers from 0 on")
    for name, value in given.items():
        plain = value is None or isinstance(value, str | int | float)
        if not isinstance(name, str) or not plain or not _finite(value):
            raise DataError(
                f"the context {name!r} is {value!r}", hint="give a text, a finite number or None"
            )
    for name in (*metrics, record_type or phase):
        if not isinstance(name, str):
            raise DataError(f"the name {name!r} is no text", hint=f"write {str(name)!r}")
    return MetricRecord(
        metrics={name: _number(name, value) for name, value in metrics.items()},
        phase=phase,
        step=step,
        context=given,
        record_type=record_type or phase,
    )


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, SupportsFloat) or not isfinite(value):
        raise DataError(
            f"the metric {name!r} is {value!r}: a log holds finite numbers",
            hint="write None where a metric was not measured",
            code="A202",
        )
    return value if isinstance(value, int) else float(value)


def _plain(value: Any) -> Any:
    """Return a whole number or a number of another library as one of Python's, anything else as it is."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    try:
        return index(value) if isinstance(value, SupportsIndex) else float(value)
    except (TypeError, ValueError):  # no number, or an array of several
        return value


def _finite(value: object) -> bool:
    return not isinstance(value, float) or isfinite(value)
