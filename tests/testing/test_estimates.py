"""``assay.estimates``: a plugin's numbers have the intervals that a run's numbers have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError, Over
from assay.estimates import census, facts, quantile, safe_threshold, share, spell
from assay.stats import clusters, order


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=40))
def test_a_share_is_what_the_analysis_infers_of_the_same_records(records):
    hits, groups = [int(hit) for hit, _ in records], [group for _, group in records]
    mine = share("accuracy", hits, groups=groups)
    theirs = clusters.share(hits, [1] * len(hits), groups=np.unique(groups, return_inverse=True)[1])
    assert mine.value == theirs.value
    ends = theirs.interval()
    assert (mine.low, mine.high) == ((None, None) if ends is None else pytest.approx(ends))
    assert (mine.n, mine.n_groups) == (len(hits), len(set(groups)))
    assert mine.over == {Over.SAMPLES}


def test_what_was_not_asked_counts_nowhere():
    found = share("risk", [1, 0, 0], asked=[1, 1, 0], groups=["a", "b", "c"])
    assert (found.value, found.n, found.n_groups) == (0.5, 2, 2)


def test_nothing_asked_is_undefined_and_says_so():
    assert spell(share("risk", [0, 0], asked=[0, 0])).startswith("not measured")


def test_a_census_has_no_interval():
    found = census("ceiling", 0.97, n=100)
    assert (found.low, found.high, found.over) == (None, None, frozenset())
    assert facts(found)["over"] == []


def test_groups_that_do_not_fit_are_an_error():
    with pytest.raises(DataError, match="A202"):
        share("accuracy", [1, 0], groups=["a"])
    with pytest.raises(DataError, match="A202"):
        share("accuracy", [2.0, 0.0])


def test_a_safe_threshold_keeps_its_risk_on_samples_that_did_not_choose_it():
    """Confidence is the probability of being right: above 0.9, at most a tenth is wrong."""
    kept = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        sure = random.random(600)
        right = random.random(600) < sure
        found = safe_threshold(sure, right, groups=range(600), before=sure[::3], max_risk=0.1)
        if found.value is not None:
            # The mean of what is above a threshold of a uniform confidence.
            kept += (1 - found.value) / 2 <= 0.1
            assert "at most 10%" in found.says
        else:
            kept += 1
    assert kept >= 36  # 95 % are promised


def test_too_few_groups_have_no_safe_threshold_and_hear_why():
    sure = [0.9] * 500
    found = safe_threshold(sure, [True] * 500, groups=[0] * 500, before=sure, max_risk=0.05)
    assert found.value is None
    assert "no fewer than 59" in found.says


@given(st.lists(st.floats(0.001, 10), min_size=1, max_size=60), st.sampled_from([0.5, 0.9]))
def test_a_quantile_is_what_the_statistics_infer_of_the_same_values(values, q):
    mine, theirs = quantile("latency", values, q), order.quantile(values, q)
    assert mine.value == theirs.value
    ends = theirs.interval() if mine.value is not None else None
    assert (mine.low, mine.high) == ((None, None) if ends is None else ends)
    assert mine.n_groups == len(values)


def test_values_that_are_slow_together_count_as_fewer():
    times = [1.0, 1.1, 1.2] * 10 + [2.0, 2.1, 2.2] * 10
    apart = quantile("latency", times, 0.5)
    together = quantile("latency", times, 0.5, blocks=[f"b{n // 3}" for n in range(60)])
    assert together.value == apart.value
    assert together.high - together.low >= apart.high - apart.low
    assert (together.n, together.n_groups) == (60, 20)
    assert "worth 19 values" in together.method
