"""Quantiles and how far a sample reaches."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.core.errors import DataError
from assay.stats.inference import Undefined
from assay.stats.order import OrderStatistic, QuantileRatio, highest_quantile, quantile


def test_a_hundred_values_reach_p96_and_not_p97() -> None:
    values = np.arange(100.0)
    assert quantile(values, 0.96).interval() is not None
    assert quantile(values, 0.96).interval()[1] == 99.0
    refused = quantile(values, 0.97)
    assert isinstance(refused, Undefined)
    assert "reach p96.3" in refused.why


def test_a_one_sided_bound_on_p99_takes_299_values() -> None:
    assert highest_quantile(298, sides=1) < 0.99 <= highest_quantile(299, sides=1)


@given(st.integers(1, 3000), st.floats(0.5, 0.999))
def test_the_highest_quantile_is_the_highest_with_an_upper_end(n: int, confidence: float) -> None:
    reached = highest_quantile(n, confidence=confidence)
    values = np.arange(float(n))
    if isinstance(reached, Undefined):
        assert quantile(values, 0.5, confidence=confidence) == reached
        return
    inside, beyond = (OrderStatistic(q=reached + by, values=values) for by in (-1e-9, 1e-6))
    assert inside.interval(confidence)[1] == n - 1
    ends = beyond.interval(confidence)
    assert ends is None or ends[1] == inf


@given(st.integers(20, 400), st.floats(0.2, 0.8))
def test_the_ranks_are_those_of_the_binomial(n: int, q: float) -> None:
    low, high = OrderStatistic(q=q, values=np.arange(1.0, n + 1)).interval(0.95)
    within = stats.binom.cdf(high - 1, n, q) - stats.binom.cdf(low - 1, n, q)
    assert within >= 0.95
    assert stats.binom.cdf(low, n, q) > 0.025
    assert stats.binom.sf(high - 2, n, q) > 0.025


@given(st.lists(st.integers(-50, 50), min_size=10, max_size=80))
def test_a_quantile_turned_over_is_turned_over(values: list[int]) -> None:
    q, ordered = 0.4, np.sort(np.array(values, float))
    low, high = OrderStatistic(q=q, values=ordered).interval(0.8)
    mirrored = OrderStatistic(q=1 - q, values=-ordered[::-1]).interval(0.8)
    assert mirrored == (-high, -low)


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_a_quantile_covers_whatever_the_distribution(q: float) -> None:
    rng = np.random.default_rng(0)
    truth = np.exp(stats.norm.ppf(q))
    covered = []
    for _ in range(1500):
        low, high = quantile(np.exp(rng.normal(size=120)), q).interval(0.95)
        covered.append(low <= truth <= high)
    assert 0.94 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("q", [0.3, 0.5])
def test_p_values_and_ranks_agree_on_every_value(q: float) -> None:
    found = OrderStatistic(q=q, values=np.repeat(np.arange(20.0), 2))
    for level in (0.01, 0.025, 0.1):
        low, high = found.interval(1 - 2 * level)
        for bound in range(20):
            assert (found.p_at_least(bound) <= level) == (low >= bound)
            assert (found.p_at_most(bound) <= level) == (high <= bound)


def test_an_end_beyond_the_sample_at_a_stricter_level_is_infinite() -> None:
    found = quantile(np.arange(100.0), 0.96)
    low, high = found.interval(0.99)
    assert low > 80
    assert high == inf


@pytest.mark.parametrize(
    ("values", "why"), [([], "0 values reach no quantile"), ([1.0] * 5, "5 values reach no")]
)
def test_too_few_values_reach_no_quantile(values: list[float], why: str) -> None:
    found = quantile(values, 0.5)
    assert isinstance(found, Undefined)
    assert why in found.why


def test_misuse_is_a_data_error() -> None:
    for call in (
        lambda: quantile([1.0, np.nan], 0.5),
        lambda: quantile([1.0, 2.0], 1.0),
        lambda: quantile([1.0, 2.0], 0.5, confidence=1.0),
    ):
        with pytest.raises(DataError, match="A202"):
            call()


@given(st.lists(st.integers(1, 50), min_size=12, max_size=80), st.integers(2, 9))
def test_a_ratio_of_quantiles_turned_over_is_one_over_it(values: list[int], times: int) -> None:
    ordered = np.sort(np.array(values, float))
    one, two = (OrderStatistic(q=0.5, values=v) for v in (ordered, times * ordered))
    low, high = QuantileRatio(above=two, below=one).interval()
    assert low <= times <= high
    turned = QuantileRatio(above=one, below=two).interval()
    assert turned == pytest.approx((1 / high, 1 / low))


def test_equal_medians_are_told_apart_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(0)
    claimed = 0
    for _ in range(200):
        draws = np.sort(rng.lognormal(size=(2, 63)), axis=1)
        one, two = (OrderStatistic(q=0.5, values=row) for row in draws)
        claimed += QuantileRatio(above=one, below=two).p_at_most(1.0) <= 0.05
    assert claimed <= 10 + 2 * 3.1  # 5 % of 200, and two standard errors


def test_ranks_that_do_not_reach_give_no_ratio() -> None:
    one = OrderStatistic(q=0.5, values=np.array([1.0, 2.0, 3.0]))
    ratio = QuantileRatio(above=one, below=one)
    assert ratio.interval(0.95) is None
    assert ratio.p_at_least(0.1) > 0.025
    assert QuantileRatio(above=one, below=OrderStatistic(q=0.5, values=np.zeros(9))).value is None
