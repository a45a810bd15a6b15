"""How far answers come: whether they compile, and by which turn of a repair loop they are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from assay import Better, Metric, Ratio

MOST = 5
"""Turns that have a metric of their own."""

_Read: TypeAlias = Callable[[Mapping[str, Any]], Any]


def by_turn(turn: int) -> str:
    """Return the name of the score: right, had the loop ended after this turn.

    >>> by_turn(2)
    'right_by_turn_2'
    """
    return f"right_by_turn_{turn}"


def _scored(column: str) -> _Read:
    def read(columns: Mapping[str, Any]) -> Any:
        import numpy as np

        return np.nan_to_num(
            columns[column]
        )  # what was not answered has no score, and is not right

    return read


def _share(name: str, says: str, score: str) -> Metric:
    column = f"check:{score}"
    return Metric(
        name=name,
        says=says,
        better=Better.HIGHER,
        form=Ratio(numerator=_scored(column), denominator=lambda columns: columns["asked"]),
        columns=(column, "asked"),
        bounds=(0.0, 1.0),
    )


COMPILES = _share("compile_rate", "answers that compile, of all that was asked", "compiles")
TURNS = tuple(
    _share(
        f"pass_by_turn_{turn}",
        f"right answers, had the loop ended after turn {turn}, of all that was asked",
        by_turn(turn),
    )
    for turn in range(1, MOST + 1)
)
