"""Quantiles that know of time blocks."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats import order
from assay.stats.blocks import quantile
from assay.stats.inference import Undefined


def seconds(
    rng: np.random.Generator, blocks: int, size: int, alike: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw log-normal seconds; ``alike`` is the share of the variance that blocks carry."""
    block = np.repeat(np.arange(blocks), size)
    shared = np.sqrt(alike) * rng.normal(size=blocks)
    return np.exp(shared[block] + np.sqrt(1 - alike) * rng.normal(size=block.size)), block


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_the_median_of_blocks_covers_and_that_of_questions_does_not(alike: float) -> None:
    rng = np.random.default_rng(1)
    ours, plain = [], []
    for _ in range(600):
        values, block = seconds(rng, 24, 10, alike)
        for found, kept in (
            (quantile(values, 0.5, blocks=block), ours),
            (order.quantile(values, 0.5), plain),
        ):
            low, high = found.interval()
            kept.append(low <= 1.0 <= high)
    assert np.mean(ours) >= 0.93
    assert alike == 0 or np.mean(plain) < 0.85


def test_blocks_of_one_value_are_order_statistics() -> None:
    values = np.random.default_rng(0).exponential(size=80)
    found = quantile(values, 0.5, blocks=np.arange(80))
    assert found.interval() == order.quantile(values, 0.5).interval()


def test_a_hundred_values_in_blocks_never_reach_beyond_p96() -> None:
    values, block = seconds(np.random.default_rng(0), 20, 5, 0.0)
    for q in (0.97, 0.99):
        found = quantile(values, q, blocks=block)
        assert isinstance(found, Undefined)
        assert "100 values in 20 blocks" in found.why
    ends = quantile(values, 0.95, blocks=block)
    assert isinstance(ends, Undefined) or inf not in ends.interval()


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 20), st.sampled_from([0.5, 0.9]))
def test_a_quantile_that_is_given_has_two_finite_ends(
    seed: int, blocks: int, size: int, q: float
) -> None:
    values, block = seconds(np.random.default_rng(seed), blocks, size, 0.5)
    found = quantile(values, q, blocks=block)
    if isinstance(found, Undefined):
        return
    low, high = found.interval()
    assert -inf < low <= found.value <= high < inf


@given(st.integers(0, 2**32))
def test_neither_the_order_of_records_nor_the_names_of_blocks_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, block = seconds(rng, 25, 8, 0.5)
    shuffled = rng.permutation(values.size)
    renamed = rng.permutation(25)[block]
    assert (
        quantile(values, 0.5, blocks=block).interval()
        == quantile(values[shuffled], 0.5, blocks=renamed[shuffled]).interval()
    )


@pytest.mark.parametrize(
    ("values", "blocks", "why"),
    [
        ([], [], "0 values"),
        ([1.0], [0], "1 values"),
        ([1.0, 2.0, 3.0], [0, 0, 0], "one block"),
        ([1.0, 1.0, 2.0, 2.0], [0, 0, 1, 1], "reach no quantile"),
    ],
)
def test_too_few_values_or_blocks_are_undefined(
    values: list[float], blocks: list[int], why: str
) -> None:
    found = quantile(values, 0.5, blocks=np.array(blocks, dtype=int))
    assert isinstance(found, Undefined)
    assert why in found.why


def test_equal_values_are_no_certainty() -> None:
    blocks = np.repeat(np.arange(20), 3)
    assert quantile(np.ones(60), 0.5, blocks=blocks) == order.ALL_EQUAL
    assert quantile(np.ones(60), 0.5, blocks=np.arange(60)) == order.ALL_EQUAL


def test_misuse_is_a_data_error() -> None:
    for call in (
        lambda: quantile([1.0, np.nan], 0.5, blocks=[0, 1]),
        lambda: quantile([1.0, np.inf], 0.5, blocks=[0, 1]),
        lambda: quantile([1.0, 2.0], 0.5, blocks=[0]),
        lambda: quantile([1.0, 2.0], 1.5, blocks=[0, 1]),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
