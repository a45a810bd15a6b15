"""The threshold at which a metric is best on calibration records: tuned, and promises nothing."""

from __future__ import annotations

import numpy as np

from ..core.metric import Better, Metric, Ratio
from ..store.columns import CODE, Floats
from .cuts import ANSWERED, Cut
from .table import Table

TRIED = 200
"""Thresholds that are tried: every confidence, or so many of them, from the sure to the unsure."""


def best_cut(records: Table, metric: Metric) -> Cut:
    """Return the strictest threshold at which a metric of one seed's records is best.

    ``records`` has one seed.  No threshold where the metric is undefined at each of them.

    *Not to be trusted for* the metric in use: it is the best of many, and will be less.
    """
    answered = np.isin(records.outcome[0], ANSWERED)
    sure = np.where(np.isnan(records.confidence[0]), 1.0, records.confidence[0])
    best: tuple[float, float] | None = None
    for at in _tried(sure[answered]):
        worth = value_of(records.above({records.seeds[0]: at}), metric)
        if worth is None:
            continue
        better = -worth if metric.better is Better.LOWER else worth
        if best is None or better > best[0]:
            best = better, at
    if best is None:
        return Cut(value=None, why=f"{metric.name} is undefined on calibration at every threshold")
    at = best[1]
    given = answered & ~(sure < at)
    wrong = given & (records.outcome[0] != CODE["correct"])
    worth = -best[0] if metric.better is Better.LOWER else best[0]
    return Cut(value=at, accepted=int(given.sum()), errors=int(wrong.sum()), worth=worth)


def _tried(sure: Floats) -> list[float]:
    """Return thresholds from strict to lax."""
    distinct = np.unique(sure)[::-1]
    if len(distinct) > TRIED:
        distinct = distinct[np.linspace(0, len(distinct) - 1, TRIED).round().astype(np.intp)]
    found: list[float] = distinct.tolist()
    return found


def value_of(table: Table, metric: Metric) -> float | None:
    """Return a metric of some records, without an interval; None where it is undefined."""
    if isinstance(metric.form, Ratio):
        above, below = table.terms(metric)
        total = float(below.sum())
        return float(above.sum()) / total if total else None
    columns = {name: column.ravel() for name, column in table.reads(metric).items()}
    return metric.form.of(columns, np.ones(table.outcome.size))
