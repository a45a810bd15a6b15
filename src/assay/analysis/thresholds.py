"""Choose the threshold below which a system declines, on calibration records only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..stats import threshold
from ..stats.inference import Undefined
from ..store.columns import CODE, Floats
from .table import Table

ANSWERED = tuple(CODE[name] for name in ("correct", "wrong", "invented"))
NEVER = 2.0
"""A threshold that no confidence reaches: the system declines everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The threshold of one seed, and what it promises."""

    seed: int
    max_risk: float
    delta: float
    value: float | None
    """None: no threshold of the grid passes; the system then declines everything."""

    accepted_groups: int = 0
    """Calibration groups, one random sample each, that were answered at this threshold."""

    errors: int = 0
    p: float | None = None
    at_most: float | None = None
    """Clopper-Pearson bound on the risk among accepted calibration samples."""

    why: str = ""
    """Why there is none."""

    method: str = "Learn-then-Test, Clopper-Pearson, fixed sequence, one sample per group"

    @property
    def effective(self) -> float:
        """The threshold to apply."""
        return NEVER if self.value is None else self.value

    @property
    def promise(self) -> str:
        """What may be said of it."""
        if self.value is None:
            return f"no threshold keeps the risk at or below {self.max_risk:.0%}; it declines all"
        return (
            f"at most {self.max_risk:.0%} of its answers are wrong, with {1 - self.delta:.0%} "
            f"confidence, for this mix of samples"
        )


def choose(
    tune: Table, calibration: Table, *, max_risk: float, delta: float, rng: int
) -> dict[int, Chosen]:
    """Return one threshold per seed.

    The grid is fixed on tune scores; the test is Learn-then-Test with Clopper-Pearson on one
    random sample of each calibration group, strictest threshold first, until the first failure.
    The test split is not an argument.
    """
    found = {}
    for row, seed in enumerate(calibration.seeds):
        confidence, right = _scores(calibration, row)
        grid = threshold.grid_from(
            _scores(tune, row)[0], n_groups=calibration.n_groups, max_risk=max_risk, delta=delta
        )
        if isinstance(grid, Undefined):
            found[seed] = Chosen(
                seed=seed, max_risk=max_risk, delta=delta, value=None, why=grid.why
            )
            continue
        result = threshold.ltt_threshold(
            threshold.Calibration(confidence=confidence, right=right, groups=calibration.codes),
            grid=grid,
            max_risk=max_risk,
            delta=delta,
            rng=np.random.Generator(np.random.PCG64([rng, seed])),
        )
        found[seed] = _chosen(seed, max_risk, delta, result)
    return found


def _chosen(
    seed: int, max_risk: float, delta: float, result: threshold.Threshold | threshold.NoThreshold
) -> Chosen:
    if isinstance(result, threshold.NoThreshold):
        return Chosen(seed=seed, max_risk=max_risk, delta=delta, value=None, why=result.why)
    return Chosen(
        seed=seed,
        max_risk=max_risk,
        delta=delta,
        value=result.threshold,
        accepted_groups=result.accepted,
        errors=result.errors,
        p=result.p,
        at_most=result.risk_at_most,
    )


def _scores(table: Table, row: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return confidences (minus infinity where nothing was answered), and what was right.

    An answer without a confidence cannot be withheld by a threshold: it counts as surest.
    """
    outcome = table.outcome[row]
    answered = np.isin(outcome, ANSWERED)
    sure = np.where(np.isnan(table.confidence[row]), 1.0, table.confidence[row])
    return np.where(answered, sure, -np.inf), outcome == CODE["correct"]
