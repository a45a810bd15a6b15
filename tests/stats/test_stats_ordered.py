"""Answers are counted by their order as adding them up one by one would count them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats import surest
from assay.stats.bootstrap import counts
from assay.stats.ordered import Ordered
from assay.stats.resamples import Resamples, every

GROUPS = 6
ANSWERS = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, GROUPS - 1)), max_size=40
)


def columns(answers: list[tuple[int, bool, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sure, right, group = zip(*answers, strict=True) if answers else ((), (), ())
    return np.array(sure) / 8, np.array(right, float), np.array(group, dtype=np.intp)


@given(answers=ANSWERS, everywhere=st.booleans(), seed=st.integers(0, 99))
def test_what_is_counted_up_to_a_place_is_the_sum_of_what_was_drawn_before_it(
    answers: list[tuple[int, bool, int]], everywhere: bool, seed: int
) -> None:
    sure, right, group = columns(answers)
    order = Ordered.of(sure, right, group, everywhere=everywhere)
    drawn = counts(GROUPS, resamples=5, rng=np.random.default_rng(seed))
    accepted, wrong = order.counted(drawn)
    levels = sorted(set(sure.tolist()), reverse=True)
    of_blocks = [level for level in levels if (right[sure == level] == 0).any()]
    for row, (times, held) in enumerate(
        zip(drawn[:, group], drawn[:, group] * (1 - right), strict=True)
    ):
        sums = {0: 0} | {int((sure >= x).sum()): int(times[sure >= x].sum()) for x in levels}
        assert accepted[row].tolist() == [sums[place] for place in order.places.tolist()]
        assert wrong[row].tolist() == [held[sure == x].sum() for x in of_blocks]
        assert accepted[row, order.starts].tolist() == [times[sure > x].sum() for x in of_blocks]
        assert accepted[row, order.ends].tolist() == [times[sure >= x].sum() for x in of_blocks]
    assert {0, len(answers)} <= set(order.places.tolist())
    assert not everywhere or len(order.places) == len(levels) + 1


@pytest.mark.parametrize("records", [30, 3_000])
@pytest.mark.parametrize("name", ["aurc", "auroc", "accuracy_at"])
@settings(max_examples=15)
@given(seed=st.integers(0, 99), levels=st.sampled_from([3, 10**9]), share=st.floats(0, 1))
def test_a_number_is_the_same_to_the_last_bit_however_many_resamples_are_counted_at_once(
    name: str, records: int, seed: int, levels: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    sure, group = rng.integers(levels, size=records) / levels, rng.integers(40, size=records)
    right = (rng.random(records) < share).astype(float)
    more = {"asked": np.ones(40), "share": 0.5} if name == "accuracy_at" else {}
    of = getattr(surest, name)(sure, right, groups=group, **more)
    drawn = Resamples(n_groups=40, resamples=70, seed=seed)
    whole = every(of, drawn, records)
    alone = np.concatenate([of(row[None]) for row in drawn.all()])
    assert np.array_equal(whole, alone, equal_nan=True)
    assert np.array_equal(whole, of(drawn.all()), equal_nan=True)


def test_counts_beyond_two_thousand_million_are_counted() -> None:
    order = Ordered.of([0.9, 0.1], [1, 0], np.array([0, 70_000]))
    assert order.held.dtype == np.int32
    many = np.zeros(40_000, dtype=np.intp)
    order = Ordered.of(np.ones(40_000), np.zeros(40_000), np.r_[many[:-1], 70_000])
    assert order.held.dtype == np.int64


def test_half_an_answer_is_no_answer() -> None:
    with pytest.raises(DataError, match="A202"):
        Ordered.of([0.1, 0.2], [1, 0.5], np.arange(2))
