"""Numbers as plain values, for files that programs read."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from ..analysis.case import Case
from ..core.metric import Estimate


def estimate_facts(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as plain values; an end without limit is null."""
    return {
        "metric": estimate.metric,
        "value": short(estimate.value),
        "low": short(estimate.low),
        "high": short(estimate.high),
        "confidence": short(estimate.confidence),
        "sides": estimate.sides,
        "n": estimate.n,
        "n_groups": estimate.n_groups,
        "n_seeds": estimate.n_seeds,
        "over": sorted(o.value for o in estimate.over),
        "method": estimate.method,
        "origin": estimate.origin.value,
    }


def short(value: float | None) -> float | None:
    """Return twelve digits: more would differ between builds of the same numerical library."""
    return None if value is None or not isfinite(value) else float(f"{value:.12g}")


def peaks(cases: Mapping[str, Case]) -> dict[str, dict[str, int | None]]:
    """Return the most memory that each timed system's process held, by task; bytes."""
    return {task: {s: t.peak_bytes for s, t in case.timed.items()} for task, case in cases.items()}
