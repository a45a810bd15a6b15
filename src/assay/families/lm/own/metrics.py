"""The metrics of these tasks: shares of the questions that have an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay import OUTCOME_METRICS, Better, Metric, Ratio

from ..means import CUT_RATE, share_of_tagged

_HAS_ANSWER = ("asked", "no_answer")


def metrics(*more: Metric, tags: Sequence[str] = ()) -> tuple[Metric, ...]:
    """Return ``solved``, those of each tag, ``more``, and the metrics that every task has.

    ``accuracy`` counts right declines too, so who says nothing is right on each question without an
    answer.  ``solved`` is the headline because nobody gets it for nothing.
    """
    return (solved(), *more, *map(solved, tags), *OUTCOME_METRICS, CUT_RATE)


def solved(tag: str = "") -> Metric:
    """Return the share of right answers, of the questions that have one (and the tag)."""
    column = f"tag:{tag}"

    def answerable(columns: Any) -> Any:
        those = columns["asked"] * (1 - columns["no_answer"])
        return those * columns[column] if tag else those

    return Metric(
        name=f"solved_{tag}" if tag else "solved",
        says="right answers, of the questions that have one" + (f" and are {tag}" if tag else ""),
        better=Better.HIGHER,
        form=Ratio(
            numerator=lambda columns: np.nan_to_num(columns["correct"]) * answerable(columns),
            denominator=answerable,
        ),
        columns=("correct", *_HAS_ANSWER, *((column,) if tag else ())),
        bounds=(0.0, 1.0),
    )


def share(name: str, says: str) -> Metric:
    """Return the mean of a score of the verifier; what was not answered scores nothing."""
    column = f"check:{name}"

    def answerable(columns: Any) -> Any:
        return columns["asked"] * (1 - columns["no_answer"])

    return Metric(
        name=name,
        says=f"{says}, of the questions that have an answer",
        better=Better.HIGHER,
        form=Ratio(
            numerator=lambda columns: np.nan_to_num(columns[column]) * answerable(columns),
            denominator=answerable,
        ),
        columns=(column, *_HAS_ANSWER),
        bounds=(0.0, 1.0),
    )


def declined_of(tag: str) -> Metric:
    """Return the share of right declines, of the questions without an answer that have the tag."""
    return share_of_tagged(
        "declined",
        tag,
        name=f"declined_{tag}",
        says=f"right declines, of the questions that are {tag}",
    )
