"""Joint resamples: paired, smoothed, independent of who else is there, and beside their chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Better, Metric, Ratio, Statistic
from assay.analysis.joint import jointly
from assay.analysis.metrics import accuracy
from assay.analysis.table import Table
from assay.store.columns import CODE

RESAMPLES = 400


def table(name: str, right: np.ndarray, *, size: int = 1) -> Table:
    """Return a system that is right where it says; groups of so many samples that follow each other."""
    right = np.atleast_2d(right)
    n = right.shape[1]
    return Table(
        system=name,
        seeds=tuple(range(len(right))),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i // size}" for i in range(n)),
        outcome=np.where(right, CODE["correct"], CODE["wrong"]).astype(np.int8),
        confidence=np.full(right.shape, np.nan),
        no_answer=np.zeros(n, dtype=bool),
    )


def draw(tables: dict[str, Table], *, metric: Metric = accuracy, chances=None, seed: int = 3):
    n = len(next(iter(tables.values())).samples)
    guess = np.full(n, 0.25) if chances is None else chances
    return jointly(metric, tables, chances=guess, resamples=RESAMPLES, seed=seed)


def rights(seed: int, n: int, share: float) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < share


@given(st.integers(0, 99), st.integers(1, 3), st.permutations(["a", "b", "c"]))
@settings(max_examples=15)
def test_whoever_else_is_there_and_in_which_order_changes_no_draw(seed, size, order):
    all_three = {
        name: table(name, rights(seed + k, 24, 0.3 * (k + 1)), size=size)
        for k, name in enumerate("abc")
    }
    alone = draw({"b": all_three["b"]})
    found = draw({name: all_three[name] for name in order})
    at = found.systems.index("b")
    np.testing.assert_allclose(found.draws[:, at], alone.draws[:, 0])
    np.testing.assert_allclose(found.smoothed[:, at], alone.smoothed[:, 0])


def test_equal_systems_are_equal_in_every_resample():
    right = rights(0, 60, 0.5)
    found = draw({"a": table("a", right), "b": table("b", right)})
    np.testing.assert_array_equal(found.draws[:, 0], found.draws[:, 1])
    assert found.draws[:, 0].std() == pytest.approx(np.sqrt(0.25 / 60), rel=0.15)


@pytest.mark.parametrize("n", [5, 40])
def test_all_right_and_all_wrong_vary_once_smoothed_as_after_a_uniform_prior(n):
    found = draw({"all": table("all", np.ones(n, bool)), "none": table("none", np.zeros(n, bool))})
    assert found.values.tolist() == [1.0, 0.0]
    assert set(np.nanmin(found.draws, axis=0)) == {1.0, 0.0}
    assert found.smoothed.mean(axis=0) == pytest.approx([(n + 1) / (n + 2), 1 / (n + 2)], abs=0.02)
    assert np.ptp(found.smoothed, axis=0).min() > 1 / (n + 2)


def test_a_metric_without_bounds_is_not_smoothed():
    mean = Metric(
        name="mean",
        better=Better.HIGHER,
        form=Ratio(numerator=lambda c: c["correct"] * 7, denominator=lambda c: c["asked"]),
        columns=("correct", "asked"),
    )
    found = draw({"a": table("a", rights(1, 30, 0.5))}, metric=mean)
    np.testing.assert_array_equal(found.draws, found.smoothed)


def test_a_statistic_is_resampled_as_the_ratio_that_it_is():
    right = {
        "a": table("a", rights(1, 30, 0.5), size=3),
        "b": table("b", rights(2, 30, 0.9), size=3),
    }

    def of(columns, weights):
        asked = float(columns["asked"] @ weights)
        return float(columns["correct"] @ weights) / asked if asked else None

    slow = Metric(
        name="slow",
        better=Better.HIGHER,
        form=Statistic(of=of),
        columns=("correct", "asked"),
        bounds=(0.0, 1.0),
    )
    one, two = draw(right), draw(right, metric=slow)
    np.testing.assert_allclose(one.values, two.values)
    np.testing.assert_allclose(one.draws, two.draws)
    np.testing.assert_allclose(one.smoothed, two.smoothed)


def test_a_mean_over_strata_is_resampled_as_it_is_defined():
    right = Ratio(numerator=lambda c: c["correct"], denominator=lambda c: c["asked"])
    weighted = Statistic.weighted(right, {"tag:easy": 1.0, "tag:hard": 3.0, "tag:none": 5.0})
    columns = ("correct", "asked", "tag:easy", "tag:hard", "tag:none")
    made = table("a", rights(1, 24, 0.5), size=2)
    tags = tuple(frozenset({"hard" if i < 4 else "easy"}) for i in range(24))
    found = [
        draw(
            {"a": replace(made, tags=tags)},
            metric=Metric(name="m", better=Better.HIGHER, form=form, columns=columns),
        )
        for form in (weighted, Statistic(of=weighted.of))
    ]
    np.testing.assert_allclose(found[0].values, found[1].values)
    np.testing.assert_allclose(found[0].draws, found[1].draws)
    # "none" was not asked: what the mean of the others comes to by chance is another number.
    assert (found[0].chance, found[1].chance) == (None, 0.25)


def test_chance_moves_with_the_samples_that_are_drawn():
    chances = np.repeat([0.5, 0.25], [10, 30])
    found = draw({"a": table("a", rights(4, 40, 0.5))}, chances=chances)
    assert found.chance == pytest.approx(0.3125)
    assert 0.25 < found.chances.min() < 0.3 < found.chances.max() < 0.5
    unknown = draw(
        {"a": table("a", rights(4, 40, 0.5))}, chances=np.where(chances > 0.3, np.nan, 0.25)
    )
    assert unknown.chance is None
    assert np.isnan(unknown.chances).all()


def test_groups_are_drawn_whole_and_seeds_are_pooled():
    right = np.repeat(rights(5, 20, 0.5), 4)
    grouped, apart = draw({"a": table("a", right, size=4)}), draw({"a": table("a", right)})
    assert grouped.draws.std() > 1.6 * apart.draws.std()
    assert (grouped.n, grouped.n_groups, grouped.df) == (80, 20, 19.0)
    twice = draw({"a": table("a", np.stack([right, ~right]))})
    assert twice.values[0] == 0.5


def test_many_groups_are_joined_before_they_are_drawn():
    found = draw({"a": table("a", rights(6, 9000, 0.3))})
    assert found.draws.std() == pytest.approx(np.sqrt(0.21 / 9000), rel=0.15)
    assert found.smoothed.mean() == pytest.approx(found.values[0], abs=0.001)
