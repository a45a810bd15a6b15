"""Draws by counts: the same law, the same draws, and ends that are looked for and not sorted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from assay.core.errors import DataError
from assay.stats.bca import BiasCorrected, acceleration_of_mean, corrected
from assay.stats.counted import corrected_tallies, resample_tallies
from assay.stats.inference import Undefined

TALLIES = st.lists(st.integers(0, 300), min_size=1, max_size=4)


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@given(TALLIES.filter(any), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_bca_by_counts_is_bca_of_the_same_draws(tallies: list[int], seed: int, random) -> None:
    values = [random.uniform(-3, 3) for _ in tallies]
    quick = corrected_tallies(values, tallies, rng=rng(seed), resamples=199)
    plain = corrected(
        resample_tallies(values, tallies, rng=rng(seed), resamples=199),
        acceleration=acceleration_of_mean(values, tallies),
    )
    assert quick.value == plain.value
    assert quick.method == plain.method
    if isinstance(plain, Undefined):
        return
    assert (np.sort(quick.draws) == np.sort(plain.draws)).all()
    for confidence in (0.5, 0.9, 0.95):
        assert quick.interval(confidence) == plain.interval(confidence)
    assert quick.p_at_least(0.1) == plain.p_at_least(0.1)
    assert quick.p_at_most(0.1) == plain.p_at_most(0.1)


@given(st.integers(1, 10**6), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_a_share_is_drawn_from_the_binomial_and_nothing_else(
    n: int, share: float, seed: int
) -> None:
    k = round(share * n)
    found = resample_tallies([1.0, 0.0], [k, n - k], rng=rng(seed), resamples=50)
    if not isinstance(found, Undefined):
        assert (found.draws == rng(seed).binomial(n, k / n, 50) / n).all()


DRAWS = npst.arrays(
    np.float64,
    st.integers(1, 300),
    elements=st.integers(0, 20).map(float) | st.just(float("nan")),
)


@given(DRAWS, st.floats(-2, 2), st.floats(-0.3, 0.3), st.sampled_from([0.5, 0.9, 0.99]))
def test_the_ends_of_an_interval_are_those_of_sorted_draws(
    draws: np.ndarray, bias: float, acceleration: float, confidence: float
) -> None:
    kind = {"value": 1.0, "bias": bias, "acceleration": acceleration}
    found = BiasCorrected(draws=draws, **kind)
    in_order = np.r_[np.sort(draws[~np.isnan(draws)]), draws[np.isnan(draws)]]
    assert found.interval(confidence) == BiasCorrected(draws=in_order, **kind).interval(confidence)
    assert found.draws is draws
    ends = found.interval(confidence)
    if ends is not None:
        assert all(not np.isfinite(end) or end in draws for end in ends)


def test_no_records_are_no_number_and_no_resamples_an_error() -> None:
    for values, tallies in (([], []), ([1.0], [0]), ([0, 1], [0, 0])):
        assert isinstance(corrected_tallies(values, tallies, rng=rng(0)), Undefined)
        with pytest.raises(DataError, match="A202"):
            corrected_tallies(values, tallies, rng=rng(0), resamples=0)
