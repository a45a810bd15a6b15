"""Numbers over groups and seeds at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from assay.core.errors import DataError
from assay.stats.clusters import paired, paired_log_ratio
from assay.stats.inference import (
    NO_SEED_EFFECT,
    LogT,
    Score,
    StudentT,
    Undefined,
    ZeroDiscordance,
)
from assay.stats.jackknife import Spread, beside, together, without
from assay.stats.seeds import (
    log_ratio_over_seeds,
    over_seeds,
    paired_over_seeds,
    share_over_seeds,
)
from assay.stats.tails import t_quantile

SHAPES = st.tuples(st.integers(3, 12), st.integers(2, 6))
BITS = npst.arrays(np.bool_, SHAPES).map(lambda bits: bits.astype(float))
VALUES = npst.arrays(np.float64, SHAPES, elements=st.integers(1, 40).map(float))


def ones(array: np.ndarray) -> np.ndarray:
    return np.ones(array.shape)


@given(VALUES)
def test_the_variance_is_that_of_groups_plus_that_of_seeds(values: np.ndarray) -> None:
    g, s = values.shape
    found = over_seeds(values, ones(values))
    by_group, by_seed = values.mean(axis=1).var(ddof=1) / g, values.mean(axis=0).var(ddof=1) / s
    if isinstance(found, StudentT):
        assert found.se**2 == pytest.approx(by_group + by_seed)
        assert found.seed_se**2 == pytest.approx(by_seed)
        margins = (t_quantile(0.025, n - 1) ** 2 * v for n, v in ((g, by_group), (s, by_seed)))
        low, high = replace(found, skew=0.0).interval()
        assert ((high - low) / 2) ** 2 == pytest.approx(sum(margins))
    else:
        same = (values == values[:, :1]).all()
        assert same or by_group + by_seed == pytest.approx(0)


@given(BITS)
def test_a_share_over_seeds_has_the_standard_error_of_the_ratio(hits: np.ndarray) -> None:
    plain, score = over_seeds(hits, ones(hits)), share_over_seeds(hits, ones(hits))
    if isinstance(score, Undefined):
        return
    assert isinstance(score, Score)
    assert score.value == plain.value
    assert score.se is not None
    assert score.se >= plain.se - 1e-12
    assert score.n_eff <= hits.size + 1e-9
    if score.n_eff < hits.size - 1e-9:
        assert score.se == pytest.approx(plain.se)


@given(VALUES, st.integers(2, 5))
def test_identical_seeds_are_refused_however_many(values: np.ndarray, seeds: int) -> None:
    same = np.repeat(values[:, :1], seeds, axis=1)
    assert over_seeds(same, ones(same)) == Undefined(NO_SEED_EFFECT)
    bits = (same > 20).astype(float)
    found = share_over_seeds(bits, ones(bits))
    if bits.mean() in (0.0, 1.0):
        assert "no event, or only events" in found.method
    else:
        assert found == Undefined(NO_SEED_EFFECT)
    against = (values[:, :1], np.ones((len(values), 1)))
    assert paired_over_seeds((same, ones(same)), against) == Undefined(NO_SEED_EFFECT)
    assert log_ratio_over_seeds((same, ones(same)), against) == Undefined(NO_SEED_EFFECT)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_groups_and_seeds_does_not_matter(values: np.ndarray, random: Random) -> None:
    rows, columns = list(range(values.shape[0])), list(range(values.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    shuffled = values[rows][:, columns]
    before, after = over_seeds(values, ones(values)), over_seeds(shuffled, ones(values))
    assert before.value is None or after.value == pytest.approx(before.value)
    if before.se is not None:
        assert after.se == pytest.approx(before.se)


@given(VALUES)
def test_groups_that_were_asked_nothing_do_not_count(values: np.ndarray) -> None:
    empty = np.zeros((4, values.shape[1]))
    padded = over_seeds(np.r_[values, empty], np.r_[ones(values), empty])
    plain = over_seeds(values, ones(values))
    assert padded.se == plain.se if plain.se is None else padded.se == pytest.approx(plain.se)


@given(BITS, st.data())
def test_one_seed_each_is_a_paired_difference_over_groups(
    hits: np.ndarray, data: st.DataObject
) -> None:
    a = hits[:, :1]
    b = data.draw(npst.arrays(np.bool_, a.shape)).astype(float)
    found = paired_over_seeds((a, ones(a)), (b, ones(b)), bounds=(0, 1))
    groups = np.arange(len(a))
    column = np.ones(len(a))
    assert found == paired((a[:, 0], column), (b[:, 0], column), groups=groups, bounds=(0, 1))


@given(VALUES, st.data())
def test_each_systems_seeds_add_their_own_variance(values: np.ndarray, data: st.DataObject) -> None:
    rivals = npst.arrays(
        np.float64,
        (len(values), data.draw(st.integers(1, 4))),
        elements=st.integers(1, 40).map(float),
    )
    b = data.draw(rivals)
    found = paired_over_seeds((values, ones(values)), (b, ones(b)))
    if not isinstance(found, StudentT):
        return
    from_seeds = sum(x.mean(axis=0).var(ddof=1) / x.shape[1] for x in (values, b) if x.shape[1] > 1)
    gap = values.mean(axis=1) - b.mean(axis=1)
    assert found.seed_se**2 == pytest.approx(from_seeds)
    assert found.se**2 == pytest.approx(gap.var(ddof=1) / len(gap) + from_seeds)


def test_a_group_that_only_one_system_answered_still_counts() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 6, 3))
    asked_b = np.ones((6, 3))
    asked_b[2] = 0
    b[2] = 0
    found = paired_over_seeds((a, np.ones((6, 3))), (b, asked_b))
    assert found.value == pytest.approx(a.mean() - b.sum() / 15)


def test_no_difference_under_one_seed_each_is_bounded_by_groups() -> None:
    a = np.ones((30, 1))
    found = paired_over_seeds((a, a), (a, a), bounds=(0, 1))
    assert found == ZeroDiscordance(n_groups=30)


@given(VALUES, st.floats(0.01, 100))
def test_a_cost_ratio_over_seeds_turned_over_is_turned_over(
    values: np.ndarray, price: float
) -> None:
    a, b = price * values, values[::-1, :1]
    one = log_ratio_over_seeds((a, ones(a)), (b, ones(b)))
    other = log_ratio_over_seeds((b, ones(b)), (a, ones(a)))
    if isinstance(one, LogT):
        assert one.value == pytest.approx(1 / other.value)
        assert one.log_se == pytest.approx(other.log_se)
        assert one.seed_se <= one.log_se + 1e-12
    else:
        assert one == other


def test_one_seed_each_is_a_cost_ratio_over_groups() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.exponential(size=(2, 20, 1))
    found = log_ratio_over_seeds((a, ones(a)), (b, ones(b)))
    column = np.ones(20)
    expected = paired_log_ratio((a[:, 0], column), (b[:, 0], column), groups=np.arange(20))
    assert found.interval() == expected.interval()


def test_no_event_under_seeds_that_answered_differently_is_undefined_not_certain() -> None:
    asked = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]])
    found = share_over_seeds(np.zeros(asked.shape), asked)
    assert isinstance(found, Undefined)
    assert "no event" in found.why


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: over_seeds([[1], [2]], [[1], [1]]), "one seed"),
        (lambda: over_seeds([[1, 2]], [[1, 1]]), "one group"),
        (lambda: over_seeds([[0, 0], [0, 0]], [[0, 0], [0, 0]]), "nothing was asked"),
        (lambda: over_seeds([[1, 0], [2, 0]], [[1, 0], [1, 0]]), "one seed holds everything"),
        (lambda: over_seeds([[1, 2], [2, 1]], np.ones((2, 2))), "every group gave the same"),
        (
            lambda: paired_over_seeds(([[1, 2]], [[1, 1]]), ([[1]], [[1]])),
            "one group holds everything",
        ),
        (
            lambda: log_ratio_over_seeds(
                ([[0, 0], [0, 0]], np.ones((2, 2))), ([[1], [1]], [[1], [1]])
            ),
            "a total is zero",
        ),
    ],
)
def test_a_degenerate_table_says_why_it_has_no_number(call: Callable[[], object], why: str) -> None:
    found = call()
    assert isinstance(found, Undefined)
    assert why in found.why


@pytest.mark.parametrize(
    "call",
    [
        lambda: over_seeds([1, 2], [1, 1]),
        lambda: over_seeds([[1, 2]], [[1, 1], [1, 1]]),
        lambda: over_seeds([[1, np.nan], [1, 1]], np.ones((2, 2))),
        lambda: over_seeds([[3, 2], [2, 2]], np.ones((2, 2)), bounds=(0, 1)),
        lambda: share_over_seeds([[0.5, 1], [1, 1]], np.ones((2, 2))),
        lambda: paired_over_seeds(([[1, 2], [2, 2]], np.ones((2, 2))), ([[1]], [[1]])),
    ],
)
def test_misuse_is_a_data_error(call: Callable[[], object]) -> None:
    with pytest.raises(DataError, match="A202"):
        call()


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(1, 50)), min_size=1, max_size=4))
def test_satterthwaites_degrees_lie_between_the_smallest_and_the_sum(
    parts: list[tuple[float, float]],
) -> None:
    found = together(*(Spread(variance=variance, df=df) for variance, df in parts))
    degrees = [df for _, df in parts]
    assert min(degrees) - 1e-9 <= found.df <= sum(degrees) + 1e-9
    assert found.variance == pytest.approx(sum(variance for variance, _ in parts))


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.integers(4, 300), st.integers(1, 20))
def test_groups_beside_seeds_have_degrees_between_both_and_can_be_taken_apart(
    groups: float, seeds: float, many: int, few: int
) -> None:
    parts = Spread(variance=groups, df=many), Spread(variance=seeds, df=few)
    found = beside(*parts)
    assert min(many, few) * (1 - 1e-6) <= found.df <= max(many, few) * (1 + 1e-6)
    assert found.df <= together(*parts).df * (1 + 1e-6)
    again = without(found, parts[1])
    assert again.variance == pytest.approx(groups)
    assert t_quantile(0.025, again.df) == pytest.approx(t_quantile(0.025, many), rel=1e-4)
