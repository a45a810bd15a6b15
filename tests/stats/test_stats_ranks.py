"""Rank bands: what they are worth by hand, by simulation, and for a thousand systems."""

from __future__ import annotations

import time
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import DataError
from assay.estimates import rank_bands as public
from assay.stats.multiple import holm
from assay.stats.ranks import rank_bands, ranks
from assay.stats.tails import t_tail

VALUES = st.lists(st.integers(0, 12), min_size=2, max_size=7)


@given(VALUES, st.integers(0, 2**31), st.sampled_from([4.0, 30.0, np.inf]))
@settings(max_examples=60)
def test_bands_are_those_of_holm_over_every_ordered_pair(values, seed, df):
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(len(values), 3))
    spread = parts @ parts.T
    pvalues = {}
    for one, other in permutations(range(len(values)), 2):
        variance = spread[one, one] + spread[other, other] - 2 * spread[one, other]
        pvalues[f"{one} {other}"] = t_tail((values[one] - values[other]) / np.sqrt(variance), df)
    tested = holm(pvalues, alpha=0.05)
    found = rank_bands(values, spread, df=df)
    for system in range(len(values)):
        others = [k for k in range(len(values)) if k != system]
        assert found.best[system] == 1 + sum(tested[f"{k} {system}"].rejected for k in others)
        worse = sum(tested[f"{system} {k}"].rejected for k in others)
        assert found.worst[system] == len(values) - worse


@given(VALUES, st.randoms())
@settings(max_examples=30)
def test_the_order_of_systems_and_the_scale_of_values_change_nothing(values, random):
    errors = np.linspace(0.3, 2.0, len(values))
    order = list(range(len(values)))
    random.shuffle(order)
    first = rank_bands(values, errors**2)
    again = rank_bands(100 * np.array(values)[order], (100 * errors[order]) ** 2)
    assert again.best.tolist() == first.best[order].tolist()
    assert again.worst.tolist() == first.worst[order].tolist()
    assert (first.best <= ranks(values)).all()
    assert (ranks(values) <= first.worst).all()


def test_two_systems_are_told_apart_at_two_and_a_half_percent_a_side():
    for apart, worst in ((1.95, 2), (1.97, 1)):
        assert rank_bands([apart, 0.0], [0.5, 0.5]).worst[0] == worst


def test_what_is_shared_cancels_and_what_does_not_vary_shows_nothing():
    shared = np.full((2, 2), 1.0) + np.diag([0.001, 0.001])
    assert rank_bands([1.0, 0.0], shared).worst.tolist() == [1, 2]
    assert rank_bands([1.0, 0.0], [1.0, 1.0]).worst.tolist() == [2, 2]
    assert rank_bands([1.0, 0.0], np.zeros((2, 2))).worst.tolist() == [2, 2]
    assert rank_bands([0.5], [0.1]).best.tolist() == [1]


def test_few_degrees_of_freedom_of_either_system_widen_a_band():
    assert rank_bands([3.0, 0.0], [0.5, 0.5]).worst[0] == 1
    assert rank_bands([3.0, 0.0], [0.5, 0.5], df=[np.inf, 2.0]).worst[0] == 2


@pytest.mark.parametrize("truth", [np.zeros(8), np.array([0, 0, 0, 1, 1, 2, 2, 9.0])])
@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_all_bands_hold_the_true_ranks_in_95_of_100_simulations(truth, shared):
    """Equal systems share their ranks: the band of each has to hold all of them."""
    rng = np.random.default_rng(7)
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = truth.size - (truth[None, :] < truth[:, None]).sum(axis=1)
    runs, missed = 500, 0
    for _ in range(runs):
        noise = np.sqrt(shared) * rng.normal(size=(60, 1))
        seen = truth / 3 + noise + np.sqrt(1 - shared) * rng.normal(size=(60, truth.size))
        found = rank_bands(seen.mean(axis=0), np.cov(seen, rowvar=False) / 60, df=59)
        missed += bool((found.best > best).any() or (found.worst < worst).any())
    assert missed <= 36  # at 5 % there are more than this in one of a hundred


def test_a_band_of_draws_is_that_of_their_covariance():
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(400, 4)) * 0.1 + rng.normal(size=(400, 1))
    values = [0.0, 0.3, 0.7, 0.75]
    found = public(values, draws=draws)
    same = rank_bands(values, np.cov(draws, rowvar=False))
    assert (found.best.tolist(), found.worst.tolist()) == (same.best.tolist(), same.worst.tolist())
    draws[:150, 2] = np.nan
    assert public(values, draws=draws).best.tolist() == found.best.tolist()
    draws[:201, 2] = np.nan
    with pytest.raises(DataError, match="half of the resamples"):
        public(values, draws=draws)


def test_a_thousand_systems_take_a_second():
    rng = np.random.default_rng(3)
    values = rng.normal(size=1000)
    began = time.process_time()
    found = public(values, errors=np.full(1000, 0.05))
    assert time.process_time() - began < 5  # 0.2 s where nothing else runs
    assert found.best.min() == 1
    assert found.worst.max() == 1000
    assert 50 < (found.worst - found.best).mean() < 250  # 0.4 apart is told apart; so near are 200


def test_ranks_are_of_one_ranking_or_of_many():
    assert ranks([3, 1, 2, 3]).tolist() == [1, 4, 3, 1]
    assert ranks([[1, 2], [5, 5]]).tolist() == [[2, 1], [1, 1]]


@pytest.mark.parametrize(
    ("values", "errors", "more"),
    [
        ([1.0, np.nan], [1.0, 1.0], {}),
        ([1.0, 2.0], [1.0], {}),
        ([1.0, 2.0], [-1.0, 1.0], {}),
        ([1.0, 2.0], [1.0, 1.0], {"df": 0}),
        ([1.0, 2.0], [1.0, 1.0], {"confidence": 1.0}),
    ],
)
def test_what_has_no_ranks_is_refused(values, errors, more):
    with pytest.raises(DataError) as caught:
        rank_bands(values, errors, **more)
    assert caught.value.code == "A202"


def test_ranks_need_draws_or_errors():
    for more in ({}, {"draws": np.ones((9, 2)), "errors": [1.0, 1.0]}, {"draws": np.ones(9)}):
        with pytest.raises(DataError):
            public([1.0, 2.0], **more)
