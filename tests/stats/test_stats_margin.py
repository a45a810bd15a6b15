"""How far an interval reaches, with few seeds and with one longer tail."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.stats.jackknife import Spread, beside
from assay.stats.margin import Margin
from assay.stats.seeds import over_seeds
from assay.stats.tails import t_quantile

TAILS = st.floats(1e-9, 0.49)


@st.composite
def margins(draw: st.DrawFn) -> Margin:
    seeds, seed_df = draw(st.floats(0.01, 0.99)), float(draw(st.integers(1, 9)))
    groups = Spread(variance=1 - seeds, df=draw(st.floats(3, 500)))
    whole = beside(groups, Spread(variance=seeds, df=seed_df))
    return Margin(df=whole.df, seeds=seeds, seed_df=seed_df, skew=draw(st.floats(-1, 1)))


@given(margins(), TAILS, st.sampled_from([-1, 1]))
def test_a_tail_and_its_reach_are_each_others_inverse(
    margin: Margin, tail: float, side: int
) -> None:
    assert margin.tail(margin.reach(tail, side=side), side=side) == pytest.approx(tail, rel=1e-6)


@given(margins())
def test_at_95_percent_the_degrees_of_the_whole_say_it_all(margin: Margin) -> None:
    even = min(margin.reach(0.025), margin.reach(0.025, side=-1))
    assert even == pytest.approx(t_quantile(0.025, margin.df), rel=1e-6)


@given(margins(), st.floats(1e-9, 0.02))
def test_stricter_levels_reach_farther_than_those_degrees_say(margin: Margin, tail: float) -> None:
    even = min(margin.reach(tail), margin.reach(tail, side=-1))
    assert even >= t_quantile(tail, margin.df) * (1 - 1e-6)


@given(margins(), TAILS, TAILS)
def test_the_rarer_tail_lies_farther_out(margin: Margin, one: float, two: float) -> None:
    assert margin.reach(min(one, two)) >= margin.reach(max(one, two)) - 1e-12


@given(TAILS, st.floats(1, 300))
def test_without_seeds_and_skewness_it_is_students(tail: float, df: float) -> None:
    assert Margin(df=df).reach(tail) == pytest.approx(stats.t.isf(tail, df))
    assert Margin.of(1.0, df, seeds=(0.0, math.inf)) == Margin(df=df)


@pytest.mark.slow
def test_two_seeds_err_no_more_often_than_a_strict_level_says() -> None:
    rng = np.random.default_rng(2)
    times, k, found = 4000, 2, 0
    for _ in range(times):
        noise = rng.normal(size=(40, 1)) + 0.27 * rng.normal(size=(1, k)) + rng.normal(size=(40, k))
        found += over_seeds(noise, np.ones(noise.shape)).p_at_least(0.0) <= 0.0025
    # 0.25 % of 4,000 are ten; with degrees that fit at 95 % it is about 28.
    assert found <= 20
