"""Resampling of groups by counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from assay.core.errors import DataError
from assay.stats.bootstrap import (
    counts,
    difference,
    ratio_draws,
    resample_ratio,
    resample_statistic,
    resampled,
)
from assay.stats.clusters import ratio
from assay.stats.inference import Resampled, Undefined


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@given(st.integers(1, 40), st.integers(1, 600), st.integers(0, 5))
def test_every_resample_draws_as_many_groups_as_there_are(n: int, times: int, seed: int) -> None:
    drawn = counts(n, resamples=times, rng=rng(seed))
    assert drawn.shape == (times, n)
    assert (drawn >= 0).all()
    assert (drawn.sum(axis=1) == n).all()


def test_the_same_generator_gives_the_same_resamples_and_another_does_not() -> None:
    one, again, other = (counts(50, resamples=300, rng=rng(seed)) for seed in (3, 3, 4))
    assert (one == again).all()
    assert (one != other).any()


def test_each_group_is_drawn_as_a_multinomial_would() -> None:
    drawn = counts(20, resamples=20_000, rng=rng())
    assert drawn.mean(axis=0) == pytest.approx(np.ones(20), abs=0.04)
    assert drawn.var(axis=0) == pytest.approx(np.full(20, 0.95), abs=0.06)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(-1 / 19, abs=0.03)


@given(
    npst.arrays(np.float64, 9, elements=st.integers(0, 9).map(float)),
    npst.arrays(np.float64, 9, elements=st.integers(0, 3).map(float)),
)
def test_the_matrix_product_is_the_ratio_of_every_resample(
    numerator: np.ndarray, denominator: np.ndarray
) -> None:
    drawn = counts(9, resamples=300, rng=rng())
    draws = ratio_draws(numerator, denominator, drawn)
    for row, one in zip(drawn, draws, strict=True):
        above, below = (row * numerator).sum(), (row * denominator).sum()
        assert np.isnan(one) if below == 0 else one == pytest.approx(above / below)


@given(npst.arrays(np.float64, 30, elements=st.integers(0, 9).map(float)))
def test_a_mean_as_a_statistic_is_the_mean_as_a_ratio(values: np.ndarray) -> None:
    groups = np.arange(30) // 3
    drawn = counts(10, resamples=60, rng=rng())
    by_group = np.bincount(groups, weights=values)
    quick = resample_ratio(by_group, np.full(10, 3.0), drawn)
    slow = resample_statistic(
        lambda columns, weights: float(np.average(columns["x"], weights=weights)),
        {"x": values},
        groups=groups,
        drawn=drawn,
    )
    assert slow.value == quick.value or slow.value == pytest.approx(quick.value)
    if isinstance(quick, Resampled):
        assert isinstance(slow, Resampled)
        assert slow.draws == pytest.approx(quick.draws)


def test_a_difference_of_the_same_resamples_is_paired() -> None:
    generator = rng()
    hard = generator.normal(size=80)
    a, b = hard + 0.1 * generator.normal(size=(2, 80))
    drawn = counts(80, resamples=2000, rng=rng())
    one, other = (resample_ratio(x, np.ones(80), drawn) for x in (a, b))
    gap = difference(one, other)
    assert gap.se < 0.25 * min(one.se, other.se)
    assert gap.se == pytest.approx(ratio(a - b, np.ones(80), groups=np.arange(80)).se, rel=0.06)


def test_resamples_that_never_vary_are_undefined_not_certain() -> None:
    drawn = counts(10, resamples=200, rng=rng())
    assert isinstance(resample_ratio(np.ones(10), np.ones(10), drawn), Undefined)
    assert isinstance(resample_ratio(np.full(10, 0.1), np.ones(10), drawn), Undefined)
    assert isinstance(resample_ratio(np.ones(10), np.zeros(10), drawn), Undefined)
    assert isinstance(resampled(1.0, np.full(5, np.nan)), Undefined)
    assert isinstance(resampled(None, np.arange(5.0)), Undefined)
    one = resample_ratio(np.arange(10.0), np.ones(10), drawn)
    assert isinstance(difference(one, one), Undefined)


def test_resamples_without_a_value_are_said_and_widen_the_interval() -> None:
    numerator = np.r_[1.0, 2.0, np.zeros(8)]
    denominator = np.r_[1.0, 1.0, np.zeros(8)]
    found = resample_ratio(numerator, denominator, counts(10, resamples=999, rng=rng()))
    assert isinstance(found, Resampled)
    assert "without a value" in found.method
    assert found.interval(0.95) is None
    assert found.p_at_least(-1.0) > 0.05
    whole = resample_ratio(np.arange(10.0), np.ones(10), counts(10, resamples=99, rng=rng()))
    assert whole.method == "percentile bootstrap, 99 resamples, widened for 10 groups"


def test_a_statistic_that_has_no_value_says_so() -> None:
    drawn = counts(3, resamples=20, rng=rng())
    found = resample_statistic(lambda *_: None, {}, groups=np.arange(3), drawn=drawn)
    assert isinstance(found, Undefined)


def test_misuse_is_a_data_error() -> None:
    drawn = counts(3, resamples=20, rng=rng())
    for call in (
        lambda: counts(0, resamples=5, rng=rng()),
        lambda: ratio_draws([1.0, 2.0], [1.0, 1.0], drawn),
        lambda: resample_statistic(lambda *_: 1.0, {}, groups=np.array([0, 3]), drawn=drawn),
        lambda: resample_statistic(
            lambda *_: 1.0, {"x": np.ones(2)}, groups=np.array([0, 1, 2]), drawn=drawn
        ),
    ):
        with pytest.raises(DataError, match="A202"):
            call()


def test_a_percentile_interval_covers_with_fifty_groups() -> None:
    generator = rng(5)
    covered = []
    for _ in range(400):
        values = generator.exponential(size=50)
        found = resample_ratio(values, np.ones(50), counts(50, resamples=499, rng=generator))
        low, high = found.interval(0.95)
        covered.append(low <= 1.0 <= high)
    assert 0.90 <= np.mean(covered) <= 0.97
