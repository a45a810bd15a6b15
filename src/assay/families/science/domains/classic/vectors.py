"""Values of several numbers: when one is right, and what is measured of the errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np

from assay import Answer, Better, Check, Crash, Metric, Ratio, Reply, Sample

SQUARED, ABSOLUTE = "squared", "absolute"
"""Scores of a value: the mean over its numbers of the squared, and of the absolute, error."""
MOST = 1e6
"""Numbers farther from 0 score as this one: no value comes near it."""


@dataclass(frozen=True, slots=True)
class WithinShare:
    """Right where the error is at most such a share of the value, both as lengths of vectors."""

    share: float

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each value with the one asked for; what is no list of so many numbers is wrong."""
        for sample, reply in batch:
            wanted, said = sample.target, reply.said
            if not isinstance(wanted, Answer) or not isinstance(said, Answer):
                yield Crash("no_target", f"sample {sample.id!r} has no value to compare with")
                continue
            right = np.array(wanted.value, dtype=np.float64)
            given = _numbers(said.value, len(right))
            if given is None:
                yield Check(passed=False)
                continue
            off = np.array(given) - right
            scores = {SQUARED: float((off**2).mean()), ABSOLUTE: float(np.abs(off).mean())}
            yield Check(passed=hypot(*off) <= self.share * hypot(*right), scores=scores)


def _numbers(value: object, many: int) -> list[float] | None:
    if not isinstance(value, list) or len(value) != many:
        return None
    found = [
        float(max(-MOST, min(MOST, v)))
        for v in value
        if isinstance(v, int | float) and not isinstance(v, bool)
    ]
    return found if len(found) == many else None


def mean_over(name: str, score: str, *, says: str, tag: str = "") -> Metric:
    """Return the mean of a score over the values given, of all samples or those with a tag.

    *Not to be trusted alone*: it falls when hard questions are declined.
    """
    given = ("correct", "wrong")
    column = (f"tag:{tag}",) if tag else ()

    def among(columns: Any) -> Any:
        answered = columns["correct"] + columns["wrong"]
        return answered * columns[column[0]] if column else answered

    return Metric(
        name=name,
        says=says,
        better=Better.LOWER,
        form=Ratio(numerator=lambda c: c[f"check:{score}"] * among(c), denominator=among),
        columns=(f"check:{score}", *given, *column),
        bounds=(0.0, float("inf")),
    )
