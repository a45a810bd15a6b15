"""Calibrations: they keep the order, sum to one, claim no certainty, and make better confidences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay import PlanError, PluginError
from assay.families.intent.heads.calibrating import fit_calibration
from assay.families.intent.heads.calibration import (
    KINDS,
    log_odds,
    softmax,
    to_calibration,
    to_kind,
)

CLASSES = 4
FITTED = ("sigmoid", "isotonic", "temperature")


def overconfident(n, *, factor=3.0, seed=0):
    """Logits three times too large, and classes drawn from what they should have been."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, CLASSES)) * 1.5
    classes = (softmax(logits).cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return logits * factor, classes


LOGITS, TRUTH = overconfident(600)
MADE = {kind: fit_calibration(kind, LOGITS, TRUTH) for kind in KINDS}
logits = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 6), st.just(CLASSES)), elements=st.floats(-200, 200)
)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)  # the first call imports
@given(asked=logits)
def test_probabilities_sum_to_one_and_no_fitted_one_is_certain(kind, asked):
    found = MADE[kind].probabilities(asked)
    assert found.shape == asked.shape
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-12
    assert (found >= 0).all()
    if kind in ("sigmoid", "isotonic"):
        assert (found > 0).all()
        assert (found < 1).all()


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
@settings(deadline=None)  # the first call imports
@given(st.integers(0, CLASSES - 1), st.lists(st.floats(-25, 25), min_size=2, max_size=20))
def test_more_of_a_class_is_never_less_probable(kind, place, scores):
    odds = np.zeros((len(scores), CLASSES))
    odds[:, place] = sorted(scores)
    curve = MADE[kind].each(odds)[:, place]
    assert (np.diff(curve) >= 0).all()
    apart = np.diff(odds[:, place]) > 1e-3
    assert (np.diff(curve)[apart] > 0).all(), "flat pieces tie what the head told apart"


@settings(deadline=None)  # the first call imports
@given(asked=logits)
def test_a_temperature_changes_no_answer(asked):
    assert (
        MADE["temperature"].probabilities(asked).max(axis=1)
        == MADE["temperature"].probabilities(asked)[np.arange(len(asked)), asked.argmax(axis=1)]
    ).all()


@settings(deadline=None)  # the first call imports
@given(asked=logits)
def test_log_odds_are_those_of_the_softmax_without_its_rounding(asked):
    found = log_odds(asked)
    back = 1 / (1 + np.exp(-np.clip(found, -700, 700)))
    assert np.abs(back - softmax(asked)).max() < 1e-12
    assert np.isfinite(found).all()


def log_loss(kind, at, classes):
    found = MADE[kind].probabilities(at)[np.arange(len(classes)), classes]
    return -np.log(found).mean()


def test_a_fitted_calibration_mends_an_overconfident_head_on_prompts_that_it_did_not_see():
    asked, classes = overconfident(4000, seed=1)
    plain = log_loss("none", asked, classes)
    for kind in FITTED:
        assert log_loss(kind, asked, classes) < plain - 0.3, kind
    assert MADE["temperature"].value == pytest.approx(3.0, rel=0.15)


def test_a_class_that_is_always_right_or_never_there_is_still_not_certain():
    at = np.array([[2.0, 0, 0], [3.0, 0, 0], [0, 2.0, 0]] * 5)
    classes = np.array([0, 0, 1] * 5)  # class 2 is never true
    for kind in ("sigmoid", "isotonic"):
        found = fit_calibration(kind, at, classes).probabilities(np.array([[90.0, -90, -90]]))
        assert (found > 0).all()
        assert (found < 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_calibration_comes_back_from_its_numbers(kind):
    back = to_calibration(kind, MADE[kind].arrays(), classes=CLASSES)
    assert (back.probabilities(LOGITS) == MADE[kind].probabilities(LOGITS)).all()
    assert back.kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_are_missing_or_wrong_are_refused(kind):
    arrays = MADE[kind].arrays()
    for name, array in arrays.items():
        without = {n: a for n, a in arrays.items() if n != name}
        for spoiled in (None, array[:0], np.full_like(array, np.nan), -np.abs(array) - 1):
            if name in ("calibration.offset", "calibration.x", "calibration.y") and (
                spoiled is not None and spoiled.size and np.isfinite(spoiled).all()
            ):
                continue  # negative ones are sound
            given_ = without if spoiled is None else {**without, name: spoiled}
            with pytest.raises(PluginError, match="A403"):
                to_calibration(kind, given_, classes=CLASSES)


def test_a_calibration_that_there_is_not_is_the_users_mistake():
    with pytest.raises(PlanError, match=r"A102.*'beta'"):
        to_kind("beta")
