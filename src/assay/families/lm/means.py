"""Metrics that are means over questions: of a score over all of them, of an outcome over those of a tag."""

from __future__ import annotations

import numpy as np

from assay import OUTCOME_METRICS, Better, Metric, Ratio

UNJUDGED = tuple(m for m in OUTCOME_METRICS if m.name in ("coverage", "failure_rate"))
"""For tasks without right or wrong: what every task has, less what is about right answers."""

CUT_RATE = Metric(
    name="cut_rate",
    says="replies that were cut at max_tokens, of those of which it is known",
    better=Better.LOWER,
    form=Ratio(
        numerator=lambda columns: (columns["cut"] > 0).astype(np.float64),
        denominator=lambda columns: (~np.isnan(columns["cut"])).astype(np.float64),
    ),
    columns=("cut",),
    bounds=(0.0, 1.0),
)
"""For tasks whose answers are written.  A program does not say whether it was cut, and has no value."""


def mean_of(
    column: str,
    *,
    name: str,
    says: str,
    better: Better = Better.HIGHER,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Metric:
    """Return the mean of a score over everything that was asked, answered or not.

    >>> mean_of("check:exact", name="exact", says="exact answers").columns
    ('check:exact', 'asked')
    """
    return Metric(
        name=name,
        says=says,
        better=better,
        form=Ratio(
            # What was not answered was not checked, and shares nothing with what is right.
            numerator=lambda columns: np.nan_to_num(columns[column]) * columns["asked"],
            denominator=lambda columns: columns["asked"],
        ),
        columns=(column, "asked"),
        bounds=bounds,
    )


def share_of_tagged(outcome: str, tag: str, *, name: str, says: str) -> Metric:
    """Return the share of an outcome (``correct``), of everything asked that has a tag.

    >>> share_of_tagged("correct", "easy", name="easy", says="right, of the easy ones").columns
    ('correct', 'asked', 'tag:easy')
    """
    column = f"tag:{tag}"
    return Metric(
        name=name,
        says=says,
        better=Better.HIGHER,
        form=Ratio(
            numerator=lambda columns: columns[outcome] * columns[column],
            denominator=lambda columns: columns["asked"] * columns[column],
        ),
        columns=(outcome, "asked", column),
        bounds=(0.0, 1.0),
    )
