"""BCa, the counts trick, and two ways of resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.core.errors import DataError
from assay.stats.bca import (
    ONE_SIDE,
    BiasCorrected,
    acceleration,
    acceleration_of_mean,
    corrected,
)
from assay.stats.bootstrap import counts, resample_ratio
from assay.stats.counted import (
    corrected_tallies,
    resample_difference,
    resample_share,
    resample_tallies,
)
from assay.stats.inference import Resampled, StudentT, Undefined
from assay.stats.jackknife import Totals
from assay.stats.paired import Table
from assay.stats.seeds import over_seeds
from assay.stats.twoway import (
    resample_ratio_two_ways,
    resample_statistic_two_ways,
    statistic_over_seeds,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def scipys(values: np.ndarray, **more: object) -> tuple[tuple[float, float], np.ndarray]:
    found = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="BCa", rng=rng(1))
    return tuple(found.confidence_interval), found.bootstrap_distribution


# --- BCa ------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.sampled_from([15, 40, 100]))
def test_bca_is_that_of_scipy_on_the_same_resamples(seed: int, n: int) -> None:
    values = rng(seed).exponential(size=n)
    ends, draws = scipys(values)
    found = Resampled(value=float(values.mean()), draws=np.ravel(draws))
    ours = corrected(found, acceleration=acceleration_of_mean(values, np.ones(n)))
    # scipy interpolates between ranks, and has no + 1.
    assert ours.interval() == pytest.approx(ends, abs=0.02 * values.std())
    low, high = found.interval()
    if abs(ours.acceleration) > 0.03:  # the long tail is above: both ends move up
        assert ours.interval()[0] > low
        assert ours.interval()[1] > high


def test_the_sign_of_the_acceleration_is_that_of_the_long_tail() -> None:
    values = rng(2).exponential(size=40)
    assert acceleration_of_mean(values, np.ones(40)) > 0.02
    assert acceleration_of_mean(-values, np.ones(40)) < -0.02
    assert acceleration_of_mean([0, 1], [50, 50]) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=30))
@example([3.375, 3.375, 3.375])
def test_the_closed_jackknife_is_the_jackknife(values: list[float]) -> None:
    x = np.round(np.array(values), 2)
    totals = Totals(numerator=x, denominator=np.ones(x.size))
    assert acceleration(totals.shifts()) == pytest.approx(
        acceleration_of_mean(x, np.ones(x.size)), abs=1e-9
    )


@given(st.lists(st.integers(0, 30), min_size=2, max_size=5).filter(lambda t: sum(t) > 2))
def test_tallies_accelerate_as_the_values_that_they_count(tallies: list[int]) -> None:
    distinct = np.arange(len(tallies)) ** 2.0
    each = np.repeat(distinct, tallies)
    assert acceleration_of_mean(distinct, tallies) == pytest.approx(
        acceleration_of_mean(each, np.ones(each.size)), abs=1e-9
    )


def test_without_bias_and_acceleration_bca_is_the_percentile_interval() -> None:
    draws = rng().normal(size=999)
    plain = Resampled(value=0.0, draws=draws)
    same = BiasCorrected(value=0.0, draws=draws, bias=0.0, acceleration=0.0)
    for confidence in (0.5, 0.9, 0.99):
        assert same.interval(confidence) == plain.interval(confidence)


def test_draws_on_one_side_have_no_correction() -> None:
    found = Resampled(value=0.0, draws=np.array([1.0, 2.0, 3.0]))
    assert corrected(found, acceleration=0.0) is ONE_SIDE
    assert corrected(Undefined("x"), acceleration=0.0) == Undefined("x")
    with pytest.raises(DataError, match="A202"):
        corrected(found, acceleration=np.nan)


# --- counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(91, 100), (4500, 5000)])
def test_a_share_by_counts_is_scipys_bca_to_a_thousandth_or_one_sample(k: int, n: int) -> None:
    ours = corrected_tallies([1, 0], [k, n - k], rng=rng()).interval()
    theirs, _ = scipys(np.repeat([1.0, 0.0], [k, n - k]))
    assert ours == pytest.approx(theirs, abs=max(1e-3, 1 / n))


@pytest.mark.parametrize("tallies", [[30, 70], [10, 80, 10], [5, 60, 30, 5]])
def test_counts_have_the_law_of_resampled_records(tallies: list[int]) -> None:
    distinct = np.arange(len(tallies), dtype=float)
    each = np.repeat(distinct, tallies)
    quick = resample_tallies(distinct, tallies, rng=rng()).draws
    slow = rng(1).choice(each, size=(10_000, each.size)).mean(axis=1)
    assert stats.ks_2samp(quick, slow).pvalue > 1e-3


def test_a_paired_difference_by_counts_is_that_of_its_records() -> None:
    table = Table(both=59, first=6, second=16, neither=80)
    gaps = np.repeat([1.0, 0.0, -1.0], [6, 139, 16])
    quick = resample_difference(table, rng=rng())
    slow = resample_ratio(gaps, np.ones(161), counts(161, resamples=10_000, rng=rng(1)))
    assert quick.value == pytest.approx(slow.value)
    assert quick.interval() == pytest.approx(slow.interval(), abs=2 / 161)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_swapping_systems_negates_the_value(both: int, first: int, second: int) -> None:
    one = resample_difference(
        Table(both=both, first=first, second=second, neither=3), rng=rng(), resamples=99
    )
    other = resample_difference(
        Table(both=both, first=second, second=first, neither=3), rng=rng(), resamples=99
    )
    if one.value is None:
        assert first + second == 0
        assert other.value is None
        return
    assert other.value == pytest.approx(-one.value)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (0, 9), (9, 9), (0, 1), (1, 1)])
def test_a_share_that_never_varies_is_undefined(k: int, n: int) -> None:
    assert isinstance(resample_share(k, n, rng=rng()), Undefined)
    assert isinstance(corrected_tallies([1, 0], [k, n - k], rng=rng()), Undefined)


# --- two ways -------------------------------------------------------------------------------


def mean(columns: dict[str, np.ndarray], weights: np.ndarray) -> float | None:
    return float(np.average(columns["x"], weights=weights)) if weights.sum() else None


def records(groups: int, seeds: int, luck: float, seed: int = 0):
    """Return values [groups, seeds], and the same flat with the codes of group and seed."""
    g = rng(seed)
    x = (
        g.normal(size=(groups, 1))
        + luck * g.normal(size=(1, seeds))
        + 0.3 * g.normal(size=(groups, seeds))
    )
    group = np.repeat(np.arange(groups), seeds)
    return x, {"x": x.ravel()}, group, np.tile(np.arange(seeds), groups)


def test_two_ways_of_a_mean_are_the_same_as_ratio_and_as_statistic() -> None:
    x, columns, group, seed = records(20, 4, 0.5)
    drawn = counts(20, resamples=300, rng=rng()), counts(4, resamples=300, rng=rng(1))
    one = resample_ratio_two_ways(x, np.ones(x.shape), groups=drawn[0], seeds=drawn[1])
    other = resample_statistic_two_ways(
        mean, columns, at=(group, seed), groups=drawn[0], seeds=drawn[1]
    )
    assert other.draws == pytest.approx(one.draws)


@given(st.integers(0, 2**16), st.integers(2, 6), st.sampled_from([0.0, 0.3, 2.0]))
@settings(max_examples=25)
def test_a_mean_as_a_statistic_over_seeds_is_the_variance_sum(
    seed: int, seeds: int, luck: float
) -> None:
    x, columns, group, codes = records(40, seeds, luck, seed)
    exact = over_seeds(x, np.ones(x.shape))
    drawn = counts(40, resamples=1500, rng=rng(seed))
    ours = statistic_over_seeds(mean, columns, at=(group, codes), drawn=drawn)
    assert isinstance(ours, StudentT)
    assert ours.value == pytest.approx(exact.value)
    assert ours.seed_se == pytest.approx(exact.seed_se)
    assert ours.se == pytest.approx(exact.se, rel=0.12)


def test_few_seeds_resampled_two_ways_are_narrower_than_the_variance_sum() -> None:
    x, columns, group, seed = records(200, 3, 1.0)
    drawn = counts(200, resamples=999, rng=rng()), counts(3, resamples=999, rng=rng(1))
    two = resample_ratio_two_ways(x, np.ones(x.shape), groups=drawn[0], seeds=drawn[1]).interval()
    both = statistic_over_seeds(mean, columns, at=(group, seed), drawn=drawn[0]).interval()
    assert both[1] - both[0] > 1.5 * (two[1] - two[0])


def test_degenerate_seeds_and_groups_are_undefined() -> None:
    _, columns, group, seed = records(12, 3, 0.5)
    drawn = counts(12, resamples=50, rng=rng())

    def found(statistic=mean, data=columns, seeds=seed, resampled=drawn, groups=group):
        return statistic_over_seeds(statistic, data, at=(groups, seeds), drawn=resampled)

    assert "one seed" in found(seeds=np.zeros(36, dtype=int)).why
    same = {"x": np.repeat(columns["x"][:12], 3)}
    assert "no effect" in found(data=same).why
    assert "undefined on these" in found(statistic=lambda *_: None).why
    needs_all = lambda c, w: mean(c, w) if (w > 0).all() else None  # noqa: E731
    assert "left out" in found(statistic=needs_all).why
    lone = counts(1, resamples=50, rng=rng())
    assert "one group" in found(resampled=lone, groups=np.zeros(36, dtype=int)).why
    rarely = lambda c, w: mean(c, w) if w.max() < 2 else None  # noqa: E731
    assert "resamples have no value" in found(statistic=rarely).why
    constant = lambda c, w: 1.0  # noqa: E731
    assert "neither" in found(statistic=constant).why


def test_misuse_is_a_data_error() -> None:
    x, columns, group, seed = records(5, 3, 0.5)
    g, s = counts(5, resamples=9, rng=rng()), counts(3, resamples=9, rng=rng())
    for call in (
        lambda: resample_share(3, 2, rng=rng()),
        lambda: resample_share(1, 2, rng=rng(), resamples=0),
        lambda: resample_tallies([1.0], [0.5], rng=rng()),
        lambda: resample_tallies([1.0, np.nan], [1, 2], rng=rng()),
        lambda: acceleration_of_mean([1.0], [-1]),
        lambda: acceleration([np.nan]),
        lambda: resample_ratio_two_ways(x, np.ones(x.shape), groups=g, seeds=s[:5]),
        lambda: resample_ratio_two_ways(x, np.ones(x.shape), groups=s, seeds=s),
        lambda: resample_ratio_two_ways(x, np.ones((5, 2)), groups=g, seeds=s),
        lambda: resample_statistic_two_ways(mean, columns, at=(group, seed), groups=s, seeds=s),
        lambda: statistic_over_seeds(mean, columns, at=(group, seed), drawn=s),
        lambda: statistic_over_seeds(mean, columns, at=(group[1:], seed), drawn=g),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
