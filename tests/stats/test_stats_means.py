"""Two systems by real-valued outcomes: t, Welch, sign flips, effect sizes, equivalence."""

from __future__ import annotations

import itertools
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import meta_analysis, weightstats

from assay.core.errors import DataError
from assay.stats.effect import EffectSize, cohens_d, cohens_dz, correction, hedges_g
from assay.stats.equivalence import equivalence
from assay.stats.inference import Inference, Undefined
from assay.stats.means import SignFlip, paired_t, sign_flip, welch

VALUES = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


def two(least: int = 3, most: int = 30) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Two samples of one size, neither of them constant, nor their difference."""
    pairs = st.lists(st.tuples(VALUES, VALUES), min_size=least, max_size=most)
    arrays = pairs.map(lambda rows: (np.array(rows)[:, 0], np.array(rows)[:, 1]))
    return arrays.filter(lambda ab: min(np.ptp(ab[0]), np.ptp(ab[1]), np.ptp(ab[0] - ab[1])) > 0.01)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def two_sided(found: Inference) -> float:
    return 2 * min(found.p_at_least(0.0), found.p_at_most(0.0))


def flip(a: np.ndarray, b: np.ndarray) -> Inference:
    return sign_flip(a, b, rng=rng(), flips=499)


PAIRED = {"t": paired_t, "flip": flip, "d_z": cohens_dz}
EITHER = {**PAIRED, "welch": welch, "d": cohens_d, "g": hedges_g}


@given(two())
def test_the_paired_t_is_that_of_scipy(ab: tuple[np.ndarray, np.ndarray]) -> None:
    theirs, ours = stats.ttest_rel(*ab), paired_t(*ab)
    assert two_sided(ours) == pytest.approx(theirs.pvalue, rel=1e-6)
    assert ours.interval() == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-6)


@given(two(), st.integers(2, 20))
def test_welch_is_that_of_scipy(ab: tuple[np.ndarray, np.ndarray], more: int) -> None:
    a, b = ab[0], np.r_[ab[1], np.arange(float(more))]
    theirs, ours = stats.ttest_ind(a, b, equal_var=False), welch(a, b)
    assert two_sided(ours) == pytest.approx(theirs.pvalue, rel=1e-6)
    assert ours.interval() == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-6, abs=1e-9)


@settings(max_examples=30)
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=10))
def test_exact_sign_flips_are_those_of_scipy(gaps: list[int]) -> None:
    assume(len(set(gaps)) > 1)
    a = np.array(gaps, dtype=float)
    ours = sign_flip(a, np.zeros(a.size), rng=rng())

    def mean(x: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.sum(x, axis=axis)

    for side, p in (("greater", ours.p_at_least(0.0)), ("less", ours.p_at_most(0.0))):
        theirs = stats.permutation_test(
            (a,), mean, permutation_type="samples", alternative=side, n_resamples=np.inf
        )
        assert p == pytest.approx(theirs.pvalue)


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=7), st.integers(-6, 6))
def test_sign_flips_of_any_centre_are_an_enumeration(gaps: list[int], bound: int) -> None:
    assume(len(set(gaps)) > 1)
    away = np.array(gaps) - bound
    turned = [np.dot(s, away) for s in itertools.product((1, -1), repeat=away.size)]
    found = sign_flip(np.array(gaps, float), np.zeros(away.size), rng=rng())
    assert found.p_at_least(bound) == pytest.approx(np.mean(np.array(turned) >= away.sum()))
    assert found.p_at_most(bound) == pytest.approx(np.mean(np.array(turned) <= away.sum()))


@given(two(5, 12), st.sampled_from([0.005, 0.025, 0.1]), st.data())
def test_sign_flips_agree_with_their_interval(
    ab: tuple[np.ndarray, np.ndarray], level: float, data: st.DataObject
) -> None:
    found = sign_flip(*ab, rng=rng())
    assert isinstance(found, SignFlip)
    level = (np.floor(level * (found.means.size + 1)) + 0.5) / (found.means.size + 1)
    ends = found.interval(1 - 2 * level)
    near = st.sampled_from([*found.means.tolist(), *(ends or ())])
    bound = data.draw(near | st.floats(-1e4, 1e4))
    if ends is None:
        assert min(found.p_at_least(bound), found.p_at_most(bound)) > level
        return
    assert (found.p_at_least(bound) <= level) == (ends[0] >= bound)
    assert (found.p_at_most(bound) <= level) == (ends[1] <= bound)


def test_random_sign_flips_come_close_to_the_t_and_are_never_zero() -> None:
    a = rng(3).normal(0.3, size=200)
    found = flip(a, np.zeros(200))
    assert found.p_at_least(-50.0) == 1 / 500
    wide = sign_flip(a, np.zeros(200), rng=rng(), flips=9_999)
    theirs = paired_t(a, np.zeros(200)).interval()
    assert wide.interval() == pytest.approx(theirs, abs=0.02)


@given(two())
def test_effect_sizes_are_noncentral_t(ab: tuple[np.ndarray, np.ndarray]) -> None:
    for found, t in (
        (cohens_d(*ab), stats.ttest_ind(*ab).statistic),
        (cohens_dz(*ab), stats.ttest_rel(*ab).statistic),
    ):
        assert isinstance(found, EffectSize)
        assert found.value * found.root_n == pytest.approx(t, rel=1e-6, abs=1e-9)
        assume(abs(t) < 30)  # beyond, scipy's own tail is zero
        low, high = found.interval()
        assert stats.nct.sf(t, found.df, low * found.root_n) == pytest.approx(0.025, rel=1e-4)
        assert stats.nct.cdf(t, found.df, high * found.root_n) == pytest.approx(0.025, rel=1e-4)
        assert two_sided(found) == pytest.approx(
            2 * stats.t.sf(abs(t), found.df), rel=1e-6, abs=1e-12
        )


@given(two(5))
def test_hedges_g_is_that_of_statsmodels_but_for_its_approximate_factor(
    ab: tuple[np.ndarray, np.ndarray],
) -> None:
    a, b = ab
    theirs, _ = meta_analysis.effectsize_smd(
        a.mean(), a.std(ddof=1), a.size, b.mean(), b.std(ddof=1), b.size
    )
    ours = hedges_g(a, b)
    assert ours.value == pytest.approx(float(theirs), rel=2e-3, abs=1e-9)
    assert ours.interval() == cohens_d(a, b).interval()


def test_the_correction_takes_the_bias_away() -> None:
    draws = rng(1).normal(size=(20_000, 2, 5)) + np.array([1.0, 0.0])[:, None]
    gap = draws[:, 0].mean(axis=1) - draws[:, 1].mean(axis=1)
    d = gap / np.sqrt((draws[:, 0].var(axis=1, ddof=1) + draws[:, 1].var(axis=1, ddof=1)) / 2)
    assert d.mean() > 1.05
    assert correction(8) * d.mean() == pytest.approx(1.0, abs=0.02)


@given(two(), st.floats(1, 500))
def test_equivalence_is_the_tost_of_statsmodels(
    ab: tuple[np.ndarray, np.ndarray], margin: float
) -> None:
    a, b = ab
    p, low, high = weightstats.ttost_paired(a, b, -margin, margin)
    found = equivalence(paired_t(a, b), low=-margin, high=margin)
    assert found.p == pytest.approx(p, rel=1e-6, abs=1e-12)
    assert found.above_low == pytest.approx(low[1], rel=1e-6, abs=1e-12)
    assert found.below_high == pytest.approx(high[1], rel=1e-6, abs=1e-12)
    p, _, _ = weightstats.ttost_ind(a, b, -margin, margin, usevar="unequal")
    assert equivalence(welch(a, b), low=-margin, high=margin).p == pytest.approx(
        p, rel=1e-6, abs=1e-12
    )


@given(two(), st.floats(0.5, 400))
def test_equivalence_is_shown_exactly_when_the_interval_lies_within(
    ab: tuple[np.ndarray, np.ndarray], margin: float
) -> None:
    found = paired_t(*ab)
    low, high = found.interval(0.95)
    assume(min(abs(low + margin), abs(high - margin)) > 1e-6)
    inside = -margin <= low and high <= margin
    assert equivalence(found, low=-margin, high=margin).is_shown(0.025) == inside


@pytest.mark.parametrize("name", EITHER)
@given(ab=two())
def test_swapping_systems_negates(name: str, ab: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = EITHER[name](*ab), EITHER[name](*ab[::-1])
    assert other.value == pytest.approx(-one.value, rel=1e-9, abs=1e-9)
    assert one.p_at_least(0.5) == pytest.approx(other.p_at_most(-0.5), rel=1e-6, abs=1e-12)
    ends, turned = one.interval(), other.interval()
    assert (ends is None) == (turned is None)
    if ends is not None:
        assert turned == pytest.approx((-ends[1], -ends[0]), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", EITHER)
@given(ab=two(), seed=st.integers(0, 99))
def test_permuting_records_changes_nothing(
    name: str, ab: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    order = rng(seed).permutation(ab[0].size)
    one, other = EITHER[name](*ab), EITHER[name](ab[0][order], ab[1][order])
    assert other.value == pytest.approx(one.value, rel=1e-9, abs=1e-9)
    ends, moved = one.interval(), other.interval()
    assert (ends is None) == (moved is None)
    assert ends is None or moved == pytest.approx(ends, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", EITHER)
@pytest.mark.parametrize(
    ("a", "b"),
    [([], []), ([1.0], [2.0]), ([1.0] * 5, [1.0] * 5), ([0.1 + 0.2] * 9, [0.3] * 9)],
    ids=["none", "one", "equal", "equal but for rounding"],
)
def test_degenerate_samples_are_undefined(name: str, a: list[float], b: list[float]) -> None:
    found = EITHER[name](np.array(a), np.array(b))
    assert isinstance(found, Undefined)
    assert isinstance(equivalence(found, low=-1, high=1), Undefined)


@pytest.mark.parametrize("name", PAIRED)
def test_a_constant_gap_is_no_certainty(name: str) -> None:
    a = np.arange(20) / 10
    assert isinstance(PAIRED[name](a + 0.1, a), Undefined)
    assert isinstance(PAIRED[name](np.arange(20.0) + 1, np.arange(20.0)), Undefined)


@pytest.mark.parametrize("name", EITHER)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_a_data_error(name: str, bad: float) -> None:
    with pytest.raises(DataError, match="A202"):
        EITHER[name](np.array([1.0, bad, 2.0]), np.array([1.0, 2.0, 3.0]))


def test_misuse_is_a_data_error() -> None:
    for call in (
        lambda: paired_t([1.0, 2.0], [1.0]),
        lambda: sign_flip([1.0, 2.0, 4.0], [0.0] * 3, rng=rng(), flips=0),
        lambda: EffectSize(value=1.0, d=1.0, root_n=0.0, df=3, method=""),
        lambda: correction(1),
        lambda: equivalence(Undefined("x"), low=1, high=1),
    ):
        with pytest.raises(DataError, match="A202"):
            call()


def test_pairing_is_worth_what_the_samples_share() -> None:
    hard = rng(5).normal(size=100)
    a, b = hard + 0.1 * rng(6).normal(size=100), hard + 0.1 * rng(7).normal(size=100)
    assert paired_t(a, b).se < 0.2 * welch(a, b).se
    assert cohens_dz(a, b).root_n == sqrt(100)
