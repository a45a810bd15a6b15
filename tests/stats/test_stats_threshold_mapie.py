"""Learn-then-Test against MAPIE's controller, which computes the same thing elsewhere."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.stats.tails import binomial_at_most
from assay.stats.threshold import Calibration, NoThreshold, Threshold, ltt_threshold

DELTA = 0.1


def mapie_says(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], grid: list[float], max_risk: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return MAPIE's p-values and the thresholds that it lets through, strictest first."""
    from mapie.risk_control import BinaryClassificationController, precision

    controller = BinaryClassificationController(
        lambda sure: np.stack([1 - sure, sure], axis=1),
        risk=precision,
        target_level=1 - max_risk,
        confidence_level=1 - DELTA,
        list_predict_params=np.array(grid),
        fwer_method="fixed_sequence",
    )
    with warnings.catch_warnings():
        # It says where a risk is not monotone, and where nothing passes: neither is an error.
        warnings.simplefilter("ignore", UserWarning)
        controller.calibrate(confidence, right.astype(int))
    valid = np.asarray(controller.valid_predict_params, dtype=float)
    return np.asarray(controller.p_values, dtype=float).ravel(), np.sort(valid)[::-1]


def observed(confidence: NDArray[np.float64], right: NDArray[np.bool_], threshold: float) -> float:
    """Return the risk seen at a threshold; MAPIE calls it 1 where nothing is accepted."""
    held = confidence >= threshold
    return float((~right[held]).mean()) if held.any() else 1.0


@pytest.mark.slow
def test_mapie_lets_the_same_thresholds_through_where_it_tests_in_the_same_order() -> None:
    """Two differences, and both are MAPIE's.

    It goes from the strictest threshold on only where the risk that calibration shows grows from
    the first to the last; else from the other end.  Ours is an order fixed before calibration.

    Its p-value is the smaller of Hoeffding's and P(X <= ceil(n r)); for a 0/1 loss that is
    P(X <= errors), ours, but where n times the rate falls a rounding above the number of errors:
    then it is the larger, and MAPIE the stricter.
    """
    same = 0
    for seed in range(150):
        generator = np.random.default_rng(seed)
        n = int(generator.integers(200, 1500))
        confidence = generator.random(n).round(3)
        right = generator.random(n) < 0.8 + 0.2 * confidence
        grid = np.unique((0.9 * generator.random(8)).round(3))[::-1].tolist()
        max_risk = float(generator.choice([0.05, 0.1, 0.2]))
        first, last = (observed(confidence, right, t) for t in (grid[0], grid[-1]))
        if first >= last:
            continue
        samples = Calibration(confidence=confidence, right=right, groups=np.arange(n))
        ours = ltt_threshold(samples, grid=grid, max_risk=max_risk, delta=DELTA, rng=generator)
        p_values, valid = mapie_says(confidence, right, grid, max_risk)
        exact = True
        for step, p in zip(ours.steps, p_values, strict=False):
            if p != pytest.approx(step.p, abs=1e-9):
                assert step.p < p
                assert p <= binomial_at_most(step.errors + 1, step.accepted, max_risk) + 1e-9
                exact = False
        passed = [step.threshold for step in ours.steps if step.p <= DELTA]
        assert valid.tolist() == passed[: valid.size]
        if exact:
            assert valid.tolist() == passed
            assert isinstance(ours, NoThreshold) == (valid.size == 0)
            same += isinstance(ours, Threshold)
    assert same > 30
