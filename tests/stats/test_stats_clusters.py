"""Shares, ratios and differences over grouped samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import stats
from statsmodels.regression.linear_model import OLS

from assay.core.errors import DataError
from assay.stats.binomial import wilson
from assay.stats.clusters import log_ratio, paired, paired_log_ratio, ratio, share
from assay.stats.inference import (
    RARE,
    Exact,
    LogT,
    PairedScore,
    Score,
    StudentT,
    Undefined,
    ZeroDiscordance,
)
from assay.stats.paired import Table, tango

BITS = npst.arrays(np.bool_, st.integers(4, 60))
VALUES = npst.arrays(np.float64, st.integers(4, 60), elements=st.integers(-50, 50).map(float))


def ones(n: int) -> np.ndarray:
    return np.ones(n)


def grouped(n: int, size: int) -> np.ndarray:
    return np.arange(n) // size


# --- one share ------------------------------------------------------------------------------


@given(BITS)
def test_without_groups_a_share_is_wilson_or_exact(hits: np.ndarray) -> None:
    n, k = hits.size, int(hits.sum())
    found = share(hits, ones(n), groups=np.arange(n))
    if min(k, n - k) <= RARE:
        assert found == Exact(k, n)
    else:
        assert found.interval() == pytest.approx(wilson(k, n))


@given(BITS, st.integers(2, 5), st.randoms(use_true_random=False))
def test_a_share_depends_on_no_order_and_no_group_name(
    hits: np.ndarray, size: int, random: Random
) -> None:
    order = list(range(hits.size))
    random.shuffle(order)
    groups = grouped(hits.size, size)
    renamed = -7 * groups + 3
    before = share(hits, ones(hits.size), groups=groups)
    after = share(hits[order], ones(hits.size), groups=renamed[order])
    assert before.value == after.value
    ends, again = before.interval(), after.interval()
    assert ends == again if ends is None else ends == pytest.approx(again)


@given(BITS.filter(lambda hits: 0 < hits.sum() < hits.size), st.integers(2, 6))
def test_asking_each_group_the_same_thing_again_adds_nothing(hits: np.ndarray, times: int) -> None:
    n = hits.size
    again = share(np.repeat(hits, times), ones(n * times), groups=np.repeat(np.arange(n), times))
    assert isinstance(again, Score)
    assert again.n_eff == pytest.approx(n - 1)
    few = min(hits.sum(), n - hits.sum()) / n
    if few > 0.25:  # a kurtosis of at most 3: no few groups hold all events
        assert again.df == pytest.approx(n - 1)
    else:
        assert 1 <= again.df <= n - 1


@given(BITS.filter(lambda hits: 0 < hits.sum() < hits.size), st.integers(2, 6))
def test_records_that_were_not_asked_do_not_count(hits: np.ndarray, size: int) -> None:
    n, groups = hits.size, grouped(hits.size, size)
    padded = share(
        np.r_[hits, np.zeros(9, bool)],
        np.r_[ones(n), np.zeros(9)],
        groups=np.r_[groups, np.arange(9) + n],
    )
    assert padded == share(hits, ones(n), groups=groups)


def test_no_event_counts_groups_not_samples() -> None:
    none = share(np.zeros(100), ones(100), groups=grouped(100, 10))
    every = share(ones(100), ones(100), groups=grouped(100, 10))
    assert none == Exact(0, 10, of="groups")
    assert every == Exact(10, 10, of="groups")
    assert none.interval()[1] == pytest.approx(1 - 0.025 ** (1 / 10))


def test_groups_that_agree_by_chance_never_beat_independent_samples() -> None:
    alternating = np.tile([0, 1], 20)
    found = share(alternating, ones(40), groups=grouped(40, 2))
    assert isinstance(found, Score)
    assert found.n_eff == 40


@pytest.mark.parametrize("size", [2, 5])
def test_for_equal_groups_the_variance_is_the_cluster_robust_one_of_statsmodels(size: int) -> None:
    rng = np.random.default_rng(3)
    values, groups = rng.normal(size=60), grouped(60, size)
    theirs = OLS(values, ones(60)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    ours = ratio(values, ones(60), groups=groups)
    assert ours.se == pytest.approx(theirs.bse[0])
    assert isinstance(ours, StudentT)
    assert ours.df == pytest.approx(60 / size - 1)


def test_paired_groups_that_agree_by_chance_never_beat_independent_samples() -> None:
    a, b = np.tile([1, 0], 20), np.tile([0, 1], 20)
    found = paired((a, ones(40)), (b, ones(40)), groups=grouped(40, 2), bounds=(0, 1))
    assert isinstance(found, PairedScore)
    assert found.n_eff == 40


def test_one_group_that_holds_nearly_everything_leaves_one_degree_of_freedom() -> None:
    found = ratio(np.arange(100.0), ones(100), groups=np.r_[np.zeros(99, int), 1])
    assert isinstance(found, StudentT)
    assert found.df == 1.0


def test_unequal_groups_cost_degrees_of_freedom() -> None:
    groups = np.r_[np.zeros(30, int), np.arange(30) + 1]
    found = ratio(np.arange(60.0), ones(60), groups=groups)
    assert isinstance(found, StudentT)
    assert found.df == pytest.approx(60**2 / (30**2 + 30) - 1)


# --- one ratio ------------------------------------------------------------------------------


@given(VALUES.filter(lambda values: np.ptp(values) > 0))
def test_without_groups_a_mean_has_students_interval_but_for_its_longer_tail(
    values: np.ndarray,
) -> None:
    n = values.size
    found = ratio(values, ones(n), groups=np.arange(n))
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    low, high = found.interval()
    assert isinstance(found, StudentT)
    assert (low if found.skew >= 0 else high) == pytest.approx(
        theirs.low if found.skew >= 0 else theirs.high
    )
    assert low <= theirs.low + 1e-9 * abs(theirs.low) + 1e-12
    assert high >= theirs.high - 1e-9 * abs(theirs.high) - 1e-12
    even = ratio(np.r_[values, -values], ones(2 * n), groups=np.arange(2 * n))
    assert even.interval() == pytest.approx(
        tuple(stats.ttest_1samp(np.r_[values, -values], 0).confidence_interval()), abs=1e-9
    )


def test_a_ratio_moves_with_its_unit() -> None:
    rng = np.random.default_rng(1)
    dollars, right = rng.exponential(size=50), rng.integers(0, 2, 50)
    first = ratio(dollars, right, groups=grouped(50, 2))
    cents = ratio(100 * dollars, right, groups=grouped(50, 2))
    assert cents.value == pytest.approx(100 * first.value)
    assert cents.interval() == pytest.approx(tuple(100 * end for end in first.interval()))


@pytest.mark.parametrize(
    ("numerator", "denominator", "groups", "why"),
    [
        ([], [], [], "nothing was asked"),
        ([0.0, 0.0], [0, 0], [0, 1], "nothing was asked"),
        ([1.0, 2.0], [0, 0], [0, 1], "nothing was asked"),
        ([1.0, 2.0], [1, 1], [0, 0], "one group holds everything"),
        ([1.0, 2.0], [1, 0], [0, 1], "one group holds everything"),
        ([0.1, 0.1, 0.1], [1, 1, 1], [0, 1, 2], "every group gave the same number"),
        ([0.1, 0.2, 0.7], [0.1, 0.2, 0.7], [0, 1, 2], "every group gave the same number"),
    ],
)
def test_a_degenerate_ratio_says_why_it_is_none(
    numerator: list[float], denominator: list[float], groups: list[int], why: str
) -> None:
    found = ratio(numerator, denominator, groups=np.array(groups, dtype=int))
    assert found == Undefined(why)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ratio([1.0, math.nan], [1, 1], groups=[0, 1]),
        lambda: ratio([1.0, 1.0, 1.0], [1, 1], groups=[0, 1]),
        lambda: ratio([1.0, 1.0], [1, 1], groups=[0.5, 1.5]),
        lambda: ratio([1.0, 1.0], [1, -1], groups=[0, 1]),
        lambda: ratio([3.0, 2.0], [1, 1], groups=[0, 1], bounds=(0, 1)),
        lambda: share([0.5, 1], [1, 1], groups=[0, 1]),
        lambda: share([2, 0], [1, 1], groups=[0, 1]),
        lambda: share([1, 1], [1, 1, 1], groups=[0, 1]),
        lambda: paired(([3, 1], [1, 1]), ([1, 1], [1, 1]), groups=[0, 1], bounds=(0, 1)),
        lambda: paired(([3, 1], [1, 1]), ([1], [1]), groups=[0, 1]),
        lambda: log_ratio([-1.0, 3.0], [1, 1], groups=[0, 1]),
    ],
)
def test_misuse_is_a_data_error(call: Callable[[], object]) -> None:
    with pytest.raises(DataError, match="A202"):
        call()


# --- differences ----------------------------------------------------------------------------


@given(st.data(), BITS)
def test_two_systems_on_independent_samples_get_tangos_interval(
    data: st.DataObject, a: np.ndarray
) -> None:
    b = data.draw(npst.arrays(np.bool_, a.size))
    n = a.size
    found = paired((a, ones(n)), (b, ones(n)), groups=np.arange(n), bounds=(0, 1))
    if (a == b).all():
        assert found == ZeroDiscordance(n_groups=n)
    else:
        expected = tango(Table.of(a, b))
        assert found.interval() == pytest.approx(expected.interval())


@given(st.data(), BITS, st.integers(2, 4))
def test_swapping_the_systems_turns_the_difference_over(
    data: st.DataObject, a: np.ndarray, size: int
) -> None:
    b, n = data.draw(npst.arrays(np.bool_, a.size)), a.size
    one, other = (
        paired((x, ones(n)), (y, ones(n)), groups=grouped(n, size), bounds=(0, 1))
        for x, y in ((a, b), (b, a))
    )
    if one.value is None:
        assert one == other
        return
    assert one.value == pytest.approx(-other.value)
    low, high = one.interval()
    assert other.interval() == pytest.approx((-high, -low), abs=1e-7)


@given(st.data(), VALUES, st.integers(1, 4))
def test_a_paired_difference_of_means_is_the_mean_of_differences(
    data: st.DataObject, a: np.ndarray, size: int
) -> None:
    b = data.draw(npst.arrays(np.float64, a.size, elements=st.integers(-50, 50).map(float)))
    n, groups = a.size, grouped(a.size, size)
    both = paired((a, ones(n)), (b, ones(n)), groups=groups)
    single = ratio(a - b, ones(n), groups=groups)
    if isinstance(both, StudentT):
        assert both.se == pytest.approx(single.se)
        assert both.value == pytest.approx(single.value)
    else:
        assert isinstance(single, Undefined)


def test_systems_that_never_differ_leave_a_bound_only_where_one_exists() -> None:
    terms = (np.tile([1.0, 0.0], 10), ones(20))
    groups = grouped(20, 4)
    assert paired(terms, terms, groups=groups, bounds=(0, 1)) == ZeroDiscordance(n_groups=5)
    wide = paired(terms, terms, groups=groups, bounds=(0, 10))
    assert wide == ZeroDiscordance(n_groups=5, reach=10.0)
    unbounded = paired(terms, terms, groups=groups)
    assert isinstance(unbounded, Undefined)
    assert "no bounds" in unbounded.why


@given(VALUES.filter(lambda values: np.ptp(values) > 0), st.sampled_from([0.1, 0.3, 1.0, 7.7]))
def test_a_constant_difference_is_no_certainty(values: np.ndarray, gap: float) -> None:
    n = values.size
    found = paired((values + gap, ones(n)), (values, ones(n)), groups=np.arange(n))
    assert found == Undefined("every group gave the same number")
    times = np.abs(values) + 1
    ratios = log_ratio(times * gap, times, groups=np.arange(n))
    assert isinstance(ratios, Undefined)


def test_a_bounded_score_that_is_no_count_is_differenced_by_t_within_its_reach() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(8), rng.random(8) * 0.01
    found = paired((a, ones(8)), (b, ones(8)), groups=np.arange(8), bounds=(0, 1))
    assert isinstance(found, StudentT)
    assert (found.low, found.high) == (-1.0, 1.0)


def test_systems_that_answered_different_samples_are_still_compared_by_group() -> None:
    rng = np.random.default_rng(0)
    asked_a, asked_b = rng.random(90) < 0.7, rng.random(90) < 0.6
    right = rng.random((2, 90)) < 0.8
    found = paired(
        (right[0] & asked_a, asked_a),
        (right[1] & asked_b, asked_b),
        groups=grouped(90, 3),
        bounds=(0, 1),
    )
    assert isinstance(found, StudentT)
    swapped = paired(
        (right[1] & asked_b, asked_b), (right[0] & asked_a, asked_a), groups=grouped(90, 3)
    )
    assert swapped.df == found.df
    expected = (right[0] & asked_a).sum() / asked_a.sum() - (
        right[1] & asked_b
    ).sum() / asked_b.sum()
    assert found.value == pytest.approx(expected)


# --- ratios on the log scale ----------------------------------------------------------------


POSITIVE = npst.arrays(
    np.float64, st.integers(3, 40), elements=st.integers(1, 1000).map(float)
).filter(lambda values: np.ptp(values) > 0)


@given(POSITIVE, st.floats(0.01, 100))
def test_a_cost_ratio_turned_over_is_turned_over(a: np.ndarray, price: float) -> None:
    b = np.roll(a, 1)[::-1] + 1
    groups = np.arange(a.size)
    one = log_ratio(price * a, b, groups=groups)
    other = log_ratio(b, price * a, groups=groups)
    if isinstance(one, Undefined):
        assert one == other
        return
    assert one.value == pytest.approx(1 / other.value)
    low, high = one.interval()
    assert other.interval() == pytest.approx((1 / high, 1 / low), rel=1e-6)


def test_equal_denominators_leave_a_ratio_of_ratios_a_ratio_of_totals() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.exponential(size=(2, 60))
    groups = grouped(60, 3)
    weights = rng.random(60)
    plain = log_ratio(a, b, groups=groups)
    shared = paired_log_ratio((a, weights), (b, weights), groups=groups)
    assert isinstance(plain, LogT)
    assert shared.value == pytest.approx(plain.value)
    assert shared.interval() == pytest.approx(plain.interval())


def test_a_zero_total_has_no_ratio_on_the_log_scale() -> None:
    found = log_ratio([1.0, 2.0], [0.0, 0.0], groups=[0, 1])
    assert found == Undefined("a total is zero, and has no logarithm")


def test_the_same_ratio_in_every_block_is_no_certainty() -> None:
    found = log_ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], groups=[0, 1, 2])
    assert found == Undefined("every group gave the same number")


def test_pairs_that_all_differ_one_way_are_as_many_as_their_groups() -> None:
    a, b, groups = ones(90), np.zeros(90), grouped(90, 30)
    found = paired((a, a), (b, a), groups=groups, bounds=(0, 1))
    assert found.value == 1
    assert found.interval()[0] < 0.35  # three of three groups
    back = paired((b, a), (a, a), groups=groups, bounds=(0, 1))
    assert back.interval()[1] == pytest.approx(-found.interval()[0])
    alone = paired((a, a), (b, a), groups=np.arange(90), bounds=(0, 1))
    assert alone.interval() == tango(Table(both=0, first=90, second=0, neither=0)).interval()


def test_few_groups_that_all_differ_one_way_are_rarely_called_more_than_they_are() -> None:
    rng = np.random.default_rng(0)
    groups, wrong = grouped(150, 30), 0
    for _ in range(400):
        gap = (rng.random(5) < 0.7).astype(float).repeat(30)
        found = paired((gap, ones(150)), (0 * gap, ones(150)), groups=groups, bounds=(0, 1))
        p = found.p_at_least(0.7)
        wrong += p is not None and p <= 0.025
    assert wrong == 0  # it was 16 % when samples counted


@pytest.mark.slow
def test_gains_of_few_groups_and_losses_of_many_are_called_worse_as_rarely_as_promised() -> None:
    """100 groups of 4: one in ten gains 2 with probability 0.45, the others lose 1 with 0.1."""
    rng, worse, plain, runs = np.random.default_rng(5), 0, 0, 4000
    ones, groups = np.ones(400), np.repeat(np.arange(100), 4)
    for _ in range(runs):
        few = rng.random(100) < 0.1
        gain = np.where(few, 2 * (rng.random(100) < 0.45), 0)
        lose = ~few & (rng.random(100) < 0.1)
        before = np.tile([0.0, 0.0, 1.0, 1.0], 100)
        after = before.copy()
        after[0::4] += gain > 0
        after[1::4] += gain > 0
        after[2::4] -= lose
        found = paired((after, ones), (before, ones), groups=groups, bounds=(0, 1))
        worse += found.p_at_most(0.0) <= 0.025
        plain += replace(found, skew=0.0).p_at_most(0.0) <= 0.025
    # Two and a half standard errors of a simulated 2.5 %; without the skewness it is 3.8 %.
    assert worse / runs <= 0.025 + 2.5 * math.sqrt(0.025 * 0.975 / runs)
    assert plain > worse
