"""Heads learn on another device as they do here; on a GPU, where there is one, the same each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.families.science.learning.device import class_of, repeatable
from assay.families.science.learning.teaching import Search, teach
from families.test_science_learning import EVERY, lesson_of
from told_by import told_by

pytestmark = pytest.mark.heavy
SEARCH = Search(rate=2e-3, decay=1e-4, tries=2)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What came of a process that taught every head here and elsewhere."""
    pytest.importorskip("torch")
    return told_by("science_elsewhere.py", tmp_path_factory.mktemp("elsewhere"))


def test_the_device_refuses_what_a_gpu_would(told):
    assert told["refused"]["two devices"] == "add: tensors of two devices"
    assert "numpy" in told["refused"]["a look of NumPy"]
    assert told["refused"]["a careless loss"] == "add: tensors of two devices"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", EVERY)
def test_a_head_learns_the_same_on_another_device(told, name, precision):
    """Whole networks with their log, stopped and resumed, begun from others with one part that learns."""
    found = told["heads"][f"{name}, {precision}"]
    assert (found["equal"], found["resumed"], found["frozen"]) == (True, True, True)
    assert found["apart"]  # and no device goes on with files of another


@pytest.mark.parametrize("name", EVERY)
def test_a_step_is_made_where_its_lesson_is_and_in_one_order(told, name):
    """Products and Adam's step among what was done there, and nothing that CUDA does in no fixed order."""
    from elsewhere import REFUSED

    found = told["heads"][f"{name}, float32"]
    assert found["called"]["_fused_adamw_"] > 0
    assert found["called"]["bmm"] > 0
    assert not REFUSED & found["called"].keys()
    assert found["unordered"] == {}


def test_the_fixed_order_is_asked_for_while_teaching_alone():
    torch = pytest.importorskip("torch")
    with repeatable("cpu"):
        assert not torch.are_deterministic_algorithms_enabled()
    seen = []

    def fail():
        with repeatable("meta"):
            seen.append(torch.are_deterministic_algorithms_enabled())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen == [True]
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("name", EVERY)
def test_on_a_gpu_a_head_learns_the_same_twice_and_as_well_as_here(name, tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("absent: a GPU")
    lesson = lesson_of(name)
    there = replace(lesson, device="cuda")
    assert class_of("cuda") == f"cuda, {torch.cuda.get_device_name()}"
    one, again, here = (
        teach(of, SEARCH, {0: tmp_path / where}, workdir=tmp_path / f"{where} work")[0]
        for where, of in (("one", there), ("again", there), ("here", lesson))
    )
    assert np.array_equal(one.weights, again.weights)
    assert one.facts == again.facts
    assert one.facts["score"] == pytest.approx(here.facts["score"], abs=0.05)
