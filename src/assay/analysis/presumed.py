"""What a metric reads before anything has run, if a system answered everything, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.metric import Columns, Metric, Ratio
from ..core.reply import Bottom
from ..core.sample import Sample
from ..core.verdict import Outcome
from ..stats.inference import Census, Undefined


def if_answered(metric: Metric, samples: Sequence[Sample]) -> list[Sample] | None:
    """Return the samples in a metric's denominator, if everything is answered.

    None: outcomes alone do not tell.
    """
    none = _no_answer(samples)
    columns = {**_blank(samples), "correct": 1.0 - none, "invented": none}
    if not _tells(metric, columns):
        return None
    assert isinstance(metric.form, Ratio)
    below = np.asarray(metric.form.denominator(columns), dtype=np.float64)
    return [s for s, weight in zip(samples, below, strict=True) if weight > 0]


def if_declined(metric: Metric, samples: Sequence[Sample]) -> Census | Undefined | None:
    """Return what a metric is, if everything is declined.  None: outcomes alone do not tell."""
    none = _no_answer(samples)
    columns = {**_blank(samples), "withheld": 1.0 - none, "declined": none}
    if not _tells(metric, columns):
        return None
    assert isinstance(metric.form, Ratio)
    below = float(np.sum(metric.form.denominator(columns)))
    if not below:
        return Undefined("nothing was answered")
    return Census(float(np.sum(metric.form.numerator(columns))) / below)


def _tells(metric: Metric, columns: Columns) -> bool:
    return isinstance(metric.form, Ratio) and set(metric.columns) <= set(columns)


def _no_answer(samples: Sequence[Sample]) -> np.ndarray:
    return np.array([isinstance(s.target, Bottom) for s in samples], dtype=np.float64)


def _blank(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    zeros = {outcome.value: np.zeros(len(samples)) for outcome in Outcome}
    return {**zeros, "asked": np.ones(len(samples)), "no_answer": _no_answer(samples)}
