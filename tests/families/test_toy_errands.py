"""The toy task can be made as large as somebody likes, and stays the same task."""

from __future__ import annotations

import pytest

from assay.core.errors import PlanError
from assay.families.toy.errands import errands


def test_one_copy_is_the_task_as_it_is():
    for split in ("train", "tune", "calibration", "test"):
        assert errands().samples(split) == errands(copies=1).samples(split)


def test_copies_of_a_request_differ_and_stay_in_the_group_of_their_pattern():
    once, thrice = errands().samples("test"), errands(copies=3).samples("test")
    assert thrice[: len(once)] == once
    assert len({s.id for s in thrice}) == len({s.input for s in thrice}) == 3 * len(once)
    for place, sample in enumerate(thrice):
        first = once[place % len(once)]
        assert sample.group == first.group
        assert sample.target == first.target
        assert sample.input.endswith(first.input)


def test_only_the_test_is_copied():
    for split in ("train", "tune", "calibration"):
        assert errands(copies=3).samples(split) == errands().samples(split)


@pytest.mark.parametrize("copies", [0, -1])
def test_fewer_than_one_copy_is_refused(copies):
    with pytest.raises(PlanError) as caught:
        errands(copies=copies)
    assert caught.value.code == "A102"
