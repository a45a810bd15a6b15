"""How well a confidence tells questions that have an answer from those that have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Better, Metric, Statistic

Found: TypeAlias = Mapping[str, Any]
"""Columns of records: one float array each."""

KEPT = 0.95
"""Share of the questions with an answer that a threshold must keep."""

COLUMNS = (
    *("correct", "wrong", "withheld", "declined", "invented", "failed"),
    *("asked", "no_answer", "confidence"),
)


class _Steps(NamedTuple):
    """Weights of both kinds of question at each distinct confidence, surest first."""

    inside: NDArray[np.float64]
    outside: NDArray[np.float64]


def _steps(columns: Found, weights: NDArray[np.float64]) -> _Steps:
    asked = (columns["asked"] > 0) & (weights > 0)
    outside = columns["no_answer"][asked] > 0
    _, block = np.unique(-_sure(columns)[asked], return_inverse=True)
    weight, n = weights[asked], int(block.max(initial=-1)) + 1
    inside, other = (
        np.bincount(block, weights=np.where(kind, weight, 0.0), minlength=n).astype(np.float64)
        for kind in (~outside, outside)
    )
    return _Steps(inside, other)


def _sure(columns: Found) -> NDArray[np.float64]:
    """Confidences, and where there is none what a threshold makes of the reply.

    A decline without a proposal is less sure than anything, an answer without a confidence surer,
    because no threshold withholds it.  A failure counts against the system on either side.
    """
    sure = columns["confidence"]
    answered = columns["correct"] + columns["wrong"] + columns["invented"] > 0
    against = np.where(columns["no_answer"] > 0, 2.0, -1.0)
    without = np.where(answered, 2.0, -1.0)
    found = np.where(np.isnan(sure), without, sure)
    return np.asarray(np.where(columns["failed"] > 0, against, found), dtype=np.float64)


def _auroc(columns: Found, weights: NDArray[np.float64]) -> float | None:
    inside, outside = _steps(columns, weights)
    pairs = float(inside.sum() * outside.sum())
    surer = np.cumsum(inside) - inside / 2
    return float((outside * surer).sum()) / pairs if pairs > 0 else None


def _fpr(columns: Found, weights: NDArray[np.float64]) -> float | None:
    inside, outside = _steps(columns, weights)
    if inside.sum() <= 0 or outside.sum() <= 0:
        return None
    kept = np.cumsum(inside) / inside.sum()
    last = int(np.searchsorted(kept, KEPT - 1e-12))
    return float(outside[: last + 1].sum() / outside.sum())


oos_auroc = Metric(
    name="oos_auroc",
    says="how often a question with an answer has more confidence than one without",
    better=Better.HIGHER,
    form=Statistic(of=_auroc),
    columns=COLUMNS,
    bounds=(0.0, 1.0),
)
oos_fpr_at_95tpr = Metric(
    name="oos_fpr_at_95tpr",
    says="questions without an answer that pass a threshold which 95 % of the others pass",
    better=Better.LOWER,
    form=Statistic(of=_fpr),
    columns=COLUMNS,
    bounds=(0.0, 1.0),
)
OUTSIDE_METRICS = (oos_auroc, oos_fpr_at_95tpr)
"""Undefined where every question has an answer, or none has."""
