"""The contract that plugin authors test with passes what is sound and names what is not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args

import pytest

from assay import DataError, PluginError, Recipe, Task
from assay.engine.plugins import make_recipe, make_task
from assay.families.toy.errands import errands
from assay.testing import FAULTS, HOSTILE, Fault, Faulty, check_recipe, check_task, hash_of


@pytest.fixture(scope="module")
def task() -> Task:
    return errands()


@pytest.mark.parametrize("seed", [7, 8])
def test_the_toy_task_keeps_its_contract(seed: int) -> None:
    check_task(errands(seed=seed))


@pytest.mark.parametrize("name", ["toy.votes", "toy.last_word"])
def test_the_toy_recipes_keep_their_contract(name: str, task: Task, tmp_path: Path) -> None:
    check_recipe(make_recipe(name, {}, where="", base=tmp_path), task, workdir=tmp_path)


HARMLESS = ("none", "silent", "reversed", "peeking", "hostile", "huge", "prints", "stateful")
"""These systems are bad, and none of them breaks what the engine relies on."""

BREAKING: dict[str, tuple[type[BaseException], str]] = {
    "empty": (PluginError, "one reply per question"),
    "too_few": (PluginError, "one reply per question"),
    "doubled": (PluginError, "one reply per question"),
    "unknown": (PluginError, "one reply per question"),
    "shifted": (PluginError, "in another order"),
    "non_finite": (PluginError, "non_finite"),
    "bad_confidence": (PluginError, "bad_confidence"),
    "not_json": (PluginError, "not_json"),
    "raises": (RuntimeError, "cannot answer"),
    "disk": (OSError, "No space left"),
    "build_raises": (RuntimeError, "cannot be built"),
}
ENDING = ("dies", "hangs")
"""These take the process of the test with them."""


def test_every_fault_is_spoken_for() -> None:
    assert set(FAULTS) == {*HARMLESS, *BREAKING, *ENDING}
    assert get_args(Fault) == FAULTS


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_system_that_is_only_bad_passes(fault: Any, task: Task, tmp_path: Path) -> None:
    slow = fault in ("huge", "peeking")
    check_recipe(Faulty(fault=fault, every=30 if slow else 1), task, workdir=tmp_path)


@pytest.mark.parametrize("fault", BREAKING)
@pytest.mark.parametrize("every", [1, 7])
def test_a_system_that_breaks_the_contract_fails_with_a_name_for_it(
    fault: Any, every: int, task: Task, tmp_path: Path
) -> None:
    kind, words = BREAKING[fault]
    with pytest.raises(kind, match=words):
        check_recipe(Faulty(fault=fault, every=every), task, workdir=tmp_path)


def test_a_system_that_dies_ends_the_test_and_does_not_pass_it(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from assay.families.toy.errands import errands
        from assay.testing import Faulty, check_recipe
        check_recipe(Faulty(fault="dies"), errands(), workdir=Path({str(tmp_path)!r}))
        print("passed")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9
    assert "passed" not in done.stdout


ODD = {
    "seed_matters": "under another seed, though seeded is False",
    "seed_matters_together": "when built together",
    "order_matters": "in another order",
    "batch_matters": "one at a time",
    "counts_secretly": "in another order",
    "moody": "in another order",
    "bad_digest": "no sha256 digest",
    "text_for_reply": "not a Reply",
    "deep": "not_json",
    "surrogate": "not_json",
    "bad_proposal": "bad_confidence",
    "text_for_usage": "usage.busy_s",
}


@pytest.mark.parametrize("what", ODD)
def test_a_recipe_that_is_odd_in_secret_is_found_out(
    plugins: None, what: str, tmp_path: Path
) -> None:
    task = make_task("awkward.copy", {}, where="", base=tmp_path)
    seeded = what == "seed_matters_together"
    recipe = make_recipe("awkward.odd", {"what": what}, where="", base=tmp_path)
    object.__setattr__(recipe, "seeded", seeded)
    with pytest.raises(PluginError, match=ODD[what]):
        check_recipe(recipe, task, workdir=tmp_path)


@pytest.mark.parametrize("what", ["whole_numbers", "numpy_confidence", "counts"])
def test_a_recipe_that_is_odd_and_says_so_passes(plugins: None, what: str, tmp_path: Path) -> None:
    task = make_task("awkward.copy", {}, where="", base=tmp_path)
    recipe: Recipe = make_recipe("awkward.odd", {"what": what}, where="", base=tmp_path)
    object.__setattr__(recipe, "seeded", True)
    check_recipe(recipe, task, workdir=tmp_path)


BAD_TASKS: dict[str, tuple[type[BaseException], str]] = {
    "leaks": (DataError, "A201 the group 'shared' is shared by train and test"),
    "id_twice": (DataError, "A201 two samples of test have the same id"),
    "id_in_two_splits": (DataError, "A201 the sample id 'everywhere' stands in tune"),
    "changes": (DataError, "other samples the second time"),
    "tuple_target": (DataError, "read back otherwise"),
    "nan_input": (DataError, "cannot be stored"),
    "number_id": (DataError, "cannot be stored"),
    "surrogate": (DataError, "cannot be stored"),
    "no_metrics": (PluginError, "metrics need names"),
    "metric_twice": (PluginError, "metrics need names"),
    "gold_fails": (PluginError, "the gold answer of 'test-001' does not pass"),
    "mutants_pass": (PluginError, "a wrong answer to .* passes"),
    "too_few_checks": (PluginError, "one check per answer"),
    "too_many_checks": (PluginError, "one check per answer"),
    "no_check": (PluginError, "does not pass"),
    "loses_some": (PluginError, "does not pass"),
    "empty_test": (DataError, "the test split is empty"),
    "empty_id": (DataError, "a sample of test has no id"),
}


@pytest.mark.parametrize("fault", BAD_TASKS)
def test_a_task_that_breaks_the_contract_fails_with_a_name_for_it(
    plugins: None, fault: str, tmp_path: Path
) -> None:
    bad = make_task("awkward.bad", {"fault": fault}, where="", base=tmp_path)
    kind, words = BAD_TASKS[fault]
    with pytest.raises(kind, match=words):
        check_task(bad)


def test_a_task_whose_only_fault_is_to_be_small_passes(plugins: None, tmp_path: Path) -> None:
    check_task(make_task("awkward.copy", {"n": 4}, where="", base=tmp_path))


def test_a_metric_that_reads_tags_of_no_sample_is_found_out(task: Task) -> None:
    [first, *_] = task.metrics
    reads = replace(first, name="by_tag", columns=(*first.columns, "tag:L1"))
    with pytest.raises(PluginError, match="no sample has a tag that 'by_tag' reads"):
        check_task(replace(task, metrics=(*task.metrics, reads)))


def test_hostile_texts_are_hostile_in_different_ways() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 8
    assert any("\x00" in text for text in HOSTILE)
    assert any("<script>" in text for text in HOSTILE)
    assert any("\u202e" in text for text in HOSTILE)


def test_the_place_of_a_fault_depends_on_the_text_only_and_is_spread_evenly() -> None:
    found = [hash_of(f"test/{i:03}-{i % 4}") % 8 for i in range(800)]
    assert all(70 < found.count(rest) < 130 for rest in range(8))
