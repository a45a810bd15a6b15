"""Whether sending some questions to one system and the rest to another averages a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.metric import Ratio
from .case import Case
from .metrics import QUANTILES, usd_per_correct


def linear(case: Case, systems: Sequence[str], metric: str) -> str:
    """Return why a metric does not mix linearly; empty where it does.

    It does where all systems divide by the same count of each sample: then a share ``p`` of the
    questions, drawn at random, moves the number by ``p`` of the difference.
    """
    if metric in QUANTILES:
        return "a quantile of two systems together is no average of their quantiles"
    form = case.metric(metric).form
    if not isinstance(form, Ratio):
        return "it is no mean over questions"
    if metric == usd_per_correct.name:
        return "each system divides by another count, the answers that it got right"
    if case.metric_is_timed(metric):
        return ""
    first, *rest = (_divisors(case, s, metric) for s in systems)
    for other in rest:
        if first[0] is other[0] or first[0] == other[0]:
            one, two = first[1], other[1]
        else:
            mine = dict(zip(first[0], first[1], strict=True))
            pairs = [(mine[s], v) for s, v in zip(other[0], other[1], strict=True) if s in mine]
            one, two = np.array(pairs).reshape(-1, 2).T
        known = ~(np.isnan(one) | np.isnan(two))
        if not np.array_equal(one[known], two[known]):
            return "each system divides by another count, such as the answers that it gave"
    return ""


def _divisors(case: Case, system: str, metric: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Return what each sample adds to the denominator; NaN where a reply was not observed."""
    table = case.tables[system]
    asked = table.columns["asked"]
    below = table.terms(case.metrics[metric])[1]
    return table.samples, np.where((asked > 0).all(axis=0), below.mean(axis=0), np.nan)
