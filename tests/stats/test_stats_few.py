"""Resamples of few groups."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.bootstrap import counts, resample_statistic
from assay.stats.few import FEW, FEWEST, FewGroups, power_of_e, steadied
from assay.stats.inference import Census, LogT, Resampled, StudentT, Undefined


def mean_of(n_groups: int, *, seed: int = 0, resamples: int = 1999) -> Resampled:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n_groups)
    found = resample_statistic(
        lambda c, w: float(np.average(c["x"], weights=w)),
        {"x": values},
        groups=np.arange(n_groups),
        drawn=counts(n_groups, resamples=resamples, rng=rng),
        many=lambda drawn: drawn @ values / n_groups,
    )
    assert isinstance(found, Resampled)
    return found


@pytest.mark.parametrize("n_groups", [2, 5, FEWEST - 1])
def test_a_handful_of_groups_is_refused(n_groups: int) -> None:
    found = steadied(mean_of(n_groups))
    assert isinstance(found, Undefined)
    assert f"worth {n_groups} of one size" in found.why


@given(st.integers(FEWEST, FEW - 1), st.integers(0, 20))
def test_few_groups_say_no_more_than_percentiles_or_the_spread(n_groups: int, seed: int) -> None:
    plain = mean_of(n_groups, seed=seed)
    found = steadied(plain)
    assert isinstance(found, FewGroups)
    assert found.spread.se == pytest.approx(plain.se * (n_groups / (n_groups - 1)) ** 0.5)
    low, high = found.interval()
    for part in (plain, found.spread):
        ends = part.interval()
        assert low <= ends[0]
        assert ends[1] <= high
    for bound in (low, high, 0.0):
        assert found.p_at_least(bound) >= found.spread.p_at_least(bound)
        assert found.p_at_most(bound) >= found.spread.p_at_most(bound)


def test_enough_groups_keep_their_percentiles_which_are_a_little_wider_than_as_they_are() -> None:
    plain, some = mean_of(FEW), mean_of(30)
    assert steadied(plain) is plain
    assert steadied(Census(0.5)) == Census(0.5)
    bare = Resampled(value=plain.value, draws=plain.draws)
    (low, high), (low_bare, high_bare) = plain.interval(), bare.interval()
    assert low < low_bare < high_bare < high
    many = mean_of(400)
    assert "widened" not in many.method
    assert "widened for 30 groups" in some.method


def test_beyond_the_last_draw_the_spread_decides() -> None:
    found = steadied(mean_of(9, resamples=999))
    strict = found.interval(1 - 1e-6)
    assert strict == found.spread.interval(1 - 1e-6)
    assert 0 < found.p_at_least(strict[0] - 1e-9) <= 0.5e-6


def test_an_interval_is_cut_at_its_bounds() -> None:
    found = steadied(mean_of(9), bounds=(-0.1, 0.9))
    low, high = found.interval(0.999)
    assert (low, high) == (-0.1, 0.9)
    assert found.p_at_least(-0.1) == found.p_at_most(0.9) == 0.0


def test_resamples_without_a_value_are_refused_where_they_are_many() -> None:
    draws = np.r_[np.full(150, np.nan), np.linspace(0, 1, 849)]
    found = steadied(Resampled(value=0.5, draws=draws, df=11.0))
    assert isinstance(found, Undefined)
    few = np.r_[np.full(10, np.nan), np.linspace(0, 1, 989)]
    kept = steadied(Resampled(value=0.5, draws=few, df=11.0), bounds=(0.0, 1.0))
    assert kept.interval(0.99999) == (0.0, 1.0)
    assert kept.p_at_least(0.01) > 0.01


def test_the_logarithm_of_a_ratio_is_turned_back_with_both_parts() -> None:
    draws = np.linspace(-0.5, 0.9, 999)
    found = power_of_e(steadied(Resampled(value=0.2, draws=draws, df=11.0)))
    assert isinstance(found, FewGroups)
    assert isinstance(found.spread, LogT)
    low, high = found.interval()
    assert 0 < low < found.value < high < inf
    assert found.value == pytest.approx(np.exp(0.2))
    assert log(found.value) == pytest.approx(0.2)
    assert isinstance(power_of_e(StudentT(value=0.0, se=1.0)), LogT)
