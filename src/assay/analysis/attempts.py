"""The metrics of a task whose questions are asked several times."""

from __future__ import annotations

from math import comb

import numpy as np

from ..core.metric import Array, Better, Columns, Metric, Ratio

STEPS = (1, 5, 10, 25, 50, 100)
"""Numbers of attempts that people compare models by."""

_COLUMNS = ("attempts", "attempts_right", "correct", "declined", "asked")


def attempt_metrics(attempts: int) -> tuple[Metric, ...]:
    """Return ``pass_at_k`` and ``pass_hat_k`` for the usual k up to a number of attempts, and for it.

    >>> [metric.name for metric in attempt_metrics(5)]
    ['pass_at_1', 'pass_hat_1', 'pass_at_5', 'pass_hat_5']
    >>> attempt_metrics(1)
    ()
    """
    if attempts == 1:
        return ()
    ks = sorted({*(k for k in STEPS if k < attempts), attempts})
    return tuple(metric for k in ks for metric in (pass_at(k), pass_hat(k)))


def pass_at(k: int) -> Metric:
    """Return the chance that at least one of k attempts is right.

    Source: Chen et al., 2021 (arXiv:2107.03374), unbiased: 1 - C(n-c, k) / C(n, k).
    """
    return Metric(
        name=f"pass_at_{k}",
        says=f"chance that one of {k} attempts at least is right" if k > 1 else "right attempts",
        better=Better.HIGHER,
        form=Ratio(
            numerator=lambda columns: 1 - _all_of(k, columns, wrong=True), denominator=_asked
        ),
        columns=_COLUMNS,
        bounds=(0.0, 1.0),
    )


def pass_hat(k: int) -> Metric:
    """Return the chance that all of k attempts are right.

    Source: Yao et al., 2024 (arXiv:2406.12045), unbiased: C(c, k) / C(n, k).
    """
    return Metric(
        name=f"pass_hat_{k}",
        says=f"chance that all of {k} attempts are right" if k > 1 else "right attempts",
        better=Better.HIGHER,
        form=Ratio(numerator=lambda columns: _all_of(k, columns, wrong=False), denominator=_asked),
        columns=_COLUMNS,
        bounds=(0.0, 1.0),
    )


def _asked(columns: Columns) -> Array:
    return columns["asked"]


def _all_of(k: int, columns: Columns, *, wrong: bool) -> Array:
    """Return the chance that k attempts are all right (or all wrong), drawn without return.

    Who was asked once, drawing nothing, would have said the same each time.  Where fewer than k attempts
    were observed there is no such chance: NaN, which counts nowhere.
    """
    once = np.isnan(columns["attempts"])
    right = columns["correct"] + columns["declined"]
    n = np.where(once, k * columns["asked"], columns["attempts"]).astype(np.int64)
    c = np.where(once, k * right, columns["attempts_right"]).astype(np.int64)
    among = n - c if wrong else c
    known = _shares(int(n.max(initial=0)), k)
    return known[n, among]


def _shares(most: int, k: int) -> Array:
    """Return C(c, k) / C(n, k) by n and c, shape [most + 1, most + 1]; NaN where n is below k."""
    table = np.full((most + 1, most + 1), np.nan)
    for n in range(k, most + 1):
        table[n, : n + 1] = [comb(c, k) / comb(n, k) for c in range(n + 1)]
    return table
