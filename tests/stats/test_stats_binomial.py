"""Intervals for one share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from assay.core.errors import DataError
from assay.stats.binomial import clopper_pearson, jeffreys, lower_bound, upper_bound, wilson
from assay.stats.inference import Undefined


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 2000))
    return draw(st.integers(0, n)), n


def test_wilson_of_seven_of_ten_is_as_published() -> None:
    assert wilson(7, 10) == pytest.approx((0.3968, 0.8922), abs=5e-5)


def test_clopper_pearson_of_none_of_ten_is_as_published() -> None:
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.3085), abs=5e-5)


def test_no_invention_in_three_prompts_still_allows_sixty_three_percent() -> None:
    assert upper_bound(0, 3) == pytest.approx(0.6316, abs=5e-5)


def test_fifty_nine_without_an_error_bound_the_risk_at_five_percent() -> None:
    assert upper_bound(0, 58) > 0.05 > upper_bound(0, 59)


@given(counts(), st.floats(0.5, 0.999))
def test_each_interval_is_that_of_statsmodels(kn: tuple[int, int], confidence: float) -> None:
    k, n = kn
    ours = {"wilson": wilson, "beta": clopper_pearson}
    for name, interval in ours.items():
        theirs = proportion_confint(k, n, alpha=1 - confidence, method=name)
        assert interval(k, n, confidence=confidence) == pytest.approx(theirs, abs=1e-8)


@given(counts(), st.floats(0.5, 0.999))
def test_jeffreys_is_that_of_statsmodels_but_closed_at_the_ends(
    kn: tuple[int, int], confidence: float
) -> None:
    k, n = kn
    low, high = proportion_confint(k, n, alpha=1 - confidence, method="jeffreys")
    expected = (0.0 if k == 0 else low, 1.0 if k == n else high)
    assert jeffreys(k, n, confidence=confidence) == pytest.approx(expected, abs=1e-8)


@given(counts())
def test_a_one_sided_bound_is_the_end_of_a_two_sided_interval_of_twice_the_tail(
    kn: tuple[int, int],
) -> None:
    low, high = clopper_pearson(*kn, confidence=0.9)
    assert upper_bound(*kn) == pytest.approx(high)
    assert lower_bound(*kn) == pytest.approx(low)


@given(counts())
def test_the_bound_for_no_event_has_its_closed_form(kn: tuple[int, int]) -> None:
    _, n = kn
    assert upper_bound(0, n) == pytest.approx(1 - 0.05 ** (1 / n))
    assert lower_bound(n, n) == pytest.approx(0.05 ** (1 / n))


@pytest.mark.parametrize("function", [wilson, clopper_pearson, jeffreys, upper_bound, lower_bound])
def test_nothing_asked_is_undefined_and_nonsense_is_an_error(
    function: Callable[[int, int], object],
) -> None:
    assert isinstance(function(0, 0), Undefined)
    with pytest.raises(DataError, match="A202"):
        function(3, 2)


@pytest.mark.parametrize("n", [10, 30, 100, 1000])
def test_intervals_cover_on_average_over_true_shares_as_they_promise(n: int) -> None:
    shares = np.linspace(0.005, 0.995, 199)
    ends = {f: np.array([f(k, n) for k in range(n + 1)]) for f in (wilson, clopper_pearson)}
    weights = stats.binom.pmf(np.arange(n + 1)[:, None], n, shares)
    covers = {
        f: (((low_high[:, :1] <= shares) & (shares <= low_high[:, 1:])) * weights).sum(axis=0)
        for f, low_high in ends.items()
    }
    assert 0.945 <= covers[wilson].mean() <= 0.965
    assert covers[clopper_pearson].min() >= 0.95
