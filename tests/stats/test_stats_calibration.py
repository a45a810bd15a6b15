"""Confidences against what came true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats.calibration import (
    Brier,
    brier_parts,
    equal_mass,
    equal_width,
    fit_temperature,
    reliability,
    scaled,
)
from assay.stats.inference import Undefined

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def columns(answers: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([c for c, _ in answers]), np.array([r for _, r in answers], float)


@given(ANSWERS, st.integers(1, 20))
def test_the_error_is_the_weighted_gap_of_each_bin(
    answers: list[tuple[float, bool]], bins: int
) -> None:
    sure, right = columns(answers)
    gap = 0.0
    for k in range(bins):
        low, high = k / bins, (k + 1) / bins
        held = (sure >= low) & ((sure < high) | (k == bins - 1))
        if held.any():
            gap += held.sum() * abs(right[held].mean() - sure[held].mean())
    found = reliability(sure, right, edges=np.arange(1, bins) / bins)
    assert found.error == pytest.approx(gap / len(answers), abs=1e-9)
    assert found.n.sum() == len(answers)


@given(ANSWERS, st.data())
def test_weights_are_copies(answers: list[tuple[float, bool]], data: st.DataObject) -> None:
    sure, right = columns(answers)
    weights = np.array([data.draw(st.integers(0, 3)) for _ in answers])
    copies = np.repeat(np.arange(len(answers)), weights)
    one = reliability(sure, right, edges=equal_width(), weights=weights)
    many = reliability(sure[copies], right[copies], edges=equal_width())
    assert (one.error is None) == (many.error is None)
    assert one.error is None or one.error == pytest.approx(many.error, abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.7, 0.9]), st.booleans()), min_size=1))
def test_the_parts_add_up_to_the_score_where_a_bin_holds_one_confidence(
    answers: list[tuple[float, bool]],
) -> None:
    sure, right = columns(answers)
    parts = brier_parts(reliability(sure, right, edges=[0.2, 0.5, 0.8]))
    assert isinstance(parts, Brier)
    score = ((sure - right) ** 2).mean()
    assert parts.reliability - parts.resolution + parts.uncertainty == pytest.approx(score)


def test_bins_of_equal_size_hold_as_many_answers_each() -> None:
    sure = np.random.default_rng(0).beta(8, 2, size=1500)
    found = reliability(sure, np.ones(1500), edges=equal_mass(sure, 15))
    assert found.n.tolist() == [100.0] * 15


def test_a_calibrated_system_shows_the_error_that_luck_gives() -> None:
    generator = np.random.default_rng(1)
    errors, lucks = [], []
    for _ in range(200):
        sure = generator.random(600)
        found = reliability(sure, generator.random(600) < sure, edges=equal_width())
        errors.append(found.error)
        lucks.append(found.luck)
    assert np.mean(errors) == pytest.approx(np.mean(lucks), rel=0.05)


def test_the_temperature_that_was_applied_is_found_again_and_order_is_kept() -> None:
    generator = np.random.default_rng(2)
    truth = generator.random(40_000)
    right = generator.random(40_000) < truth
    sure = scaled(truth, 0.5)  # twice as sure as it should be
    assert fit_temperature(sure, right) == pytest.approx(2.0, rel=0.05)
    assert (np.argsort(scaled(sure, 2.0)) == np.argsort(truth)).mean() > 0.99


@given(st.floats(0.5, 5), st.lists(st.floats(0.01, 0.99), min_size=1))
def test_a_temperature_and_its_inverse_undo_each_other(heat: float, sure: list[float]) -> None:
    assert scaled(scaled(sure, heat), 1 / heat) == pytest.approx(np.array(sure), rel=1e-3)


def test_where_there_is_nothing_to_fit_it_says_so() -> None:
    assert isinstance(fit_temperature([0.9, 0.8], [1, 1]), Undefined)
    assert isinstance(fit_temperature([0.5, 0.5], [1, 0]), Undefined)
    assert isinstance(fit_temperature([], []), Undefined)
    assert reliability([], [], edges=[0.5]).error is None
    assert isinstance(brier_parts(reliability([], [], edges=[])), Undefined)


def test_misuse_is_a_data_error() -> None:
    for call in (
        lambda: reliability([1.5], [1], edges=[0.5]),
        lambda: reliability([0.5], [1, 0], edges=[0.5]),
        lambda: fit_temperature([np.nan], [1]),
        lambda: scaled([0.5], 0.0),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
