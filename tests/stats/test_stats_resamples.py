"""Counts that are drawn piece by piece, and groups that are joined before they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.bootstrap import counts
from assay.stats.resamples import (
    CELLS,
    FEWEST,
    MOST_GROUPS,
    RESAMPLES,
    Resamples,
    draw,
    effective,
    pieces,
    resamples_for,
    unions,
)


@given(st.integers(1, 60), st.integers(1, 400), st.integers(1, 10**6), st.integers(0, 9))
@settings(max_examples=40)
def test_pieces_are_the_same_draws_whatever_their_size(
    n_groups: int, resamples: int, records: int, seed: int
) -> None:
    drawn = Resamples(n_groups=n_groups, resamples=resamples, seed=seed)
    whole = counts(n_groups, resamples=resamples, rng=np.random.Generator(np.random.PCG64(seed)))
    assert (np.concatenate([*drawn.pieces(records)]) == whole).all()
    assert (drawn.all() == whole).all()
    assert (np.concatenate([*pieces(whole, records)]) == whole).all()
    assert (np.concatenate([*pieces(drawn, records)]) == whole).all()


@pytest.mark.parametrize("records", [100, 5_000, 100_000, 3_000_000])
def test_a_piece_beside_its_records_stays_below_64_megabytes(records: int) -> None:
    drawn = Resamples(n_groups=50, resamples=1000, seed=0)
    first = next(drawn.pieces(records))
    assert len(first) >= 1
    assert len(first) == 1 or 8 * len(first) * records <= 2**21


def test_a_bootstrap_has_ten_thousand_resamples_until_records_are_too_many() -> None:
    assert RESAMPLES == 10_000
    assert {resamples_for(n) for n in (0, 1, 5_000, 100_000)} == {10_000}
    for n in (100_001, 400_000, 1_000_000):
        assert resamples_for(n) * n <= CELLS
    assert resamples_for(10**8) == FEWEST


@given(st.integers(1, 40_000), st.integers(0, 5))
@settings(max_examples=25)
def test_unions_share_the_groups_out_evenly(n_groups: int, seed: int) -> None:
    union = unions(n_groups, seed=seed)
    sizes = np.bincount(union)
    assert sizes.sum() == n_groups
    assert sizes.size == (n_groups if n_groups < 2 * MOST_GROUPS else MOST_GROUPS)
    assert sizes.max() - sizes.min() <= 1
    assert (union == unions(n_groups, seed=seed)).all()


def test_resampled_unions_vary_as_resampled_groups_do() -> None:
    rng = np.random.default_rng(0)
    values = rng.exponential(size=20_000)
    union = unions(values.size, seed=1)
    sums, sizes = np.bincount(union, weights=values), np.bincount(union)
    drawn = draw(MOST_GROUPS, resamples=2000, rng=rng).astype(float)
    means = (drawn @ sums) / (drawn @ sizes)
    assert means.mean() == pytest.approx(values.mean(), abs=0.001)
    assert means.std() == pytest.approx(values.std() / np.sqrt(values.size), rel=0.06)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_groups_of_one_size_are_worth_their_number_and_others_less(sizes: list[int]) -> None:
    worth = effective(np.repeat(np.arange(len(sizes)), sizes))
    assert 1 - 1e-9 <= worth <= len(sizes) + 1e-9
    if len(set(sizes)) == 1:
        assert worth == pytest.approx(len(sizes))
    assert effective(np.empty(0, dtype=np.intp)) == 0.0
