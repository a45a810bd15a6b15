"""Fronts and convex hulls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.optimize import linprog

from assay.core.errors import DataError
from assay.core.metric import Better
from assay.stats.frontier import non_dominated, upper_hull

UP, DOWN = Better.HIGHER, Better.LOWER
GRID = st.integers(0, 6).map(float)
POINTS = npst.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=GRID)
PLANE = npst.arrays(np.float64, st.tuples(st.integers(1, 10), st.just(2)), elements=GRID)


@given(POINTS)
def test_a_point_stands_unless_another_is_nowhere_worse_and_somewhere_better(
    points: np.ndarray,
) -> None:
    better = [UP, DOWN, DOWN]
    signed = points * [1, -1, -1]
    stands = non_dominated(points, better)
    for here, standing in zip(signed, stands, strict=True):
        beaten = any((other >= here).all() and (other > here).any() for other in signed)
        assert standing == (not beaten)


@given(POINTS)
def test_some_point_always_stands_and_equals_stand_together(points: np.ndarray) -> None:
    twice = np.r_[points, points]
    stands = non_dominated(twice, [UP, DOWN, UP])
    assert stands.any()
    assert (stands[: len(points)] == stands[len(points) :]).all()
    assert (stands[: len(points)] == non_dominated(points, [UP, DOWN, UP])).all()


@given(npst.arrays(np.float64, (5, 6, 2), elements=GRID))
def test_resamples_stand_one_by_one(points: np.ndarray) -> None:
    together = non_dominated(points, [UP, DOWN])
    assert together.shape == (5, 6)
    assert (together == [non_dominated(each, [UP, DOWN]) for each in points]).all()


def reachable(cost: np.ndarray, accuracy: np.ndarray, at: float) -> float:
    """The best accuracy of any mixture that costs at most ``at``: a linear programme."""
    n = cost.size
    found = linprog(-accuracy, A_ub=[cost], b_ub=[at], A_eq=[np.ones(n)], b_eq=[1], bounds=(0, 1))
    return -found.fun


@given(PLANE)
def test_the_gap_is_what_the_best_mixture_gains_at_the_same_cost(points: np.ndarray) -> None:
    cost, accuracy = points.T
    hull = upper_hull(cost, accuracy)
    for index in range(len(points)):
        best = reachable(cost, accuracy, cost[index])
        if hull.on_hull[index]:
            assert best == pytest.approx(accuracy[index], abs=1e-7)
            assert index not in hull.mixtures
        else:
            mixture = hull.mixtures[index]
            assert accuracy[index] + mixture.gap == pytest.approx(best, abs=1e-7)
            assert mixture.gap > 0 or mixture.saving > 0


@given(PLANE)
def test_a_mixture_has_the_cost_and_the_accuracy_that_it_says(points: np.ndarray) -> None:
    cost, accuracy = points.T
    hull = upper_hull(cost, accuracy)
    for index, mixture in hull.mixtures.items():
        share = mixture.share_right
        assert 0 <= share <= 1
        assert {mixture.left, mixture.right} <= set(hull.vertices)
        mixed = (1 - share) * points[mixture.left] + share * points[mixture.right]
        assert mixed[0] <= cost[index] + 1e-9
        assert mixed[1] == pytest.approx(accuracy[index] + mixture.gap)
        cheaper = cost[index] - mixture.saving
        assert reachable(cost, accuracy, cheaper) >= accuracy[index] - 1e-7


@given(PLANE)
def test_slopes_between_vertices_fall_and_vertices_are_not_dominated(points: np.ndarray) -> None:
    cost, accuracy = points.T
    chain = list(upper_hull(cost, accuracy).vertices)
    steps = np.diff(points[chain], axis=0)
    assert (steps > 0).all()
    slopes = steps[:, 1] / steps[:, 0]
    assert (np.diff(slopes) < 0).all()
    assert non_dominated(points, [DOWN, UP])[chain].all()


def test_a_point_under_the_chord_is_beaten_by_a_mixture_though_by_no_system() -> None:
    cost, accuracy = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.6, 0.9])
    assert non_dominated(np.stack([cost, accuracy], axis=1), [DOWN, UP]).all()
    hull = upper_hull(cost, accuracy)
    assert hull.vertices == (0, 2)
    mixture = hull.mixtures[1]
    assert (mixture.left, mixture.right, mixture.share_right) == (0, 2, 0.5)
    assert mixture.gap == pytest.approx(0.1)
    assert mixture.saving == pytest.approx(0.5)


def test_collinear_points_and_equals_are_on_the_hull_but_no_vertices() -> None:
    hull = upper_hull([0.1, 0.2, 0.3, 0.3, 0.1], [0.3, 0.6, 0.9, 0.9, 0.2])
    assert hull.vertices == (0, 2)
    assert hull.on_hull.tolist() == [True, True, True, True, False]


def test_paying_more_for_the_same_is_off_the_hull() -> None:
    hull = upper_hull([1.0, 2.0], [0.5, 0.5])
    assert hull.mixtures[1].saving == 1.0
    assert hull.mixtures[1].gap == 0.0


def test_no_system_is_an_empty_front() -> None:
    assert upper_hull([], []).vertices == ()
    assert non_dominated(np.empty((0, 2)), [UP, DOWN]).size == 0


def test_misuse_is_a_data_error() -> None:
    for call in (
        lambda: non_dominated([[1.0, np.nan]], [UP, UP]),
        lambda: non_dominated([[1.0, 2.0]], [UP]),
        lambda: non_dominated([1.0, 2.0], [UP, UP]),
        lambda: upper_hull([1.0], [1.0, 2.0]),
        lambda: upper_hull([np.inf], [1.0]),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
