"""Fronts and convex hulls."""

from __future__ import annotations

import subprocess
import sys

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.optimize import linprog

from assay.core.errors import DataError
from assay.core.metric import Better
from assay.stats.frontier import dominators, non_dominated
from assay.stats.hull import beaten_by_mixture, gaps_below, hypervolume, switches, upper_hull

UP, DOWN = Better.HIGHER, Better.LOWER
GRID = st.integers(0, 6).map(float)
POINTS = npst.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=GRID)
PLANE = npst.arrays(np.float64, st.tuples(st.integers(1, 10), st.just(2)), elements=GRID)


def by_sweep(points: np.ndarray, better: list[Better]) -> np.ndarray:
    """As in a process that has not imported moocore, which small sets are spared."""
    if len(points) > 500:
        return non_dominated(points, better)
    hidden = sys.modules.pop("moocore")
    try:
        return non_dominated(points, better)
    finally:
        sys.modules["moocore"] = hidden


@given(POINTS)
def test_a_point_stands_unless_another_is_nowhere_worse_and_somewhere_better(
    points: np.ndarray,
) -> None:
    better = [UP, DOWN, DOWN]
    signed = points * [1, -1, -1]
    stands = non_dominated(points, better)
    assert (by_sweep(points, better) == stands).all()
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


@st.composite
def crowds(draw: st.DrawFn) -> tuple[np.ndarray, list[Better]]:
    """Sets of every size that is treated in a way of its own; ties, curves and clouds."""
    objectives = draw(st.integers(1, 5))
    n = draw(st.sampled_from([1, 2, 30, 33, 90, 129, 300, 501, 900]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    match draw(st.sampled_from(["cloud", "ties", "front", "few", "huge"])):
        case "cloud":
            points = rng.random((n, objectives)) * 10.0 ** rng.integers(-9, 9, objectives)
        case "ties":
            points = rng.integers(0, 6, (n, objectives)).astype(float)
        case "few":
            points = rng.integers(0, 2, (n, objectives)) * rng.random(objectives)
        case "huge":
            points = rng.choice([-1.7e308, 1.7e308, 0.0, 5e-324, 1.0], (n, objectives))
        case _:
            points = np.abs(rng.normal(size=(n, objectives)))
            points /= np.linalg.norm(points, axis=1, keepdims=True)
    better = draw(st.lists(st.sampled_from([UP, DOWN]), min_size=objectives, max_size=objectives))
    return points, better


@given(crowds())
def test_moocore_finds_the_same_points(crowd: tuple[np.ndarray, list[Better]]) -> None:
    points, better = crowd
    up = [each is UP for each in better]
    theirs = moocore.is_nondominated(points, maximise=up, keep_weakly=True)
    assert (non_dominated(points, better) == theirs).all()
    assert (by_sweep(points, better) == theirs).all()


@given(crowds(), st.randoms(use_true_random=False))
def test_another_order_of_points_is_the_same_front_in_that_order(crowd, random) -> None:
    points, better = crowd
    order = list(range(len(points)))
    random.shuffle(order)
    stands = non_dominated(points, better)
    assert (by_sweep(points[order], better) == stands[order]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [2, 24, 25, 61, 501, 3000])
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 4]))
def test_a_point_without_a_number_is_found_among_any_number_of_points(
    bad: float, n: int, where: int, objectives: int
) -> None:
    points = np.random.default_rng(where).random((n, objectives))
    points.flat[where % points.size] = bad
    with pytest.raises(DataError, match="A202"):
        non_dominated(points, [UP, DOWN, UP, DOWN][:objectives])


