"""What luck adds to a calibration error."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from assay.stats import bootstrap, calibration, few, surest, twoway
from assay.stats.inference import Inference, StudentT, Undefined
from assay.stats.luck import ONE_GROUP, Distance, Doubted, Luck, doubted, luck

EDGES = calibration.equal_width()


def error_of(
    sure: np.ndarray, right: np.ndarray, groups: np.ndarray, rng: np.random.Generator
) -> Inference:
    of = surest.calibration_error(sure, right, groups=groups, edges=EDGES)
    return inferred(of, groups, rng, bounds=(0.0, 1.0))


def inferred(
    of: Distance, groups: np.ndarray, rng: np.random.Generator, *, bounds: tuple[float, float]
) -> Inference:
    n = int(groups.max()) + 1
    seen = float(of(np.ones((1, n), dtype=np.int16))[0])
    drawn = bootstrap.counts(n, resamples=399, rng=rng)
    found = bootstrap.resample_statistic(lambda *_: seen, {}, groups=groups, drawn=drawn, many=of)
    steady = few.steadied(bootstrap.debiased(found, bounds=bounds), bounds=bounds)
    return doubted(steady, seen, of=of, bounds=bounds)


@pytest.mark.parametrize("size", [1, 4])
def test_luck_is_what_calibrated_answers_show(size: int) -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(400 // size), size)
    sure = np.repeat(rng.random(400 // size), size)
    seen, said = [], []
    for _ in range(300):
        # Samples of a group are right or wrong together.
        right = (np.repeat(rng.random(400 // size), size) < sure).astype(float)
        of = surest.calibration_error(sure, right, groups=groups, edges=EDGES)
        seen.append(float(of(np.ones((1, 400 // size), dtype=np.int16))[0]))
        said.append((of.added.mean, of.added.sd))
    mean, sd = np.mean(said, axis=0)
    assert mean == pytest.approx(np.mean(seen), rel=0.07)
    assert sd == pytest.approx(np.std(seen), rel=0.25)


@pytest.mark.parametrize(("n", "power"), [(10, 1.0), (30, 0.05), (100, 0.125)])
def test_a_calibrated_system_is_not_called_off(n: int, power: float) -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        sure = rng.random(n) ** power
        right = (rng.random(n) < sure).astype(float)
        low, _ = error_of(sure, right, np.arange(n), rng).interval()
        held += low <= 0.0
    assert held >= 190 - 8


def test_the_difference_of_a_far_and_a_calibrated_system_is_held() -> None:
    rng = np.random.default_rng(6)
    held, n, truth = 0, 200, np.log(2) / 2 - 0.25
    for _ in range(150):
        likely, sure = 0.5 + 0.5 * rng.random(n), rng.random(n)
        far = likely**2 / (likely**2 + (1 - likely) ** 2)
        one = surest.calibration_error(
            far, (rng.random(n) < likely).astype(float), groups=np.arange(n), edges=EDGES
        )
        two = surest.calibration_error(
            sure, (rng.random(n) < sure).astype(float), groups=np.arange(n), edges=EDGES
        )
        between = surest.less(one, two)
        assert isinstance(between, Distance)
        low, high = inferred(between, np.arange(n), rng, bounds=(-1.0, 1.0)).interval()
        held += low <= truth <= high
    assert held >= 138


def test_doubts_only_widen_and_only_distances_are_doubted() -> None:
    plain = StudentT(value=0.2, se=0.05, df=50)
    assert doubted(plain, 0.2, of=lambda d: d) is plain
    of = Distance(of=lambda d: d[:, 0] * 1.0, added=Luck(mean=0.1, sd=0.02, df=50.0))
    found = doubted(plain, 0.22, of=of, bounds=(0.0, 1.0))
    assert isinstance(found, Doubted)
    low, high = found.interval()
    assert low == pytest.approx(0.12 - 2.00856 * 0.02, abs=1e-5)
    assert high == plain.interval()[1]
    assert found.p_at_least(0.1) > plain.p_at_least(0.1)
    assert found.se == plain.se
    assert "luck" in found.method


def test_one_group_does_not_say_what_luck_adds() -> None:
    none = luck(np.zeros((1, 3)), alone=np.ones(3), answers=np.ones(1))
    assert none.mean == inf
    plain = StudentT(value=0.2, se=0.05, df=50)
    assert doubted(plain, 0.2, of=Distance(of=lambda d: d[:, 0] * 1.0, added=none)) is ONE_GROUP
    lost = Undefined("nothing")
    assert doubted(lost, 0.2, of=Distance(of=lambda d: d[:, 0] * 1.0, added=none)) is lost


def test_over_seeds_a_calibrated_system_is_not_called_off_either() -> None:
    rng = np.random.default_rng(8)
    held, n, k = 0, 60, 3
    group, seed = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    for _ in range(40):
        sure = rng.random(n * k) ** 0.125
        right = (rng.random(n * k) < sure).astype(float)
        found = twoway.statistic_over_seeds(
            lambda c, w: calibration.reliability(c["x"], c["y"], edges=EDGES, weights=w).error,
            {"x": sure, "y": right},
            at=(group, seed),
            drawn=bootstrap.counts(n, resamples=200, rng=rng),
            many=surest.calibration_error(sure, right, groups=group, edges=EDGES),
            bounds=(0.0, 1.0),
        )
        assert isinstance(found, Doubted)
        assert "bias taken off" in found.method
        held += found.interval()[0] <= 0.0
    assert held >= 36
