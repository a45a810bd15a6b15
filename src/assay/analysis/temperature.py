"""One number that makes confidences mean what they say, fitted on calibration records only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..stats import calibration
from ..stats.inference import Undefined
from ..store.columns import CODE
from .cuts import ANSWERED
from .table import Table
from .thresholds import Calibration


def temperature(records: Calibration) -> float | Undefined:
    """Fit a temperature on calibration records, seeds pooled; test records cannot be given.

    Undefined where no temperature is the best: nothing has a confidence, or all is right or wrong.
    """
    table = records.records
    held = np.isin(table.outcome, ANSWERED) & ~np.isnan(table.confidence)
    right = (table.outcome == CODE["correct"]).astype(np.float64)
    if not held.any():
        return Undefined("no calibration answer has a confidence")
    return calibration.fit_temperature(table.confidence[held], right[held])


def at_temperature(table: Table, heat: float) -> Table:
    """Return the records with every confidence at a temperature; what has none keeps none."""
    sure = table.confidence.copy()
    held = ~np.isnan(sure)
    sure[held] = calibration.scaled(sure[held], heat)
    return replace(table, confidence=sure)
