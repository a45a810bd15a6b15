"""What is measured of a response that may not be there."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay import Better, Metric, Ratio

from .metrics import DECLINE, OUTCOMES, UNIT, bottom_cost, charged_error, mean_error, withheld_rate

MOST = 20.0
"""Decibels that a response which is not given is charged: a factor of ten."""


def rf_metrics(decline_cost: float = DECLINE) -> tuple[Metric, ...]:
    """Return what is measured of a task of resonators; the first is the headline."""
    return (
        *OUTCOMES.values(),
        withheld_rate,
        mean_error("log_error", says="mean error of the magnitudes of the values given", unit="dB"),
        charged_error(
            "log_error",
            most=MOST,
            says=f"mean error of the magnitudes of all values there are; {MOST:g} for one not given",
            unit="dB",
        ),
        _mean_square("pointwise_mse", "", "of the values given"),
        _mean_square("in_band_mse", "in_band", "of the values given near the resonance"),
        _mean_square("extrapolation_mse", "extrapolation", "of those given of a Q beyond train's"),
        peak_retention_yield,
        false_peak_rate,
        bottom_cost(decline_cost),
    )


def _mean_square(name: str, tag: str, says: str) -> Metric:
    """Return the mean squared error of the values given, of samples with a tag or of all."""

    def given(columns: Any) -> Any:
        tagged = columns[f"tag:{tag}"] if tag else 1.0
        return (columns["correct"] + columns["wrong"]) * tagged

    return Metric(
        name=name,
        says=f"mean squared error {says}",
        better=Better.LOWER,
        form=Ratio(numerator=lambda c: c["check:squared_error"] * given(c), denominator=given),
        columns=("check:squared_error", "correct", "wrong", *([f"tag:{tag}"] if tag else ())),
        bounds=(0.0, float("inf")),
    )


peak_retention_yield = Metric(
    name="peak_retention_yield",
    says="highest responses of a sweep of which at least 0.9 is said, of all sweeps",
    better=Better.HIGHER,
    form=Ratio(
        # A peak that is not given has no score, and is not kept.
        numerator=lambda c: (
            np.nan_to_num(c["check:peak_kept"]) * (c["correct"] + c["wrong"]) * c["tag:peak"]
        ),
        denominator=lambda c: c["asked"] * c["tag:peak"],
    ),
    columns=("check:peak_kept", "correct", "wrong", "asked", "tag:peak"),
    bounds=UNIT,
)

false_peak_rate = Metric(
    name="false_peak_rate",
    says="responses above anything that the filter has, of the values given",
    better=Better.LOWER,
    form=Ratio(
        numerator=lambda c: c["check:false_peak"] * (c["correct"] + c["wrong"]),
        denominator=lambda c: c["correct"] + c["wrong"],
    ),
    columns=("check:false_peak", "correct", "wrong"),
    bounds=UNIT,
)
"""*False peak hallucination rate* of the reference.  An invented answer, where the task has no value,
is counted by ``invention_rate``."""
