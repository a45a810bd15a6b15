"""Fewer samples, chosen fairly."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Sample
from assay.engine.choose import take
from strategies import sample_sets

SEEDS = st.integers(0, 2**32)


def ids(samples: list[Sample]) -> list[str]:
    return [s.id for s in samples]


@given(samples=sample_sets(), limit=st.integers(0, 50), seed=SEEDS)
def test_exactly_the_number_asked_for_is_taken(
    samples: list[Sample], limit: int, seed: int
) -> None:
    assert len(take(samples, limit, seed=seed)) == min(limit, len(samples))


@given(samples=sample_sets(), limit=st.integers(0, 50), seed=SEEDS)
def test_samples_keep_their_order_and_none_is_taken_twice(
    samples: list[Sample], limit: int, seed: int
) -> None:
    taken = ids(take(samples, limit, seed=seed))
    assert taken == [i for i in ids(samples) if i in set(taken)]


@given(samples=sample_sets(), one=st.integers(0, 45), other=st.integers(0, 45), seed=SEEDS)
def test_a_smaller_limit_takes_a_subset(
    samples: list[Sample], one: int, other: int, seed: int
) -> None:
    few, many = sorted((one, other))
    assert set(ids(take(samples, few, seed=seed))) <= set(ids(take(samples, many, seed=seed)))


@given(samples=sample_sets(), limit=st.integers(1, 40), seed=SEEDS)
def test_at_most_one_group_is_cut(samples: list[Sample], limit: int, seed: int) -> None:
    sizes = Counter(s.cluster for s in samples)
    taken = Counter(s.cluster for s in take(samples, limit, seed=seed))
    assert sum(taken[name] != sizes[name] for name in taken) <= 1


@given(samples=sample_sets(), limit=st.integers(1, 40), seed=SEEDS, data=st.data())
def test_the_order_in_which_alone_samples_come_does_not_change_which_are_taken(
    samples: list[Sample], limit: int, seed: int, data: st.DataObject
) -> None:
    alone = [Sample(id=s.id, input=s.input, target=s.target) for s in samples]
    shuffled = data.draw(st.permutations(alone))
    assert set(ids(take(alone, limit, seed=seed))) == set(ids(take(shuffled, limit, seed=seed)))


@given(limit=st.integers(1, 99), share=st.integers(10, 90), seed=SEEDS)
def test_strata_are_taken_in_proportion(limit: int, share: int, seed: int) -> None:
    samples = [
        Sample(id=f"s{i}", input=i, target=Answer("yes" if i < share else "no")) for i in range(100)
    ]
    taken = take(samples, limit, seed=seed)
    yes = sum(s.target == Answer("yes") for s in taken)
    assert abs(yes - limit * share / 100) <= 1


def test_another_seed_takes_others() -> None:
    samples = [Sample(id=f"s{i}", input=i) for i in range(100)]
    drawn = {tuple(ids(take(samples, 10, seed=seed))) for seed in range(20)}
    assert len(drawn) == 20


@pytest.mark.parametrize("groups", [1, 10, 100])
def test_every_sample_can_be_taken(groups: int) -> None:
    samples = [Sample(id=f"s{i}", input=i, group=f"g{i % groups}") for i in range(100)]
    seen = {i for seed in range(120) for i in ids(take(samples, 10, seed=seed))}
    assert len(seen) == 100


@pytest.mark.parametrize("same", [1, 2, 4])
def test_targets_that_hardly_repeat_come_as_often_as_they_are(same):
    """Measured values have no fellows: half of the samples must not be left for last."""
    values = [Sample(id=f"v{i}", input=i, target=Answer(i // same / 7)) for i in range(200)]
    none = [Sample(id=f"n{i}", input=i, target=Bottom("below")) for i in range(200)]
    taken = take([*values, *none], 100, seed=3)
    assert sum(isinstance(s.target, Answer) for s in taken) == 50
