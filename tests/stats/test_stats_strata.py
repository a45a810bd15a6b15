"""Shares of strata with weights: what is added, and how sure the sum is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats import clusters
from assay.stats.inference import Inference, Undefined
from assay.stats.jackknife import Spread
from assay.stats.strata import NO_STRATUM, NOT_APART, NOT_OBSERVED, Strata, paired, share

LEVELS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0)
SHARES = {
    "rare": np.full(10, 0.02),
    "few": np.full(10, 0.1),
    "half": np.full(10, 0.5),
    "falling": np.array([0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02]),
    "the easy ones": np.r_[np.full(3, 0.9), np.full(7, 0.005)],
    "all but the hardest": np.r_[np.full(9, 0.99), 0.1],
}


def strata_of(each: int, *, seeds: int = 1, weights: tuple[float, ...] = LEVELS) -> Strata:
    k = len(weights)
    return Strata(
        codes=np.tile(np.repeat(np.arange(k), each), seeds),
        groups=np.tile(np.arange(k * each), seeds),
        weights=weights,
        scale=100.0,
    )


def covered(draw, truth: float, *, times: int, seed: int = 1) -> tuple[float, float, float]:
    """Return how often intervals hold the truth, lie above it, lie below it."""
    rng = np.random.default_rng(seed)
    ends = np.array([draw(rng).interval() for _ in range(times)])
    above, below = (ends[:, 0] > truth).mean(), (ends[:, 1] < truth).mean()
    return 1.0 - above - below, above, below


def share_draw(p: np.ndarray, each: int):
    strata = strata_of(each)

    def draw(rng: np.random.Generator) -> Inference:
        hits = rng.random(10 * each) < p[strata.codes]
        return share(hits, np.ones(10 * each), strata=strata)

    return draw, 100.0 * float(np.average(p, weights=LEVELS))


# --- what the number is ----------------------------------------------------------------------


def test_a_score_adds_the_share_of_each_level_with_its_weight():
    strata = strata_of(2, weights=(1.0, 3.0))
    assert share([1, 1, 0, 0], [1] * 4, strata=strata).value == 25.0
    assert share([0, 0, 1, 0], [1] * 4, strata=strata).value == 37.5
    assert share([0, 0, 1, 1], [1] * 4, strata=strata).value == 75.0


def test_a_level_without_samples_is_left_out_with_its_weight():
    strata = Strata(codes=np.zeros(4, int), groups=np.arange(4), weights=(1.0, 20.0), scale=100.0)
    alone = share([1, 1, 1, 0], [1] * 4, strata=strata)
    assert alone.value == 75.0
    low, high = clusters.share([1, 1, 1, 0], [1] * 4, groups=range(4)).interval()
    assert alone.interval() == pytest.approx((100 * low, 100 * high))


def test_records_of_no_level_do_not_count():
    codes = np.array([0, 0, -1, -1])
    strata = Strata(codes=codes, groups=np.arange(4), weights=(1.0,))
    assert share([1, 0, 1, 1], [1] * 4, strata=strata).value == 0.5


def test_what_cannot_be_added_is_undefined_and_says_why():
    none = Strata(codes=np.full(3, -1), groups=np.arange(3), weights=(1.0,))
    assert share([1] * 3, [1] * 3, strata=none) is NO_STRATUM
    assert share([0] * 4, [1, 1, 0, 0], strata=strata_of(2, weights=(1, 1))) is NOT_OBSERVED
    across = Strata(codes=np.array([0, 1]), groups=np.zeros(2, int), weights=(1.0, 1.0))
    assert share([1, 0], [1, 1], strata=across) is NOT_APART


def test_counts_and_weights_that_are_none_are_refused():
    with pytest.raises(DataError):
        share(
            [0.5], [1], strata=Strata(codes=np.zeros(1, int), groups=np.zeros(1, int), weights=(1,))
        )
    with pytest.raises(DataError):
        Strata(codes=np.ones(1, int), groups=np.zeros(1, int), weights=(1.0,))
    with pytest.raises(DataError):
        Strata(codes=np.zeros(1, int), groups=np.zeros(1, int), weights=(-1.0,))


# --- how sure it is --------------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=40, max_size=40), st.floats(0.5, 0.999))
def test_the_interval_holds_the_score_and_stays_within_its_bounds(hits, confidence):
    found = share(hits, [1] * 40, strata=strata_of(4))
    low, high = found.interval(confidence)
    assert 0 <= low <= found.value + 1e-9
    assert found.value - 1e-9 <= high <= 100


@given(st.lists(st.booleans(), min_size=40, max_size=40), st.floats(1, 99))
def test_interval_and_p_values_agree(hits, bound):
    found = share(hits, [1] * 40, strata=strata_of(4))
    low, high = found.interval(0.95)
    assert (found.p_at_least(bound) <= 0.025) == (low >= bound) or abs(low - bound) < 1e-6
    assert (found.p_at_most(bound) <= 0.025) == (high <= bound) or abs(high - bound) < 1e-6


@given(st.lists(st.booleans(), min_size=40, max_size=40))
def test_right_and_wrong_are_mirrored(hits):
    right = share(hits, [1] * 40, strata=strata_of(4)).interval()
    wrong = share([not hit for hit in hits], [1] * 40, strata=strata_of(4)).interval()
    assert right == pytest.approx((100 - wrong[1], 100 - wrong[0]))


def test_nothing_right_in_any_level_bounds_each_of_them():
    """Five failures of the hardest level leave it half of its share: no interval of no width."""
    low, high = share([0] * 50, [1] * 50, strata=strata_of(5)).interval()
    assert low == 0.0
    assert 20 < high < 25


def test_one_level_with_all_weight_is_a_share():
    hits = np.arange(30) < 12
    strata = Strata(codes=np.zeros(30, int), groups=np.arange(30), weights=(2.0,))
    low, high = share(hits, np.ones(30), strata=strata).interval()
    plain = clusters.share(hits, np.ones(30), groups=np.arange(30)).interval()
    assert (low, high) == pytest.approx(plain)


def test_a_level_of_one_group_that_goes_both_ways_may_be_anything():
    """Two seeds, one program, one right: nobody knows how the next program of that level fares."""
    strata = Strata(codes=np.zeros(2, int), groups=np.zeros(2, int), weights=(1.0,))
    found = share([1, 0], [1, 1], strata=strata)
    assert found.value == 0.5
    assert found.interval() == (0.0, 1.0)


def test_the_variance_of_seeds_widens():
    hits = np.arange(50) % 2
    plain = share(hits, np.ones(50), strata=strata_of(5)).interval()
    moved = share(
        hits, np.ones(50), strata=strata_of(5), seeds=Spread(variance=25.0, df=4)
    ).interval()
    assert moved[0] < plain[0]
    assert moved[1] > plain[1]


def test_a_difference_is_that_of_the_scores():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 50)) < np.array([[0.6], [0.4]])
    strata, ones = strata_of(5), np.ones(50)
    found = paired((a, ones), (b, ones), strata=strata)
    both = share(a, ones, strata=strata).value - share(b, ones, strata=strata).value
    assert found.value == pytest.approx(both)
    low, high = found.interval()
    back = paired((b, ones), (a, ones), strata=strata).interval()
    assert back == pytest.approx((-high, -low), abs=1e-6)
    assert isinstance(paired((a, ones), (b, 0 * ones), strata=strata), Undefined)


def test_systems_that_never_differ_are_no_farther_apart_than_so_few_samples_show():
    hits, ones = np.arange(50) % 2, np.ones(50)
    low, high = paired((hits, ones), (hits, ones), strata=strata_of(5)).interval()
    assert low == -high
    assert 15 < high < 30


# --- coverage, by simulation -----------------------------------------------------------------


@pytest.mark.parametrize("named", ["rare", "falling"])
def test_a_score_of_few_samples_covers(named: str) -> None:
    draw, truth = share_draw(SHARES[named], 5)
    held, above, below = covered(draw, truth, times=120)
    assert held >= 0.93
    assert max(above, below) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("each", [2, 5, 20])
@pytest.mark.parametrize("named", SHARES)
def test_a_score_covers_over_the_whole_table(named: str, each: int) -> None:
    draw, truth = share_draw(SHARES[named], each)
    held, above, below = covered(draw, truth, times=600)
    assert held >= 0.94
    assert max(above, below) <= 0.037


@pytest.mark.slow
def test_squares_alone_do_not_cover() -> None:
    """What Clopper-Pearson at the effective size is for: events that are rare in every level."""
    strata, p = strata_of(20, weights=(1.0,) * 10), 0.02

    def alone(rng: np.random.Generator) -> Inference:
        found = share(rng.random(200) < p, np.ones(200), strata=strata)
        return replace(found, whole=None)

    def chosen(rng: np.random.Generator) -> Inference:
        return share(rng.random(200) < p, np.ones(200), strata=strata)

    assert covered(alone, 2.0, times=600)[0] < 0.93
    assert covered(chosen, 2.0, times=600)[0] >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("each", [5, 20])
@pytest.mark.parametrize(("gained", "lost"), [(0.01, 0.01), (0.1, 0.05), (0.2, 0.2), (0.5, 0.0)])
def test_a_difference_of_scores_covers(gained: float, lost: float, each: int) -> None:
    strata, n = strata_of(each), 10 * each

    def draw(rng: np.random.Generator) -> Inference:
        u, both = rng.random(n), rng.random(n) < 0.3
        one, two = u < gained, (u >= gained) & (u < gained + lost)
        both &= u >= gained + lost
        return paired((one | both, np.ones(n)), (two | both, np.ones(n)), strata=strata)

    held, above, below = covered(draw, 100 * (gained - lost), times=400)
    assert held >= 0.92
    assert max(above, below) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.3, 0.9])
@pytest.mark.parametrize("named", ["few", "half", "falling"])
def test_programs_that_are_asked_five_times_are_covered(named: str, alike: float) -> None:
    p, strata = SHARES[named], strata_of(5, seeds=5)
    a, b = ((x * (1 - alike) / alike)[strata.codes[:50]] for x in (p, 1 - p))

    def draw(rng: np.random.Generator) -> Inference:
        hits = rng.random((5, 50)) < rng.beta(a, b)
        return share(hits.ravel(), np.ones(250), strata=strata)

    held, above, below = covered(draw, 100 * float(np.average(p, weights=LEVELS)), times=400)
    assert held >= 0.94
    assert max(above, below) <= 0.05
