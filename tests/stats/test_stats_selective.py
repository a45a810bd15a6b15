"""Risk and coverage of answering only when sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats.selective import aurc, risk_coverage

SAMPLES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30)


def columns(samples: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([c for c, _ in samples]) / 5, np.array([r for _, r in samples], float)


@given(SAMPLES)
def test_each_point_of_the_curve_is_what_accepting_there_gives(
    samples: list[tuple[int, bool]],
) -> None:
    confidence, right = columns(samples)
    curve = risk_coverage(confidence, right)
    assert (np.diff(curve.threshold) < 0).all()
    assert set(curve.threshold) == set(confidence)
    for threshold, coverage, risk in zip(curve.threshold, curve.coverage, curve.risk, strict=True):
        held = confidence >= threshold
        assert coverage == pytest.approx(held.mean())
        assert risk == pytest.approx(1 - right[held].mean())
    assert curve.coverage[-1] == pytest.approx(1.0)


@given(SAMPLES)
def test_the_area_is_the_mean_over_random_orders_of_ties(samples: list[tuple[int, bool]]) -> None:
    confidence, right = columns(samples)
    n = len(right)
    # Expected errors among the first j of a block of ties grow in proportion to j.
    total, before, errors = 0.0, 0, 0.0
    for value in sorted(set(confidence), reverse=True):
        block = right[confidence == value]
        for j in range(1, block.size + 1):
            total += (errors + j * (1 - block.mean())) / (before + j)
        before, errors = before + block.size, errors + (1 - block).sum()
    assert aurc(confidence, right) == pytest.approx(total / n)


@given(st.lists(st.booleans(), min_size=1, max_size=30, unique=False))
def test_without_ties_the_area_is_the_mean_of_the_curve(right: list[bool]) -> None:
    confidence = -np.arange(float(len(right)))
    curve = risk_coverage(confidence, right)
    assert aurc(confidence, right) == pytest.approx(curve.risk.mean())


@given(SAMPLES, st.data())
def test_weights_are_copies(samples: list[tuple[int, bool]], data: st.DataObject) -> None:
    confidence, right = columns(samples)
    weights = np.array([data.draw(st.integers(0, 3)) for _ in samples])
    copies = np.repeat(np.arange(len(samples)), weights)
    weighted = risk_coverage(confidence, right, weights=weights)
    copied = risk_coverage(confidence[copies], right[copies])
    assert weighted.threshold.tolist() == copied.threshold.tolist()
    assert weighted.risk == pytest.approx(copied.risk)
    assert weighted.coverage == pytest.approx(copied.coverage)
    area = aurc(confidence[copies], right[copies])
    found = aurc(confidence, right, weights=weights)
    assert (found is None) == (area is None)
    assert found is None or found == pytest.approx(area)


@given(SAMPLES)
def test_a_constant_confidence_has_the_error_rate_for_an_area(
    samples: list[tuple[int, bool]],
) -> None:
    _, right = columns(samples)
    assert aurc(np.full(right.size, 0.3), right) == pytest.approx(1 - right.mean())


@given(SAMPLES)
def test_a_confidence_that_knows_is_the_best_and_its_opposite_the_worst(
    samples: list[tuple[int, bool]],
) -> None:
    confidence, right = columns(samples)
    best, worst = aurc(right, right), aurc(-right, right)
    assert best - 1e-9 <= aurc(confidence, right) <= worst + 1e-9


def test_no_sample_has_no_area() -> None:
    assert aurc([], []) is None
    assert risk_coverage([], []).threshold.size == 0


def test_misuse_is_a_data_error() -> None:
    for call in (
        lambda: risk_coverage([0.1], [1, 0]),
        lambda: risk_coverage([np.nan], [1]),
        lambda: aurc([0.5], [0.5]),
        lambda: aurc([0.5], [1], weights=[-1]),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
