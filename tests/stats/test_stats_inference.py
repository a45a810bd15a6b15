"""Intervals and p-values are one thing seen twice, whatever the inference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.core.errors import DataError
from assay.stats.bca import BiasCorrected
from assay.stats.blocks import BlockQuantile
from assay.stats.effect import EffectSize
from assay.stats.few import FewGroups
from assay.stats.inference import (
    Census,
    Exact,
    Inference,
    LogT,
    PairedScore,
    Resampled,
    Score,
    StudentT,
    Undefined,
    ZeroDiscordance,
)
from assay.stats.luck import Doubted
from assay.stats.order import OrderStatistic, QuantileRatio
from assay.stats.skewed import farther, nearer

LEVELS = st.floats(0.0005, 0.45)
SHARES = st.integers(0, 10_000).map(lambda k: k / 10_000)
DF = st.one_of(st.just(math.inf), st.floats(1, 300))


@st.composite
def student(draw: st.DrawFn) -> StudentT:
    low, high = draw(st.sampled_from([(-math.inf, math.inf), (0.0, 1.0), (-1.0, 1.0)]))
    value, se = draw(st.floats(max(low, -3), min(high, 3))), draw(st.floats(1e-3, 2))
    seed_se, seed_df = draw(st.just(0.0) | st.floats(0.1, 1)) * se, draw(st.floats(1, 9))
    return StudentT(
        value=value,
        se=se,
        df=draw(DF),
        low=low,
        high=high,
        seed_se=seed_se,
        seed_df=seed_df,
        skew=draw(st.just(0.0) | st.floats(-1, 1)),
    )


@st.composite
def seeded_score(draw: st.DrawFn) -> Score:
    score = draw(SCORES)
    part = draw(st.floats(0.1, 1)) * (score.se or 0.0)
    return replace(score, seed_se=part, seed_df=draw(st.floats(1, 9)))


@st.composite
def doubted(draw: st.DrawFn) -> Doubted:
    doubts = draw(st.lists(student(), min_size=1, max_size=2))
    return Doubted(found=draw(st.one_of(student(), resampled())), doubts=tuple(doubts))


@st.composite
def paired_score(draw: st.DrawFn) -> PairedScore:
    gained = draw(SHARES)
    lost = draw(SHARES) * (1 - gained)
    return PairedScore(
        gained=gained,
        lost=lost,
        n_eff=draw(st.floats(2, 2000)),
        df=draw(DF),
        skew=draw(st.floats(-1, 1)),
    )


@st.composite
def exact(draw: st.DrawFn) -> Exact:
    n = draw(st.integers(1, 400))
    return Exact(draw(st.integers(0, n)), n)


@st.composite
def resampled(draw: st.DrawFn) -> Resampled:
    draws = draw(st.lists(st.floats(-2, 2) | st.just(math.nan), min_size=1, max_size=60))
    return Resampled(value=0.0, draws=np.array(draws), df=draw(st.just(math.inf) | DF))


@st.composite
def few_groups(draw: st.DrawFn) -> FewGroups:
    if draw(st.booleans()):
        return FewGroups(percentiles=draw(resampled()), spread=draw(student()))
    return FewGroups(percentiles=draw(resampled()), spread=draw(LOGS))


@st.composite
def bias_corrected(draw: st.DrawFn) -> BiasCorrected:
    draws = draw(st.lists(st.floats(-2, 2) | st.just(math.nan), min_size=1, max_size=60))
    return BiasCorrected(
        value=0.0,
        draws=np.array(draws),
        bias=draw(st.floats(-1.5, 1.5)),
        acceleration=draw(st.floats(-0.4, 0.4)),
    )


@st.composite
def block_quantile(draw: st.DrawFn) -> BlockQuantile:
    values = draw(st.lists(st.integers(-20, 20), min_size=1, max_size=60))
    return BlockQuantile(
        q=draw(st.floats(0.05, 0.95)),
        values=np.sort(np.array(values, float)),
        n_eff=len(values) / draw(st.floats(1, 8)),
        df=draw(st.floats(1, 40)),
    )


@st.composite
def effect_size(draw: st.DrawFn) -> EffectSize:
    d = draw(st.floats(-2, 2))
    n = draw(st.integers(3, 200))
    return EffectSize(value=d, d=d, root_n=math.sqrt(n), df=n - 1, method="Cohen's d_z")


@st.composite
def order_statistic(draw: st.DrawFn) -> OrderStatistic:
    values = draw(st.lists(st.integers(-20, 20), min_size=1, max_size=60))
    return OrderStatistic(q=draw(st.floats(0.05, 0.95)), values=np.sort(np.array(values, float)))


@st.composite
def quantile_ratio(draw: st.DrawFn) -> QuantileRatio:
    sides = [draw(st.lists(st.integers(1, 20), min_size=12, max_size=60)) for _ in range(2)]
    above, below = (OrderStatistic(q=0.5, values=np.sort(np.array(s, float))) for s in sides)
    return QuantileRatio(above=above, below=below)


SCORES = st.builds(Score, share=SHARES, n_eff=st.floats(1, 5000), df=DF)
ZEROS = st.builds(
    ZeroDiscordance, n_groups=st.integers(1, 500), reach=st.sampled_from([1.0, 0.25, 10.0])
)
LOGS = st.builds(
    LogT,
    value=st.floats(1e-3, 1e3),
    log_se=st.floats(1e-3, 2),
    df=DF,
    skew=st.just(0.0) | st.floats(-1, 1),
)
SMOOTH = st.one_of(student(), SCORES, seeded_score(), exact(), LOGS, paired_score(), ZEROS)
RANKS = st.one_of(order_statistic(), quantile_ratio(), bias_corrected(), block_quantile())
ANY = st.one_of(
    SMOOTH, effect_size(), resampled(), few_groups(), RANKS, st.builds(Census, st.floats(-3, 3))
)
EXACT_ENDS = OrderStatistic | QuantileRatio | BiasCorrected | BlockQuantile


def limits(inference: Inference) -> tuple[float, float]:
    """Between what an inference can lie at all."""
    match inference:
        case StudentT():
            return inference.low, inference.high
        case LogT():
            return 0.0, math.inf
        case PairedScore():
            return -1.0, 1.0
        case ZeroDiscordance():
            return -inference.reach, inference.reach
    return 0.0, 1.0


def bounds_near(ends: tuple[float, float] | None) -> st.SearchStrategy[float]:
    """Bounds anywhere, and a hair on either side of the ends."""
    anywhere = st.floats(-3, 3)
    ends = tuple(end for end in ends or () if math.isfinite(end))
    if not ends:
        return anywhere
    hair = st.sampled_from([-1e-2, -1e-4, -1e-6, 0.0, 1e-6, 1e-4, 1e-2])
    return anywhere | st.builds(lambda end, by: end + by, st.sampled_from(ends), hair)


@settings(max_examples=600)
@given(inference=ANY, level=LEVELS, data=st.data())
def test_a_p_value_passes_exactly_when_the_interval_does(
    inference: Inference, level: float, data: st.DataObject
) -> None:
    if isinstance(inference, Resampled) and inference.df == math.inf:  # keep off its fractions
        level = (math.floor(level * (inference.draws.size + 1)) + 0.5) / (inference.draws.size + 1)
        assume(level < 0.5)
    ends = inference.interval(1 - 2 * level)
    bound = data.draw(bounds_near(ends))
    supported, refuted = inference.p_at_least(bound), inference.p_at_most(bound)
    assert supported is not None
    assert refuted is not None
    # The level as the interval rounds it: on a tie, which only ranks have, either word is right.
    assume(level not in (pytest.approx(supported, abs=1e-12), pytest.approx(refuted, abs=1e-12)))
    if ends is None:
        assert min(supported, refuted) > level
        return
    low, high = ends
    exact = isinstance(inference, EXACT_ENDS) or (
        isinstance(inference, Resampled) and inference.df == math.inf
    )
    if abs(low - bound) > 1e-9 or exact:
        assert (supported <= level) == (low >= bound)
    if abs(high - bound) > 1e-9 or exact:
        assert (refuted <= level) == (high <= bound)


@given(inference=SMOOTH, level=LEVELS)
def test_the_p_value_at_the_end_of_an_interval_is_its_level(
    inference: Inference, level: float
) -> None:
    ends = inference.interval(1 - 2 * level)
    assert ends is not None
    low, high = ends
    below, above = limits(inference)
    if low > below + 1e-7:
        assert inference.p_at_least(low) == pytest.approx(level, rel=1e-4)
    if high < above - 1e-7:
        assert inference.p_at_most(high) == pytest.approx(level, rel=1e-4)


@given(inference=ANY, level=LEVELS, ratio=st.floats(0.05, 0.95))
def test_more_confidence_never_narrows_an_interval(
    inference: Inference, level: float, ratio: float
) -> None:
    wide, narrow = inference.interval(1 - 2 * level * ratio), inference.interval(1 - 2 * level)
    if wide is None:
        return
    assert narrow is not None
    assert wide[0] <= narrow[0] + 1e-12
    assert wide[1] >= narrow[1] - 1e-12


@given(inference=SMOOTH, level=LEVELS)
def test_the_value_lies_within_its_interval_which_has_a_width(
    inference: Inference, level: float
) -> None:
    ends, value = inference.interval(1 - 2 * level), inference.value
    assert ends is not None
    assert value is not None
    assert ends[0] - 1e-9 <= value <= ends[1] + 1e-9
    assert ends[0] < ends[1]


@given(inference=ANY, bounds=st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_p_values_are_probabilities_that_follow_the_bound(
    inference: Inference, bounds: tuple[float, float]
) -> None:
    easy, hard = min(bounds), max(bounds)
    least = [inference.p_at_least(easy), inference.p_at_least(hard)]
    most = [inference.p_at_most(hard), inference.p_at_most(easy)]
    for easier, harder in (least, most):
        assert easier is not None
        assert harder is not None
        assert 0 <= easier <= harder + 1e-12 <= 1 + 1e-11


@given(score=paired_score(), level=LEVELS)
def test_swapping_the_two_systems_mirrors_a_paired_score(score: PairedScore, level: float) -> None:
    swapped = replace(score, gained=score.lost, lost=score.gained, skew=-score.skew)
    low, high = score.interval(1 - 2 * level)
    mirrored = swapped.interval(1 - 2 * level)
    assert mirrored == pytest.approx((-high, -low), abs=1e-7)


@given(t=st.floats(0, 40), more=st.floats(1e-6, 5), skew=st.floats(-1, 1))
def test_a_skewness_widens_the_longer_tail_only_and_can_be_taken_back(
    t: float, more: float, skew: float
) -> None:
    assert farther(t, skew) >= t
    assert farther(t, -abs(skew)) == t
    assert farther(t + more, skew) > farther(t, skew)
    assert nearer(farther(t, skew), skew) == pytest.approx(t, abs=1e-9)


@given(score=paired_score(), level=LEVELS)
def test_a_skewed_difference_has_the_wider_interval(score: PairedScore, level: float) -> None:
    low, high = replace(score, skew=0.0).interval(1 - 2 * level)
    longer = score.interval(1 - 2 * level)
    assert longer[0] <= low + 1e-9
    assert longer[1] >= high - 1e-9


@given(share=st.floats(0.01, 0.99), n=st.integers(2, 500), level=LEVELS)
def test_the_share_of_wrong_answers_is_bounded_by_the_same_interval_turned_over(
    share: float, n: int, level: float
) -> None:
    low, high = Score(share=share, n_eff=n).interval(1 - 2 * level)
    other = Score(share=1 - share, n_eff=n).interval(1 - 2 * level)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_student_t_of_five_runs_has_the_published_quantile() -> None:
    low, high = StudentT(value=0.0, se=1.0, df=4).interval()
    assert (round(low, 3), round(high, 3)) == (-2.776, 2.776)


@pytest.mark.parametrize(("k", "n"), [(0, 7), (3, 9), (25, 25), (498, 500)])
def test_exact_p_values_are_binomial_tails(k: int, n: int) -> None:
    for bound in (0.01, 0.3, 0.97):
        assert Exact(k, n).p_at_least(bound) == pytest.approx(stats.binom.sf(k - 1, n, bound))
        assert Exact(k, n).p_at_most(bound) == pytest.approx(stats.binom.cdf(k, n, bound))


def test_no_difference_in_a_hundred_groups_still_leaves_a_width() -> None:
    low, high = ZeroDiscordance(n_groups=100).interval()
    assert high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert low == -high


def test_no_difference_and_one_difference_nearly_say_the_same() -> None:
    none = ZeroDiscordance(n_groups=200).interval()
    one = PairedScore(gained=1 / 200, lost=0.0, n_eff=200).interval()
    assert none[1] < one[1] < none[1] + 2 / 200


def test_a_paired_score_near_zero_is_free_of_cancellation() -> None:
    for nothing in (1e-9, 1e-30, 1e-200):
        assert PairedScore(gained=0.0, lost=0.0, n_eff=2).p_at_most(nothing) == pytest.approx(
            0.5, abs=1e-4
        )


@pytest.mark.parametrize(
    ("inference", "low", "high"),
    [
        (Score(share=0.5, n_eff=9), 0.0, 1.0),
        (Exact(4, 9), 0.0, 1.0),
        (PairedScore(gained=0.5, lost=0.2, n_eff=9), -1.0, 1.0),
        (ZeroDiscordance(n_groups=9, reach=0.5), -0.5, 0.5),
        (StudentT(value=0.5, se=0.3, low=0.0, high=1.0), 0.0, 1.0),
    ],
)
def test_what_no_value_can_break_is_certain_and_what_none_can_reach_is_hopeless(
    inference: Inference, low: float, high: float
) -> None:
    for beyond in (0.0, 0.1):
        assert inference.p_at_least(low - beyond) == 0.0
        assert inference.p_at_most(high + beyond) == 0.0
    assert inference.p_at_least(high + 0.1) == 1.0
    assert inference.p_at_most(low - 0.1) == 1.0


def test_a_census_is_its_value_and_decides_everything() -> None:
    assert Census(0.5).interval() == (0.5, 0.5)
    assert (Census(0.5).p_at_least(0.5), Census(0.5).p_at_most(0.5)) == (0.0, 0.0)
    assert (Census(0.5).p_at_least(0.6), Census(0.5).p_at_most(0.4)) == (1.0, 1.0)


def test_what_is_undefined_says_why_and_nothing_else() -> None:
    none = Undefined("one group")
    assert none.method == "undefined: one group"
    answers = (none.value, none.se, none.interval(), none.p_at_least(0.0), none.p_at_most(0.0))
    assert answers == (None,) * 5


def test_a_resample_without_a_value_counts_against_both_sides() -> None:
    draws = np.arange(1.0, 100.0)
    spoiled = np.where(draws <= 5, np.nan, draws)
    whole, holed = Resampled(value=50.0, draws=draws), Resampled(value=50.0, draws=spoiled)
    assert whole.p_at_most(94.0) == 0.06
    assert holed.p_at_most(94.0) == 0.11
    assert whole.p_at_least(6.0) == holed.p_at_least(6.0) == 0.06
    assert holed.interval(0.9) is None
    assert holed.interval(0.86) == (7.0, 98.0)


def test_too_few_resamples_have_no_interval_at_a_strict_level() -> None:
    few = Resampled(value=0.0, draws=np.linspace(-1, 1, 99))
    assert few.interval(0.98) == (-1.0, 1.0)
    assert few.interval(0.99) is None
    assert few.p_at_least(-5.0) == 0.01


def test_a_t_interval_stops_at_the_bounds_of_its_number() -> None:
    near = StudentT(value=0.98, se=0.05, df=9, low=0.0, high=1.0)
    assert near.interval()[1] == 1.0
    assert near.p_at_most(1.0) == 0.0
    assert near.p_at_least(0.0) == 0.0
    assert near.p_at_least(1.01) == 1.0


@pytest.mark.parametrize(
    "build",
    [
        lambda: StudentT(value=0.5, se=0.0, df=9),
        lambda: StudentT(value=math.nan, se=0.1, df=9),
        lambda: StudentT(value=1.5, se=0.1, df=9, low=0.0, high=1.0),
        lambda: LogT(value=0.0, log_se=0.1, df=9),
        lambda: Score(share=1.2, n_eff=10),
        lambda: Score(share=0.5, n_eff=0),
        lambda: Exact(3, 2),
        lambda: Exact(0, 0),
        lambda: PairedScore(gained=0.7, lost=0.6, n_eff=10),
        lambda: ZeroDiscordance(n_groups=0),
        lambda: ZeroDiscordance(n_groups=5, reach=math.inf),
        lambda: Census(0.5).interval(1.0),
        lambda: Undefined("").interval(0.0),
    ],
)
def test_an_inference_that_would_be_false_certainty_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(DataError, match="A202"):
        build()


def test_every_member_is_an_inference() -> None:
    members = (
        StudentT(value=0.0, se=1.0),
        LogT(value=1.0, log_se=1.0),
        Score(share=0.5, n_eff=10),
        Exact(1, 2),
        PairedScore(gained=0.1, lost=0.1, n_eff=10),
        ZeroDiscordance(n_groups=3),
        OrderStatistic(q=0.5, values=np.arange(9.0)),
        Resampled(value=0.0, draws=np.arange(9.0)),
        FewGroups(
            percentiles=Resampled(value=0.0, draws=np.arange(9.0)),
            spread=StudentT(value=0.0, se=1.0),
        ),
        Census(0.0),
        Undefined("why"),
    )
    for member in members:
        assert isinstance(member, Inference)
        assert member.method
