"""Metrics of values that may not be there: against scikit-learn, against loops, and resampled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.families.science.domains.metrics import (
    bottom_cost,
    charged_error,
    direction_accuracy,
    direction_f1,
    macro_f1,
    mean_error,
    withheld_rate,
)
from science_sitting import OUTCOMES, value

REASONS = ("above", "below")
THERE, GONE = ("correct", "wrong", "withheld"), ("declined", "invented")


@st.composite
def sittings(draw):
    """Draw what became of some questions: what was there, what was said, and the error of a value."""
    true = draw(st.lists(st.sampled_from(["value", *REASONS]), min_size=1, max_size=30))
    said = [draw(st.sampled_from(["value", *REASONS, "other", "failed"])) for _ in true]
    errors = [draw(st.floats(0, 4, allow_subnormal=False)) for _ in true]
    return list(zip(true, said, errors, strict=True))


def outcome(true, said, error):
    if said == "failed":
        return "failed"
    if true == "value":
        return "withheld" if said != "value" else "correct" if error <= 0.5 else "wrong"
    return "invented" if said == "value" else "declined"


def columns_of(sitting):
    """Return the columns that a run would make of them."""
    outcomes = [outcome(*one) for one in sitting]
    true, said, errors = (np.array(part) for part in zip(*sitting, strict=True))
    columns = {name: np.array([o == name for o in outcomes], float) for name in OUTCOMES}
    columns["asked"] = np.ones(len(sitting))
    columns["no_answer"] = (true != "value").astype(float)
    checked = np.isin(outcomes, ["correct", "wrong"])
    columns["check:error"] = np.where(checked, errors.astype(float), np.nan)
    for name in REASONS:
        columns[f"tag:{name}"] = (true == name).astype(float)
        columns[f"reason:{name}"] = (said == name).astype(float)
    return columns


def measured(metric, columns):
    return value((metric,), metric.name, columns)


@pytest.mark.slow
@given(sittings())
def test_macro_f1_is_that_of_scikit_learn(sitting):
    scores = pytest.importorskip("sklearn.metrics").f1_score
    true, said, _ = zip(*sitting, strict=True)
    labels = [name for name in ("value", *REASONS) if name in true or name in said]
    wanted = scores(true, said, labels=labels, average="macro", zero_division=0.0)
    assert measured(macro_f1(REASONS), columns_of(sitting)) == pytest.approx(wanted)


@pytest.mark.slow
@given(sittings())
def test_naming_the_side_is_scored_among_right_declines_only(sitting):
    scores = pytest.importorskip("sklearn.metrics").f1_score
    columns = columns_of(sitting)
    pairs = [(t, s) for t, s, e in sitting if outcome(t, s, e) == "declined"]
    accuracy = measured(direction_accuracy(REASONS), columns)
    f1 = measured(direction_f1(REASONS), columns)
    if not pairs:
        assert accuracy is f1 is None
        return
    true, said = zip(*pairs, strict=True)
    labels = [name for name in REASONS if name in true or name in said]
    assert accuracy == pytest.approx(np.mean([t == s for t, s in pairs]))
    assert f1 == pytest.approx(scores(true, said, labels=labels, average="macro", zero_division=0))


@given(sittings())
def test_costs_and_errors_are_those_of_a_loop(sitting):
    columns = columns_of(sitting)
    found = [(outcome(*one), *one) for one in sitting]
    cost = np.mean(
        [1.0 if o == "failed" else 0.5 * (o in ("withheld", "declined")) for o, *_ in found]
    )
    assert measured(bottom_cost(), columns) == pytest.approx(cost)
    there = [(o, e) for o, t, _, e in found if t == "value"]
    given_ = [e for o, e in there if o in ("correct", "wrong")]
    charged = [min(e, 2.0) if o in ("correct", "wrong") else 2.0 for o, e in there]
    for metric, among, wanted in (
        (withheld_rate, there, lambda: np.mean([o in ("withheld", "failed") for o, _ in there])),
        (mean_error("error", says=""), given_, lambda: np.mean(given_)),
        (charged_error("error", most=2.0, says=""), there, lambda: np.mean(charged)),
    ):
        assert measured(metric, columns) == (pytest.approx(wanted()) if among else None)


@given(sittings())
def test_declining_a_value_never_lowers_the_charged_error(sitting):
    metric = charged_error("error", most=2.0, says="")
    withheld = [(t, "above" if t == "value" else s, e) for t, s, e in sitting]
    before, after = (measured(metric, columns_of(one)) for one in (sitting, withheld))
    assert before is after is None or before <= after + 1e-12


@pytest.mark.parametrize("metric", [macro_f1(REASONS), direction_f1(REASONS)], ids=lambda m: m.name)
@given(sittings(), st.data())
def test_resampled_at_once_is_resampled_one_by_one(metric, sitting, data):
    columns = columns_of(sitting)
    held = {name: columns[name] for name in metric.columns}
    n = len(sitting)
    last = data.draw(st.integers(0, n - 1))
    groups = np.array([min(i, last) for i in range(n)])
    counts = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 3), min_size=last + 1, max_size=last + 1),
                min_size=1,
                max_size=4,
            )
        )
    )
    together = metric.form.prepare(held, groups)(counts.astype(float))
    for drawn, found in zip(counts, together, strict=True):
        alone = metric.form.of(held, drawn[groups].astype(float))
        assert np.isnan(found) if alone is None else found == pytest.approx(alone)


@pytest.mark.parametrize("said", ["value", *REASONS])
def test_who_says_the_same_to_all_scores_as_chance(said):
    sitting = [(true, said, 0.0) for true in ("value", *REASONS) for _ in range(100)]
    assert measured(macro_f1(REASONS), columns_of(sitting)) == pytest.approx(0.5 / 3)
    assert measured(macro_f1(REASONS), columns_of(sitting)) < 0.2
