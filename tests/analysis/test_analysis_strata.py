"""A score by tags, from records to a number: tags are columns, levels are weighed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay import Better, Metric, Over, Ratio, Statistic
from assay.analysis.infer import infer, infer_difference
from assay.analysis.metrics import is_column
from assay.analysis.table import Table
from assay.stats.inference import Census, Undefined
from assay.store.columns import CODE

SAMPLES = frozenset({Over.SAMPLES})
BOTH = frozenset({Over.SAMPLES, Over.SEEDS})
WEIGHTS = {"tag:easy": 1.0, "tag:hard": 3.0}
SCORE = Metric(
    name="score",
    better=Better.HIGHER,
    form=Statistic.weighted(
        Ratio(numerator=lambda c: c["correct"], denominator=lambda c: c["asked"]),
        WEIGHTS,
        scale=100.0,
    ),
    columns=("correct", "asked", *WEIGHTS),
    bounds=(0.0, 100.0),
)


def tagged(easy, hard, *, seeds: int = 1) -> Table:
    """Return a table of two levels; outcomes by sample, or by seed and sample."""
    outcomes = np.concatenate([np.atleast_2d(easy), np.atleast_2d(hard)], axis=1)
    rows = np.array([[CODE[str(o)] for o in row] for row in outcomes], dtype=np.int8)
    rows = np.repeat(rows, seeds, axis=0) if len(rows) == 1 else rows
    n, first = rows.shape[1], np.atleast_2d(easy).shape[1]
    return Table(
        system="s",
        seeds=tuple(range(len(rows))),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i}" for i in range(n)),
        outcome=rows,
        confidence=np.full(rows.shape, np.nan),
        no_answer=np.zeros(n, dtype=np.bool_),
        tags=tuple(frozenset({"easy" if i < first else "hard", "any"}) for i in range(n)),
    )


RIGHT, WRONG = ["correct"], ["wrong"]


def test_a_tag_is_a_column_of_ones_and_zeros_under_every_seed():
    made = tagged(RIGHT * 2, WRONG, seeds=3)
    columns = made.reads(SCORE)
    assert columns["tag:easy"].tolist() == [[1, 1, 0]] * 3
    assert made.tagged("any").tolist() == [1, 1, 1]
    assert made.tagged("no such tag").tolist() == [0, 0, 0]
    assert made.only(["s2", "s0"]).tagged("easy").tolist() == [0, 1]
    assert is_column("tag:easy")


def test_a_table_without_tags_has_none():
    bare = replace(tagged(RIGHT * 2, WRONG), tags=())
    assert bare.tagged("easy").tolist() == [0, 0, 0]
    assert isinstance(infer(SCORE, bare, over=SAMPLES, rng=0), Undefined)


def test_the_score_weighs_levels_not_samples():
    found = infer(SCORE, tagged(RIGHT * 9, RIGHT + WRONG), over=SAMPLES, rng=0)
    assert found.value == 100 * (1 + 3 * 0.5) / 4
    low, high = found.interval()
    assert 0 < low < found.value < high < 100


def test_a_census_has_the_same_value():
    made = tagged(RIGHT * 9, RIGHT + WRONG)
    found = infer(SCORE, made, over=frozenset(), rng=0)
    assert found == Census(infer(SCORE, made, over=SAMPLES, rng=0).value)


def test_what_crashed_is_not_asked_and_a_level_that_crashed_whole_leaves_no_score():
    some = tagged(RIGHT * 4, ["correct", "crashed", "wrong"])
    assert infer(SCORE, some, over=SAMPLES, rng=0).value == 100 * (1 + 3 * 0.5) / 4
    whole = tagged(RIGHT * 4, ["crashed"] * 3)
    for over in (SAMPLES, frozenset()):
        assert infer(SCORE, whole, over=over, rng=0).value is None


def test_a_resample_without_a_level_keeps_its_share_as_it_was():
    columns = {
        "correct": np.array([1.0, 0.0, 1.0, 0.0]),
        "asked": np.ones(4),
        "tag:easy": np.array([1.0, 1.0, 0.0, 0.0]),
        "tag:hard": np.array([0.0, 0.0, 1.0, 1.0]),
    }
    of = SCORE.form.of
    assert of(columns, np.ones(4)) == 50.0
    assert of(columns, np.array([2.0, 0.0, 0.0, 2.0])) == 25.0
    assert of(columns, np.array([4.0, 0.0, 0.0, 0.0])) == 100 * (1 + 3 * 0.5) / 4
    assert of({**columns, "tag:hard": np.zeros(4)}, np.ones(4)) == 50.0
    assert of({**columns, "tag:hard": np.zeros(4), "tag:easy": np.zeros(4)}, np.ones(4)) is None


def test_a_reply_that_the_share_does_not_apply_to_counts_nowhere():
    columns = {
        "correct": np.array([1.0, np.nan]),
        "asked": np.ones(2),
        "tag:easy": np.ones(2),
        "tag:hard": np.zeros(2),
    }
    assert SCORE.form.of(columns, np.ones(2)) == 100.0


def test_a_sample_in_two_levels_leaves_no_interval():
    made = replace(tagged(RIGHT, WRONG), tags=(frozenset({"easy", "hard"}), frozenset({"hard"})))
    assert (
        infer(SCORE, made, over=SAMPLES, rng=0).method == "undefined: a sample stands in two strata"
    )


def test_over_seeds_the_interval_is_wider():
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((3, 40)) < np.array([[0.2], [0.5], [0.8]]), "correct", "wrong")
    made = tagged(rows[:, :20], rows[:, 20:])
    narrow, wide = (infer(SCORE, made, over=over, rng=0) for over in (SAMPLES, BOTH))
    assert narrow.value == wide.value
    assert wide.interval()[0] < narrow.interval()[0] < narrow.interval()[1] < wide.interval()[1]
    same = tagged(RIGHT * 3, WRONG * 3, seeds=3)
    assert infer(SCORE, same, over=BOTH, rng=0).method == "undefined: seed has no effect"
    assert infer(SCORE, tagged(RIGHT, WRONG), over=BOTH, rng=0).value is None


def test_two_systems_are_paired_level_by_level():
    one = tagged(RIGHT * 10, RIGHT * 5 + WRONG * 5)
    two = tagged(RIGHT * 10, WRONG * 10)
    found = infer_difference(SCORE, one, two, over=SAMPLES, rng=0)
    assert found.value == pytest.approx(37.5)
    low, high = found.interval()
    assert 0 < low < 37.5 < high < 100
    census = infer_difference(SCORE, one, two, over=frozenset(), rng=0)
    assert census.value == pytest.approx(37.5)


def test_a_system_with_seeds_is_compared_with_one_that_has_none():
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((3, 40)) < np.array([[0.2], [0.5], [0.8]]), "correct", "wrong")
    one, two = tagged(rows[:, :20], rows[:, 20:]), tagged(RIGHT * 20, WRONG * 20)
    narrow, wide = (infer_difference(SCORE, one, two, over=over, rng=0) for over in (SAMPLES, BOTH))
    assert narrow.value == pytest.approx(wide.value)
    value = (
        infer(SCORE, one, over=SAMPLES, rng=0).value - infer(SCORE, two, over=SAMPLES, rng=0).value
    )
    assert narrow.value == pytest.approx(value)
    assert wide.interval()[0] < narrow.interval()[0]
    assert wide.interval()[1] > narrow.interval()[1]
