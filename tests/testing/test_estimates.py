"""``assay.estimates``: a plugin's numbers have the intervals that a run's numbers have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError, Over
from assay.estimates import census, facts, share, spell
from assay.stats import clusters


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
