"""How well a confidence tells what has an answer: many resamples at once are those one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.families.intent.tasks.outside_metrics import COLUMNS, OUTSIDE_METRICS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 8))
def test_many_resamples_at_once_are_those_one_by_one(seed, n, n_groups):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 6, n)
    columns = {name: (kind == i).astype(float) for i, name in enumerate(COLUMNS[:6])}
    columns["asked"] = (rng.random(n) < 0.9).astype(float)
    columns["no_answer"] = np.where(
        (kind == 3) | (kind == 4), 1.0, (kind == 5) * 1.0 * (rng.random(n) < 0.5)
    )
    columns["confidence"] = np.where(rng.random(n) < 0.2, np.nan, rng.integers(0, 5, n) / 4)
    groups = rng.integers(0, n_groups, n)
    drawn = rng.integers(0, 3, (70, n_groups)).astype(np.int16)
    for metric in OUTSIDE_METRICS:
        many = metric.form.prepare(columns, groups)(drawn)
        for counts, value in zip(drawn, many, strict=True):
            one = metric.form.of(columns, counts[groups].astype(float))
            if one is None:
                assert np.isnan(value)
            else:
                assert abs(one - value) < 1e-9


def test_known_answers():
    columns = {name: np.zeros(4) for name in COLUMNS}
    columns["asked"] = np.ones(4)
    columns["correct"] = np.array([1.0, 1, 0, 0])
    columns["invented"] = np.array([0.0, 0, 1, 1])
    columns["no_answer"] = np.array([0.0, 0, 1, 1])
    columns["confidence"] = np.array([0.9, 0.6, 0.7, 0.1])
    auroc, fpr = (metric.form.of(columns, np.ones(4)) for metric in OUTSIDE_METRICS)
    assert (auroc, fpr) == (0.75, 0.5)
