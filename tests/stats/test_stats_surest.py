"""Numbers of confidence in many resamples at once are those of each resample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats import calibration, selective, surest
from assay.stats.bootstrap import counts

EDGES = [0.25, 0.5, 0.75]
SHARE = 0.6
GROUPS = 6
ANSWERS = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, GROUPS - 1)), max_size=25
)
Answers = tuple[np.ndarray, np.ndarray, np.ndarray]
ASKED = np.array([5.0, 4.0, 3.0, 6.0, 2.0, 5.0])


def columns(answers: list[tuple[int, bool, int]]) -> Answers:
    sure, right, group = zip(*answers, strict=True) if answers else ((), (), ())
    return np.array(sure) / 8, np.array(right, float), np.array(group, dtype=np.intp)


def accuracy(sure: np.ndarray, right: np.ndarray, *, weights: np.ndarray, asked: float) -> Any:
    return selective.accuracy_at(sure, right, weights, accepted=SHARE * asked)


def error(sure: np.ndarray, right: np.ndarray, *, weights: np.ndarray, asked: float) -> Any:
    return calibration.reliability(sure, right, edges=EDGES, weights=weights).error


WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "aurc": (
        lambda s, r, g: surest.aurc(s, r, groups=g),
        lambda s, r, *, weights, asked: selective.aurc(s, r, weights=weights),
    ),
    "best_aurc": (
        lambda s, r, g: surest.best_aurc(r, groups=g),
        lambda s, r, *, weights, asked: selective.aurc(r, r, weights=weights),
    ),
    "auroc": (
        lambda s, r, g: surest.auroc(s, r, groups=g),
        lambda s, r, *, weights, asked: selective.auroc(s, r, weights=weights),
    ),
    "accuracy_at": (
        lambda s, r, g: surest.accuracy_at(s, r, groups=g, asked=ASKED, share=SHARE),
        accuracy,
    ),
    "calibration_error": (
        lambda s, r, g: surest.calibration_error(s, r, groups=g, edges=EDGES),
        error,
    ),
}


@pytest.mark.parametrize("name", WAYS)
@given(answers=ANSWERS, seed=st.integers(0, 99))
def test_many_at_once_are_one_at_a_time(
    name: str, answers: list[tuple[int, bool, int]], seed: int
) -> None:
    sure, right, group = columns(answers)
    drawn = counts(GROUPS, resamples=12, rng=np.random.default_rng(seed))
    many, one = WAYS[name]
    found = many(sure, right, group)(drawn)
    assert found.shape == (12,)
    for row, value in zip(drawn, found, strict=True):
        weights = row[group].astype(float)
        held = weights > 0  # a bin, or a tie, of answers that were not drawn is not there
        expected = one(sure[held], right[held], weights=weights[held], asked=float(row @ ASKED))
        if expected is None:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(expected, abs=1e-9)


@given(ANSWERS)
def test_an_area_under_the_curve_is_a_share_of_pairs(answers: list[tuple[int, bool, int]]) -> None:
    sure, right, _ = columns(answers)
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, x in zip(sure, right, strict=True)
        for b, y in zip(sure, right, strict=True)
        if x and not y
    ]
    found = selective.auroc(sure, right)
    assert found is None if not pairs else found == pytest.approx(np.mean(pairs))


def test_differences_and_ratios_are_taken_resample_by_resample() -> None:
    first, second = (lambda d, k=k: d[:, k].astype(float) for k in (0, 1))
    drawn = np.array([[2, 1], [0, 3]], dtype=np.int16)
    assert surest.less(first, second)(drawn).tolist() == [1.0, -3.0]
    ratio = surest.log_less(first, second)(drawn)
    assert ratio[0] == pytest.approx(np.log(2))
    assert np.isnan(ratio[1])


def test_misuse_is_a_data_error() -> None:
    groups = np.arange(2)
    for call in (
        lambda: surest.aurc([0.1, np.nan], [1, 0], groups=groups),
        lambda: surest.aurc([0.1, 0.2], [1, 0.5], groups=groups),
        lambda: surest.auroc([0.1], [1, 0], groups=groups),
        lambda: surest.calibration_error([0.1, 0.2], [1], groups=groups, edges=EDGES),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
