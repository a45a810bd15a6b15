"""What is measured on a table: classes where values are censored, errors, and how sure a value is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assay import Better, Metric, Ratio, Statistic

from .metrics import (
    OUTCOMES,
    bottom_cost,
    charged_error,
    direction_accuracy,
    macro_f1,
    mean_error,
    withheld_rate,
)

MOST = 2.0
"""Standard deviations of the training values that a value which is not given is charged."""


def table_metrics(reasons: Sequence[str]) -> tuple[Metric, ...]:
    """Return what is measured where values may be missing for these reasons; the first is the headline.

    >>> [metric.name for metric in table_metrics(())][:2], table_metrics(("below",))[0].name
    (['accuracy', 'coverage'], 'macro_f1')
    """
    classes = (macro_f1(reasons),) if reasons else ()
    direction = (direction_accuracy(reasons),) if len(reasons) > 1 else ()
    return (
        *classes,
        *OUTCOMES.values(),
        withheld_rate,
        *direction,
        mean_error("error", says="mean error of the values given, in the target's unit"),
        root_mean_square("error", name="rmse", says="root mean square error of the values given"),
        charged_error(
            "error_sd",
            most=MOST,
            says="mean error of all values there are, in standard deviations of the training values; "
            f"{MOST:g} for one not given",
            unit="sd",
        ),
        _mean_nll(),
        mean_error(
            "crps", says="mean continuous ranked probability score of the Gaussians of values given"
        ),
        bottom_cost(),
    )


def root_mean_square(score: str, *, name: str, says: str) -> Metric:
    """Return the root of the mean square of a verifier's score, over values given where there is one.

    *Not to be trusted alone*: like every error of values given it falls when hard ones are declined.
    """

    def parts(columns: Any) -> tuple[Any, Any]:
        square = columns[f"check:{score}"] ** 2
        given = (columns["correct"] + columns["wrong"]) * ~np.isnan(square)
        return np.nan_to_num(square) * given, given

    def of(columns: Any, weights: Any) -> float | None:
        above, below = parts(columns)
        asked = float((below * weights).sum())
        return float(np.sqrt((above * weights).sum() / asked)) if asked else None

    def prepare(columns: Any, groups: Any) -> Any:
        n = int(groups.max(initial=-1)) + 1
        above, below = (np.bincount(groups, weights=a, minlength=n) for a in parts(columns))

        def values(counts: Any) -> Any:
            asked = counts @ below
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.where(asked > 0, np.sqrt((counts @ above) / asked), np.nan)

        return values

    return Metric(
        name=name,
        says=says,
        better=Better.LOWER,
        form=Statistic(of=of, prepare=prepare, among=lambda columns: parts(columns)[1]),
        columns=(f"check:{score}", "correct", "wrong"),
        bounds=(0.0, float("inf")),
    )


def _mean_nll() -> Metric:
    return Metric(
        name="nll",
        says="mean negative log-likelihood of the values given, under the Gaussians of the answers",
        better=Better.LOWER,
        form=Ratio(
            numerator=lambda c: c["check:nll"] * (c["correct"] + c["wrong"]),
            denominator=lambda c: c["correct"] + c["wrong"],
        ),
        columns=("check:nll", "correct", "wrong"),
    )
