"""How well a confidence tells questions that have an answer from those that have none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Better, Metric, Statistic

Found: TypeAlias = Mapping[str, Any]
"""Columns of records: one float array each."""

Weights: TypeAlias = NDArray[np.float64]
ENOUGH = 0.12
"""Share of the questions with an answer, least sure first, in which the 95 % are looked for first."""

ROWS = 64
"""Resamples at a time: bounds the memory."""

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


def _aurocs(inside: Weights, outside: Weights) -> Weights:
    """Return one area for each row of block weights; NaN where one kind of question is missing."""
    pairs = inside.sum(axis=1) * outside.sum(axis=1)
    surer = np.cumsum(inside, axis=1) - inside / 2
    return _over((outside * surer).sum(axis=1), pairs)


def _fprs(inside: Weights, outside: Weights) -> Weights:
    """Return one rate for each row of block weights; NaN where one kind of question is missing."""
    every = inside.sum(axis=1)
    kept = np.cumsum(inside, axis=1) >= (KEPT - 1e-12) * every[:, None]
    last = kept.argmax(axis=1)
    passed = np.take_along_axis(np.cumsum(outside, axis=1), last[:, None], axis=1)[:, 0]
    return np.where(every > 0, _over(passed, outside.sum(axis=1)), np.nan)


def _over(above: Weights, below: Weights) -> Weights:
    found: Weights = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return found


def _statistic(
    rows: Callable[[Weights, Weights], Weights],
    prepare: Callable[[Found, NDArray[np.int64]], Callable[[Any], Weights]],
) -> Statistic:
    """Return a statistic of block weights, for one set of weights and for many resamples."""

    def of(columns: Found, weights: Weights) -> float | None:
        inside, outside = _steps(columns, weights)
        if not inside.size:
            return None
        found = float(rows(inside[None, :], outside[None, :])[0])
        return None if np.isnan(found) else found

    return Statistic(of=of, prepare=prepare)


class _Asked(NamedTuple):
    """Observed questions, least sure first."""

    sure: NDArray[np.float64]
    outside: NDArray[np.bool_]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, columns: Found, groups: NDArray[np.int64]) -> _Asked:
        places = np.flatnonzero(columns["asked"] > 0)
        order = places[np.argsort(_sure(columns)[places], kind="stable")]
        outside = columns["no_answer"][order] > 0
        return cls(_sure(columns)[order], outside, np.asarray(groups)[order])

    def totals(self) -> Callable[[Weights], tuple[Weights, Weights]]:
        """Return what gives the weight of either kind of question in each resample."""
        known: dict[int, tuple[Weights, Weights]] = {}

        def of(drawn: Weights) -> tuple[Weights, Weights]:
            size = drawn.shape[1]
            if size not in known:
                known[size] = (
                    np.bincount(self.codes[~self.outside], minlength=size).astype(np.float64),
                    np.bincount(self.codes[self.outside], minlength=size).astype(np.float64),
                )
            inside, outside = known[size]
            return drawn @ inside, drawn @ outside

        return of


def _many_aurocs(columns: Found, groups: NDArray[np.int64]) -> Callable[[Any], Weights]:
    """Count pairs once, group by group: a resample is then a quadratic form in its counts."""
    asked = _Asked.of(columns, groups)
    totals, known = asked.totals(), dict[int, Weights]()

    def pairs(size: int) -> Weights:
        other, codes = asked.sure[asked.outside], asked.codes[asked.outside]
        found = np.zeros((size, size))
        for group in np.unique(asked.codes[~asked.outside]).tolist():
            mine = asked.sure[~asked.outside & (asked.codes == group)]
            right, left = (np.searchsorted(mine, other, side) for side in ("right", "left"))
            surer = len(mine) - (right + left) / 2
            found[:, group] = np.bincount(codes, weights=surer, minlength=size)
        return found

    def values(drawn: Any) -> Weights:
        counts = np.asarray(drawn, dtype=np.float64)
        size = counts.shape[1]
        if size not in known:
            known[size] = pairs(size)
        inside, outside = totals(counts)
        return _over(((counts @ known[size]) * counts).sum(axis=1), inside * outside)

    return values


def _many_fprs(columns: Found, groups: NDArray[np.int64]) -> Callable[[Any], Weights]:
    """Look at the least sure only: what 95 % keep is decided among them."""
    asked = _Asked.of(columns, groups)
    totals = asked.totals()
    starts = np.flatnonzero(np.r_[True, asked.sure[1:] != asked.sure[:-1]])
    starts = starts[: len(asked.sure)]  # none where nothing was asked
    within = np.cumsum(~asked.outside) <= ENOUGH * (~asked.outside).sum()
    few = int(np.searchsorted(starts, within.sum()))

    def dropped(counts: Weights, limit: Weights, blocks: int) -> tuple[Weights, NDArray[np.bool_]]:
        """Return the weight without an answer that is dropped, and whether that is all of it."""
        end = int(starts[blocks]) if blocks < len(starts) else len(asked.sure)
        weights = counts.take(asked.codes[:end], axis=1)
        inside, outside = (
            np.cumsum(
                np.add.reduceat(np.where(kind, weights, 0.0), starts[:blocks], axis=1), axis=1
            )
            for kind in (~asked.outside[:end], asked.outside[:end])
        )
        below = (inside <= limit[:, None]).sum(axis=1)
        lost = np.where(below > 0, outside[np.arange(len(counts)), np.maximum(below, 1) - 1], 0.0)
        return lost, below < blocks

    def values(drawn: Any) -> Weights:
        found = np.full(len(drawn), np.nan)
        for first in range(0, len(drawn) if len(starts) else 0, ROWS):
            counts = np.asarray(drawn[first : first + ROWS], dtype=np.float64)
            inside, outside = totals(counts)
            limit = (1 - KEPT + 1e-12) * inside
            lost, whole = dropped(counts, limit, max(few, 1))
            if not whole.all() and few < len(starts):
                lost[~whole] = dropped(counts[~whole], limit[~whole], len(starts))[0]
            rate = _over(outside - lost, outside)
            found[first : first + ROWS] = np.where(inside > 0, rate, np.nan)
        return found

    return values


oos_auroc = Metric(
    name="oos_auroc",
    says="how often a question with an answer has more confidence than one without",
    better=Better.HIGHER,
    form=_statistic(_aurocs, _many_aurocs),
    columns=COLUMNS,
    bounds=(0.0, 1.0),
)
oos_fpr_at_95tpr = Metric(
    name="oos_fpr_at_95tpr",
    says="questions without an answer that pass a threshold which 95 % of the others pass",
    better=Better.LOWER,
    form=_statistic(_fprs, _many_fprs),
    columns=COLUMNS,
    bounds=(0.0, 1.0),
)
OUTSIDE_METRICS = (oos_auroc, oos_fpr_at_95tpr)
"""Undefined where every question has an answer, or none has."""
