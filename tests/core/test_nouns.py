"""The nouns are frozen, slotted, comparable, and need nothing but Python."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay.core
from assay import Question, Sample
from assay.core import record, reply, verdict
from assay.core.sample import SPLITS
from strategies import NOUNS, samples

MODULES = sorted(m.name for m in pkgutil.iter_modules(assay.core.__path__))
POSITIONAL = {
    reply.Answer,
    reply.Bottom,
    reply.Failed,
    reply.Crash,
    reply.Reply,
    verdict.SameAnswer,
}
"""Nouns that are written in every plugin: `Reply(question.id, Answer(value, confidence))`."""


def nouns() -> list[type]:
    found = []
    for name in MODULES:
        module = importlib.import_module(f"assay.core.{name}")
        found += [
            kind
            for _, kind in inspect.getmembers(module, inspect.isclass)
            if dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__
        ]
    return found


@pytest.mark.parametrize("noun", nouns(), ids=lambda n: n.__name__)
def test_a_noun_is_frozen_and_has_slots(noun: Any) -> None:
    assert noun.__dataclass_params__.frozen
    assert "__slots__" in vars(noun)
    assert "__dict__" not in noun.__slots__


@pytest.mark.parametrize(
    "noun", [n for n in nouns() if n not in POSITIONAL], ids=lambda n: n.__name__
)
def test_the_parts_of_a_noun_are_named(noun: Any) -> None:
    assert all(field.kw_only for field in dataclasses.fields(noun))


@pytest.mark.parametrize("noun", nouns(), ids=lambda n: n.__name__)
def test_a_noun_says_what_it_is(noun: type) -> None:
    assert noun.__doc__ is not None
    assert not noun.__doc__.startswith(f"{noun.__name__}(")  # what dataclasses write themselves


@pytest.mark.parametrize("noun", NOUNS, ids=lambda n: n.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_a_noun_cannot_be_changed_and_equals_its_copy(noun: Any, data: st.DataObject) -> None:
    value = data.draw(NOUNS[noun])
    first = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first, None)
    with pytest.raises((AttributeError, TypeError)):
        value.something_new = 1
    assert dataclasses.replace(value) == value


@pytest.mark.parametrize(
    "noun", [n for n in NOUNS if n.__name__ != "Metric"], ids=lambda n: n.__name__
)
@settings(max_examples=20)
@given(data=st.data())
def test_a_noun_survives_pickling(noun: Any, data: st.DataObject) -> None:
    value = data.draw(NOUNS[noun])
    assert pickle.loads(pickle.dumps(value)) == value


def test_every_noun_that_is_plain_data_has_a_strategy() -> None:
    made_of_code = {"Task", "Built", "SameAnswer", "Ratio", "Statistic", "Strata", "Distance"}
    assert {n.__name__ for n in nouns()} - made_of_code == {n.__name__ for n in NOUNS}


@given(sample=samples(), attempt=st.integers(0, 9), seed=st.integers(0, 99))
def test_a_question_shows_neither_target_nor_group_nor_tags(
    sample: Sample, attempt: int, seed: int
) -> None:
    question = sample.question(attempt=attempt, seed=seed)
    assert {f.name for f in dataclasses.fields(Question)} == {"id", "input", "attempt", "seed"}
    assert question == Question(id=sample.id, input=sample.input, attempt=attempt, seed=seed)


@given(sample=samples())
def test_a_sample_without_a_group_is_a_group_of_its_own(sample: Sample) -> None:
    assert sample.cluster == (sample.group or sample.id)


def test_cells_sort_and_print_as_their_place() -> None:
    one = record.Cell(task="t", system="a", seed=0, split="test")
    two = record.Cell(task="t", system="a", seed=1, split="calibration")
    assert sorted([two, one]) == [one, two]
    assert str(two) == "t/a/1-calibration"


def test_there_are_four_splits() -> None:
    assert SPLITS == ("train", "tune", "calibration", "test")


def test_the_core_imports_only_the_standard_library() -> None:
    """Without site-packages, every module of the core can still be imported."""
    source = next(iter(assay.__path__)) + "/.."
    code = f"import sys; sys.path.insert(0, {source!r})\n"
    code += "".join(f"import assay.core.{name}\n" for name in MODULES)
    code += "tops = {name.partition('.')[0] for name in sys.modules}\n"
    code += "print(*sorted(tops - sys.stdlib_module_names - {'__main__'}))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["assay"]
