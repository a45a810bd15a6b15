"""Thresholds whose risk is bounded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats.binomial import upper_bound
from assay.stats.inference import Undefined
from assay.stats.threshold import (
    Calibration,
    NoThreshold,
    Threshold,
    accepts_needed,
    grid_from,
    ltt_threshold,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def single(confidence: np.ndarray, right: np.ndarray) -> Calibration:
    return Calibration(confidence=confidence, right=right, groups=np.arange(right.size))


def test_fifty_nine_groups_without_an_error_show_five_percent_and_93_with_one() -> None:
    assert [accepts_needed(0.05, errors=errors) for errors in (0, 1, 2)] == [59, 93, 124]


@given(st.floats(0.005, 0.5), st.floats(0.005, 0.5), st.integers(0, 6))
def test_the_fewest_accepted_groups_pass_and_one_fewer_does_not(
    risk: float, delta: float, errors: int
) -> None:
    n = accepts_needed(risk, delta=delta, errors=errors)
    assert upper_bound(errors, n, confidence=1 - delta) <= risk + 1e-9
    assert n == errors + 1 or upper_bound(errors, n - 1, confidence=1 - delta) > risk - 1e-9


@given(st.integers(0, 50), st.floats(0.02, 0.3))
def test_the_choice_is_the_last_of_the_grid_before_the_first_failure(
    seed: int, max_risk: float
) -> None:
    generator = rng(seed)
    confidence = generator.random(150)
    right = generator.random(150) < 0.5 + 0.5 * confidence
    grid = [0.9, 0.7, 0.5, 0.3, 0.1]
    found = ltt_threshold(single(confidence, right), grid=grid, max_risk=max_risk, rng=rng())
    tried = [step.threshold for step in found.steps]
    assert tried == grid[: len(tried)]
    assert all(step.p <= 0.05 for step in found.steps[:-1])
    for step in found.steps:
        held = confidence >= step.threshold
        assert (step.accepted, step.errors) == (held.sum(), (~right[held]).sum())
        assert (step.p <= 0.05) == (
            step.accepted > 0 and upper_bound(step.errors, step.accepted) <= max_risk
        )
    if isinstance(found, Threshold):
        passed = [step for step in found.steps if step.p <= 0.05]
        assert found.threshold == passed[-1].threshold
        assert found.risk_at_most <= max_risk
    else:
        assert len(found.steps) == 1


def test_one_sample_of_each_group_is_drawn_and_each_as_often() -> None:
    groups = np.repeat(np.arange(40), 5)
    calibration = Calibration(confidence=np.arange(200.0), right=np.zeros(200, bool), groups=groups)
    drawn = np.array([calibration.one_per_group(rng(seed)).confidence for seed in range(600)])
    assert drawn.shape == (600, 40)
    assert (np.sort(drawn // 5, axis=1) == np.arange(40)).all()
    often = np.bincount(drawn.astype(int).ravel(), minlength=200) / 600
    assert often == pytest.approx(np.full(200, 0.2), abs=0.08)


def test_the_choice_depends_on_the_generator_only_through_the_samples_drawn() -> None:
    generator = rng(1)
    groups = np.repeat(np.arange(150), 3)
    confidence = generator.random(450)
    calibration = Calibration(confidence=confidence, right=confidence > 0.2, groups=groups)
    one, again = (
        ltt_threshold(calibration, grid=[0.6, 0.4], max_risk=0.05, rng=rng(5)) for _ in range(2)
    )
    assert one == again


def violations(
    right: Callable[[np.ndarray], np.ndarray],
    *,
    true_risk: Callable[[float], float],
    n_groups: int = 300,
    size: int = 1,
    as_if_independent: bool = False,
    times: int = 1500,
) -> float:
    """How often a threshold is chosen whose true risk is above 5 %."""
    generator = rng(3)
    bad = 0
    for _ in range(times):
        grid = grid_from(generator.random(300), n_groups=n_groups, max_risk=0.05)
        confidence = np.repeat(generator.random(n_groups), size)
        luck = np.repeat(generator.random(n_groups), size)
        groups = np.repeat(np.arange(n_groups), size)
        calibration = Calibration(
            confidence=confidence,
            right=luck < right(confidence),
            groups=np.arange(groups.size) if as_if_independent else groups,
        )
        found = ltt_threshold(calibration, grid=grid, max_risk=0.05, rng=generator)
        bad += isinstance(found, Threshold) and true_risk(found.threshold) > 0.05
    return bad / times


CASES = {
    "risk grows as the threshold falls": (lambda c: 1 - 0.2 * (1 - c), lambda t: 0.1 * (1 - t)),
    "every threshold is just too risky": (lambda c: 0 * c + 0.9499, lambda _: 0.0501),
    "the surest are the worst": (
        lambda c: np.where(c > 0.6, 0.94, 0.96),
        lambda t: 0.06 - 0.02 * max(0.6 - t, 0) / (1 - t),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [1, 4])
def test_a_risk_above_the_limit_is_let_through_at_most_once_in_twenty(case: str, size: int) -> None:
    right, true_risk = CASES[case]
    assert violations(right, true_risk=true_risk, size=size) <= 0.05 + 0.012


def test_counting_copies_of_a_sample_would_break_the_guarantee() -> None:
    right, true_risk = CASES["every threshold is just too risky"]
    found = violations(right, true_risk=true_risk, size=4, as_if_independent=True, times=400)
    assert found > 0.10


@given(st.integers(60, 3000), st.integers(1, 400), st.integers(0, 9))
def test_a_grid_runs_from_strict_to_everything(n_groups: int, tune: int, seed: int) -> None:
    confidence = rng(seed).random(tune).round(2)
    grid = grid_from(confidence, n_groups=n_groups, max_risk=0.05)
    assert list(grid) == sorted(set(grid), reverse=True)
    assert grid[-1] == confidence.min()
    assert set(grid) <= set(confidence)
    share = (confidence >= grid[0]).mean()
    assert share * n_groups >= min(59, n_groups * len(confidence) / len(confidence)) - 1e-9


def test_the_strictest_threshold_nearly_always_accepts_enough_groups() -> None:
    generator = rng(2)
    enough = []
    for _ in range(500):
        grid = grid_from(generator.random(2000), n_groups=200, max_risk=0.05)
        enough.append((generator.random(200) >= grid[0]).sum() >= 59)
    assert np.mean(enough) > 0.97


def test_samples_that_are_never_answered_are_on_no_grid_and_never_accepted() -> None:
    confidence = np.r_[np.linspace(0.5, 1, 150), np.full(50, -np.inf)]
    grid = grid_from(confidence, n_groups=200, max_risk=0.05)
    assert min(grid) == 0.5
    found = ltt_threshold(single(confidence, confidence > 0), grid=grid, max_risk=0.05, rng=rng())
    assert isinstance(found, Threshold)
    assert (found.threshold, found.accepted, found.groups) == (0.5, 150, 200)


def test_a_calibration_that_is_too_small_says_how_many_groups_it_takes() -> None:
    few = grid_from(np.linspace(0, 1, 100), n_groups=58, max_risk=0.05)
    assert isinstance(few, Undefined)
    assert "no fewer than 59" in few.why
    nothing = grid_from(np.full(9, -np.inf), n_groups=100, max_risk=0.05)
    assert nothing == Undefined("no tune sample has a confidence")


@pytest.mark.parametrize(
    ("right", "grid", "why"),
    [
        (np.ones(100, bool), [0.99], "accepts 1 groups; no fewer than 59"),
        (np.arange(100) % 3 > 0, [0.0], "makes 34 errors in 100 groups"),
        (np.ones(100, bool), [], "the grid is empty"),
    ],
)
def test_when_no_threshold_passes_the_reason_is_told(
    right: np.ndarray, grid: list[float], why: str
) -> None:
    found = ltt_threshold(single(np.arange(100) / 100, right), grid=grid, max_risk=0.05, rng=rng())
    assert isinstance(found, NoThreshold)
    assert why in found.why


def test_misuse_is_a_data_error() -> None:
    good = single(np.ones(3), np.ones(3, bool))
    for call in (
        lambda: single(np.array([np.nan]), np.ones(1, bool)),
        lambda: single(np.ones(2), np.ones(3, bool)),
        lambda: ltt_threshold(good, grid=[0.5], max_risk=0.0, rng=rng()),
        lambda: ltt_threshold(good, grid=[np.nan], max_risk=0.1, rng=rng()),
        lambda: grid_from([np.nan], n_groups=100, max_risk=0.05),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
