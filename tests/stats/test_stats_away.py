"""How far a share is from the value that is best: known answers, and how often intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.away import Away, away, gap
from assay.stats.clusters import paired, share
from assay.stats.inference import Census, Inference, StudentT, Undefined

TIMES, N = 400, 200
TOLERANCE = 3 * (0.05 * 0.95 / TIMES) ** 0.5


def of(hits: int, n: int = N) -> Inference:
    return share(np.arange(n) < hits, np.ones(n), groups=np.arange(n))


shares = st.integers(0, N).map(of)


@given(shares, st.floats(0.01, 0.99), st.floats(0.6, 0.99))
def test_an_interval_holds_the_value_and_its_lower_end_is_zero_where_the_centre_is_possible(
    found: Inference, centre: float, confidence: float
) -> None:
    far = Away(of=found, centre=centre)
    ends, inner = far.interval(confidence), found.interval(confidence)
    assert ends is not None
    assert inner is not None
    assert far.value is not None
    assert 0 <= ends[0] <= far.value + 1e-9 <= ends[1] + 2e-9
    if inner[0] <= centre <= inner[1]:
        assert ends[0] == 0.0


@given(shares, st.floats(0.01, 0.99), st.floats(0.001, 0.6), st.floats(0.002, 0.45))
def test_within_a_margin_is_what_two_one_sided_tests_show(
    found: Inference, centre: float, margin: float, level: float
) -> None:
    both = max(found.p_at_least(centre - margin) or 0.0, found.p_at_most(centre + margin) or 0.0)
    p = away(found, centre).p_at_most(margin)
    assert p is not None
    assert p == pytest.approx(both, abs=1e-6) or min(p, both) > 0.49


@given(shares, st.floats(0.02, 0.6), st.floats(0.002, 0.45))
def test_word_and_interval_agree(found: Inference, bound: float, level: float) -> None:
    apart = StudentT(value=(found.value or 0.0) - 0.65, se=0.04, df=N)
    for one in (away(found, 0.5), gap(away(found, 0.5), away(of(130), 0.5), apart)):
        ends = one.interval(1 - 2 * level)
        p, q = one.p_at_least(bound), one.p_at_most(bound)
        assert ends is not None
        assert p is not None
        assert q is not None
        if abs(ends[0] - bound) > 1e-6:
            assert (p <= level) == (ends[0] >= bound)
        if abs(ends[1] - bound) > 1e-6:
            assert (q <= level) == (ends[1] <= bound)


@pytest.mark.parametrize("p", [0.5, 0.52, 0.55, 0.65, 0.9])
def test_intervals_hold_the_truth_near_the_centre_too(p: float) -> None:
    """Percentiles of resampled distances never hold 0: at p = 0.5 they are always wrong."""
    rng = np.random.default_rng(7)
    truth = abs(p - 0.5)
    ends = np.array([away(of(k), 0.5).interval() for k in rng.binomial(N, p, TIMES)])
    assert (ends[:, 0] > truth).mean() <= 0.025 + TOLERANCE
    assert (ends[:, 1] < truth).mean() <= 0.025 + TOLERANCE
    assert ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean() >= 0.95 - TOLERANCE


def two(p: float, q: float, rng: np.random.Generator) -> Inference:
    """What one likes the other likes, mostly."""
    luck, every, groups = rng.random(N), np.ones(N), np.arange(N)
    hits = luck < p, luck < q
    one, other = (away(share(each, every, groups=groups), 0.5) for each in hits)
    apart = paired((hits[0], every), (hits[1], every), groups=groups, bounds=(0.0, 1.0))
    return gap(one, other, apart)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.5, 0.6), (0.47, 0.53), (0.4, 0.7), (0.8, 0.7)])
def test_a_difference_holds_the_truth_on_the_same_samples_too(p: float, q: float) -> None:
    rng = np.random.default_rng(8)
    truth, times = abs(p - 0.5) - abs(q - 0.5), TIMES // 2
    ends = np.array([two(p, q, rng).interval() for _ in range(times)])
    held = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()
    assert held >= 0.95 - 3 * (0.05 * 0.95 / times) ** 0.5
    assert (ends[:, 1] - ends[:, 0]).max() < 0.4


def test_on_one_side_a_difference_of_distances_is_as_sharp_as_one_of_shares() -> None:
    found = two(0.8, 0.7, np.random.default_rng(9))
    ends = found.interval()
    assert ends is not None
    assert 0 < ends[0] < 0.1 < ends[1] < 0.25
    there = gap(away(of(160), 0.5), away(of(140), 0.5), StudentT(value=0.1, se=0.03, df=N))
    back = gap(away(of(40), 0.5), away(of(60), 0.5), StudentT(value=-0.1, se=0.03, df=N))
    assert there.interval() == pytest.approx(back.interval())


def test_where_nothing_is_inferred_the_number_is_there_and_where_there_is_none_it_says_why() -> (
    None
):
    assert away(Census(0.25), 0.5) == Census(0.25)
    assert gap(Census(0.25), Census(0.5), Census(0.0)) == Census(-0.25)
    assert away(Undefined("nothing"), 0.5).method == "undefined: nothing"
    assert gap(Census(0.25), away(of(3), 0.5), of(3)).value is None
    assert (
        gap(away(of(9), 0.5), away(of(3), 0.5), Undefined("no pairs")).method
        == "undefined: no pairs"
    )
