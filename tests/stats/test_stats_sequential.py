"""Looking after every group: the error rate stays, and true effects are found early."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats.inference import Inference, Undefined
from assay.stats.sequential import Betting, Tally, _p_now, difference, share

ALPHA = 0.025
Draw = Callable[[np.random.Generator, int], Inference]


def singles(truth: float) -> Draw:
    """Return runs over independent samples."""
    return lambda rng, n: share((rng.random(n) < truth).astype(float), np.ones(n), most=1)


def alike(truth: float, icc: float = 0.5, largest: int = 5) -> Draw:
    """Return runs over groups of 1 to ``largest`` samples that are alike."""
    mix = (1 - icc) / icc

    def draw(rng: np.random.Generator, n: int) -> Inference:
        size = rng.integers(1, largest + 1, n)
        inner = rng.beta(truth * mix, (1 - truth) * mix, n)
        return share(rng.binomial(size, inner), size, most=largest)

    return draw


def pairs(gained: float, lost: float) -> Draw:
    """Return paired runs over independent samples."""

    def draw(rng: np.random.Generator, n: int) -> Inference:
        u = rng.random(n)
        return difference(u < gained, (u >= gained) & (u < gained + lost), np.ones(n), most=1)

    return draw


NULLS = {
    "share": (singles(0.8), 0.8),
    "rare": (singles(0.02), 0.02),
    "groups": (alike(0.7), 0.7),
    "equal": (pairs(0.1, 0.1), 0.0),
    "margin": (pairs(0.05, 0.10), -0.05),
}


def wrong(draw: Draw, bound: float, n: int, runs: int) -> tuple[float, float]:
    """Return how often the truth is rejected at any look, from either side.

    The p-value is that of the largest fortune so far: at the end it is the smallest of all looks.
    """
    rng = np.random.default_rng(3)
    found = [draw(rng, n) for _ in range(runs)]
    return (
        float(np.mean([one.p_at_least(bound) <= ALPHA for one in found])),
        float(np.mean([one.p_at_most(bound) <= ALPHA for one in found])),
    )


@pytest.mark.parametrize("name", NULLS)
def test_whoever_looks_after_every_group_is_wrong_no_more_often_than_the_level(name: str) -> None:
    runs = 400
    for share_wrong in wrong(*NULLS[name], 300, runs):
        assert share_wrong <= ALPHA + 3 * np.sqrt(ALPHA / runs)


@pytest.mark.heavy
@pytest.mark.parametrize("name", NULLS)
def test_the_error_rate_stays_in_long_runs(name: str) -> None:
    runs = 5000
    for share_wrong in wrong(*NULLS[name], 2000, runs):
        assert share_wrong <= ALPHA + 3 * np.sqrt(ALPHA / runs)


def stops(draw: Draw, bound: float, n: int, rng: np.random.Generator) -> int:
    """Return after how many groups a claim of at least ``bound`` is shown; n where it is not."""
    whole = draw(rng, n)
    low, high = 1, n
    while low < high:
        middle = (low + high) // 2
        part = Betting(
            above=whole.above[:middle],
            below=whole.below[:middle],
            most=whole.most,
            scale=whole.scale,
        )
        low, high = (low, middle) if part.p_at_least(bound) <= ALPHA else (middle + 1, high)
    return low


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "bound", "at_most"),
    [(singles(0.9), 0.8, 200), (pairs(0.15, 0.05), 0.0, 260), (pairs(0.25, 0.05), 0.0, 110)],
)
def test_a_real_effect_is_found_long_before_a_thousand_groups(
    draw: Draw, bound: float, at_most: int
) -> None:
    rng = np.random.default_rng(5)
    assert np.mean([stops(draw, bound, 1000, rng) for _ in range(200)]) < at_most


HITS = st.lists(st.integers(0, 3), min_size=1, max_size=40)


@given(HITS, st.floats(0.01, 0.99), st.floats(0.001, 0.2))
def test_interval_and_p_values_agree(hits: list[int], bound: float, tail: float) -> None:
    seen = share(hits, np.full(len(hits), 3), most=3)
    low, high = seen.interval(1 - 2 * tail)
    assert 0 <= low <= seen.value <= high <= 1
    if abs(bound - low) > 1e-9:
        assert (seen.p_at_least(bound) <= tail) == (low >= bound)
    if abs(bound - high) > 1e-9:
        assert (seen.p_at_most(bound) <= tail) == (high <= bound)


@given(HITS, HITS, st.floats(-0.9, 0.9))
def test_swapping_systems_negates(one: list[int], two: list[int], bound: float) -> None:
    n = min(len(one), len(two))
    asked = np.full(n, 3)
    forth = difference(one[:n], two[:n], asked, most=3)
    back = difference(two[:n], one[:n], asked, most=3)
    assert forth.value == pytest.approx(-back.value)
    assert forth.p_at_least(bound) == pytest.approx(back.p_at_most(-bound))


@given(HITS, HITS, st.floats(0.01, 0.99))
def test_evidence_once_seen_is_kept(first: list[int], then: list[int], bound: float) -> None:
    before = share(first, np.full(len(first), 3), most=3)
    after = share(first + then, np.full(len(first + then), 3), most=3)
    assert isinstance(before, Inference)
    assert after.p_at_least(bound) <= before.p_at_least(bound) + 1e-12
    assert after.p_at_most(bound) <= before.p_at_most(bound) + 1e-12


def test_nothing_asked_is_undefined_and_misuse_an_error() -> None:
    assert isinstance(share([], [], most=1), Undefined)
    assert isinstance(difference([0], [0], [0], most=1), Undefined)
    for hits, asked, most in (([2], [1], 1), ([1], [2], 1), ([-1], [1], 1), ([0], [1], 0)):
        with pytest.raises(DataError, match="A202"):
            share(hits, asked, most=most)
    with pytest.raises(DataError, match="A202"):
        difference([0], [2], [1], most=1)


@pytest.mark.parametrize("truth", [0.02, 0.5, 0.8])
def test_counted_groups_cover_the_truth_at_every_look_together(truth):
    """One run in twenty may miss at some look; 250 runs of 100 looks miss less often than that by far."""
    rng, missed = np.random.default_rng(11), 0
    for _ in range(250):
        seen = Tally(most=1)
        for hit in rng.random(100) < truth:
            seen.add(float(hit), 1)
            now = np.array(list(seen.counts)), np.array(list(seen.counts.values()), dtype=float)
            if _fortune_exceeds(*now, truth):
                missed += 1
                break
    assert missed / 250 <= 0.05


def _fortune_exceeds(pairs, times, truth: float) -> bool:
    """Whether the truth is outside of the interval of this look; one bound each way, without the search."""
    above, below = pairs[:, 0], pairs[:, 1]
    return (
        _p_now(above, below, times, 1.0, truth) <= ALPHA
        or _p_now(below - above, below, times, 1.0, 1 - truth) <= ALPHA
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_counting_is_never_surer_than_remembering(terms):
    """The fortune of a moment is at most its maximum so far, and the order of groups is forgotten."""
    pairs = [(min(a, b), b) for a, b in terms]
    if not sum(b for _, b in pairs):
        return
    seen = Tally(most=3)
    for above, below in pairs:
        seen.add(above, below)
    low, high = seen.interval()
    first, last = share(*zip(*pairs, strict=True), most=3).interval()
    assert low <= first + 1e-6
    assert high >= last - 1e-6
    assert low <= (seen.value or 0.0) <= high
    turned = Tally(most=3)
    for above, below in reversed(pairs):
        turned.add(above, below)
    assert turned.interval() == pytest.approx((low, high))


def test_a_look_at_a_million_groups_costs_what_a_look_at_ten_does():
    seen = Tally(most=1)
    seen.add(1, 1, times=900_000)
    seen.add(0, 1, times=100_000)
    low, high = seen.interval()
    assert 0.897 < low < 0.9 < high < 0.903
    assert seen.groups == 1_000_000


@pytest.mark.parametrize(("above", "below"), [(2, 1), (-1, 1), (1, 4)])
def test_a_group_that_cannot_be_is_refused(above, below):
    with pytest.raises(DataError) as error:
        Tally(most=3).add(above, below)
    assert error.value.code == "A202"
