"""Numbers of a board as they are read: with their interval, or *not measured*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.metric import Estimate, Over
from ..words import NOT_MEASURED, Scale, significant, value_and_ends

SCALES = {"usd": Scale.USD, "s": Scale.SECONDS}
POWERS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def spell_cell(cell: Mapping[str, Any] | None, column: Mapping[str, Any]) -> str:
    """Return a cell of ``board.json`` as text: value and interval, or *not measured*.

    >>> accuracy = {"metric": "accuracy", "unit": "share"}
    >>> spell_cell({"value": 0.61, "low": 0.55, "high": 0.67, "n": 200, "confidence": 0.95}, accuracy)
    '0.61 [0.55, 0.67]'
    >>> spell_cell({"why": "not measured: no reply"}, accuracy), spell_cell(None, accuracy)
    ('not measured', 'not measured')
    >>> spell_cell({"value": 144811904, "low": None, "high": None}, {"unit": "bytes"})
    '145 MB'
    """
    value = None if cell is None else cell.get("value")
    if cell is None or value is None:
        return NOT_MEASURED
    low, high = cell.get("low"), cell.get("high")
    if column.get("unit") == "bytes":
        ends = "" if low is None or high is None else f" [{_bytes(low)}, {_bytes(high)}]"
        return f"{_bytes(value)}{ends}"
    estimate = Estimate(
        metric=str(column.get("metric", "")),
        value=value,
        low=low,
        high=high,
        confidence=cell.get("confidence") or 0.95,
        n=cell.get("n") or 0,
        method=str(cell.get("method") or ""),
        over=frozenset({Over.SAMPLES}) if low is not None or high is not None else frozenset(),
    )
    return value_and_ends(estimate, SCALES.get(str(column.get("unit")), Scale.PLAIN))


def is_measured(cell: Mapping[str, Any] | None) -> bool:
    """Return whether a cell of ``board.json`` has a number."""
    return cell is not None and cell.get("value") is not None


def _bytes(value: float) -> str:
    for power, unit in POWERS:
        if abs(value) >= power:
            return f"{significant(value / power)} {unit}"
    return f"{value:g} bytes"