@given(st.integers(0, 2**32), st.sampled_from([40, 400, 3000]), st.sampled_from([2, 3, 4]))
def test_whatever_the_units_the_same_points_stand(seed: int, n: int, objectives: int) -> None:
    """Powers of two are exact: dollars, milliseconds and shares differ by ten orders."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 40, (n, objectives)) / 8
    better = [UP, DOWN, UP, DOWN][:objectives]
    units = 2.0 ** rng.integers(-900, 900, objectives)
    assert (non_dominated(points * units, better) == non_dominated(points, better)).all()


@given(st.integers(0, 2**32), st.sampled_from([61, 700, 5000]), st.sampled_from([2, 3]))
def test_copies_of_what_stands_all_stand(seed: int, n: int, objectives: int) -> None:
    rng = np.random.default_rng(seed)
    once = rng.random((n // 3 + 1, objectives))
    points = once[rng.integers(0, len(once), n)]
    better = [UP] * objectives
    stands = non_dominated(points, better)
    assert (by_sweep(points, better) == stands).all()
    standing = {tuple(p) for p in points[stands].tolist()}
    assert standing.isdisjoint(map(tuple, points[~stands].tolist()))
    theirs = moocore.is_nondominated(points, maximise=True, keep_weakly=True)
    assert (stands == theirs).all()


@given(crowds(), st.integers(0, 10**6))
def test_a_point_that_is_beaten_changes_nothing(crowd, which) -> None:
    points, better = crowd
    victim = points[which % len(points)]
    worse = np.array([-np.finfo(float).max if b is UP else np.finfo(float).max for b in better])
    added = np.where(np.arange(len(better)) == 0, worse, victim)
    stands = non_dominated(points, better)
    found = non_dominated(np.r_[points, [added]], better)
    assert (found[:-1] == stands).all()
    assert found[-1] == (stands[which % len(points)] and (added == victim).all())


@given(POINTS)
def test_who_dominates_a_point_is_named(points: np.ndarray) -> None:
    better = [UP, DOWN, DOWN]
    named = dominators(points, better)
    assert [not by for by in named] == non_dominated(points, better).tolist()
    signed = points * [1, -1, -1]
    for index, by in enumerate(named):
        for other in by:
            assert (signed[other] >= signed[index]).all()
            assert (signed[other] > signed[index]).any()


@given(PLANE)
def test_the_gap_of_a_resample_is_the_gap_of_the_hull(points: np.ndarray) -> None:
    cost, accuracy = points.T
    hull = upper_hull(cost, accuracy)
    gaps = gaps_below(points[None, :, 0], points[None, :, 1])[0]
    for index, gap in enumerate(gaps):
        mixture = hull.mixtures.get(index)
        assert gap == pytest.approx(mixture.gap if mixture else 0.0, abs=1e-9)


@given(PLANE)
def test_the_linear_programme_and_the_hull_agree_in_two_objectives(points: np.ndarray) -> None:
    cost, accuracy = points.T
    assert set(beaten_by_mixture(points, [DOWN, UP])) == set(upper_hull(cost, accuracy).mixtures)


@given(npst.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=GRID))
def test_a_mixture_that_beats_a_point_is_nowhere_worse(points: np.ndarray) -> None:
    better = [UP, DOWN, DOWN]
    found = beaten_by_mixture(points, better)
    signed = points * [1, -1, -1]
    for index, shares in found.items():
        assert shares.sum() == pytest.approx(1)
        assert (shares >= 0).all()
        mixed = shares @ signed
        assert (mixed >= signed[index] - 1e-5).all()
        assert mixed.sum() > signed[index].sum()
    stands = non_dominated(points, better)
    assert {i for i, on in enumerate(stands) if not on} <= set(found)


@given(PLANE.filter(lambda p: (p[:, 0] > 0).all()), st.floats(0.01, 100))
def test_at_any_value_the_named_system_is_worth_most(points: np.ndarray, value: float) -> None:
    cost, accuracy = points.T
    worth = {-1: 0.0} | {i: value * a - c for i, (c, a) in enumerate(points)}
    best = -1
    for index, start in switches(cost, accuracy):
        if value >= start:
            best = index
    assert worth[best] == pytest.approx(max(worth.values()), abs=1e-9)


def test_hypervolume_is_the_share_of_the_box_and_knows_its_reference() -> None:
    box = np.array([[0.0, 10.0, 1.0], [1.0, 0.0, 0.0]])
    better = [UP, DOWN, DOWN]
    assert hypervolume([[1.0, 0.0, 0.0]], better, box=box) == 1.0
    assert hypervolume([[0.5, 5.0, 0.5]], better, box=box) == pytest.approx(0.125)
    assert hypervolume([[0.5, 11.0, 0.5]], better, box=box) == 0.0
    assert hypervolume([[0.5, 5.0, 0.5]], better, box=box[[0, 0]]) == 0.0


def test_a_small_front_needs_no_slow_import() -> None:
    code = """
import sys, numpy as np
from assay.core.metric import Better
from assay.stats.frontier import non_dominated
for m in (2, 3):
    non_dominated(np.random.default_rng(0).random((500, m)), [Better.HIGHER] * m)
assert not {"moocore", "scipy", "numba"} & set(sys.modules), sorted(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
