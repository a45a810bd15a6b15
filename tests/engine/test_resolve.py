"""Every name, number and file of a plan is checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError, PlanError, PluginError, Sample
from assay.core.errors import AssayError
from assay.engine.plugins import check_options, known, load_tasks
from assay.engine.resolve import CONTROLS, Resolved
from assay.engine.splits import check_splits
from runs import SMOKE, resolve_plan, write_plan
from strategies import sample_sets

GOOD = """\
name: good
seeds: [0, 1]
tasks:
  - {use: toy.errands, name: errands}
systems:
  - {name: votes, use: toy.votes}
  - {name: last-word, use: toy.last_word}
fronts: [[accuracy, latency_p50]]
claims:
  - id: better
    says: It is better.
    task: errands
    system: votes
    against: last-word
    metric: accuracy
    at_least: 0.0
    over: [samples]
"""

MISTAKES = {
    "a task": ("use: toy.errands", "use: toy.errand", "A103", "no task", "'toy.errands'", 4),
    "a recipe": ("use: toy.votes", "use: toy.vote", "A103", "no recipe", "'toy.votes'", 6),
    "a task for a recipe": ("use: toy.votes", "use: toy.errands", "A103", "no recipe", "", 6),
    "an option of a task": ("name: errands", "options: {sed: 1}", "A101", "no option 'sed'", "'seed'", 4),
    "an option of a system": ("use: toy.votes", "use: toy.votes, options: {bags: 1}", "A101", "no option 'bags'", "'bag'", 6),
    "an option of the wrong type": ("use: toy.votes", "use: toy.votes, options: {bag: much}", "A102", "toy.votes.bag", "float", 6),
    "what is no option": ("use: toy.votes", "use: toy.votes, options: {seeded: false}", "A101", "no option 'seeded'", "", 6),
    "a claim's task": ("task: errands", "task: errand", "A103", "no task is called 'errand'", "'errands'", 12),
    "a claim's system": ("system: votes", "system: voters", "A103", "no system is called", "'votes'", 13),
    "a claim's other system": ("against: last-word", "against: lastword", "A103", "no system is called", "'last-word'", 14),
    "a claim against itself": ("against: last-word", "against: votes", "A104", "against itself", "", 14),
    "a claim's metric": ("metric: accuracy", "metric: acuracy", "A103", "no metric of errands", "'accuracy'", 15),
    "a ratio within less than itself": ("metric: accuracy\n    at_least: 0.0", "metric: usd_per_1k\n    within: 0.9", "A104", "none is within a factor of 0.9", "1.25", 16),
    "a headline without a rival": ("against: last-word", "headline: true", "A102", "name it in `against`", "", None),
    "a difference of one": ("    against: last-word\n    metric: accuracy\n    at_least: 0.0", "    metric: accuracy\n    within: 0.1", "A102", "name one in `against`", "", None),
    "a front's metric": ("latency_p50", "latency_p5", "A103", "no metric is called 'latency_p5'", "'latency_p95'", 8),
    "a control's name": ("name: last-word", "name: random", "A104", "name of a control", "another name", 7),
    "the price table": ("seeds: [0, 1]", "prices: desktop", "A103", "no price table", ".yaml", 2),
    "a price file": ("seeds: [0, 1]", "prices: gone.yaml", "A100", "cannot be read", "", None),
}  # fmt: skip


def refused(folder: Path, text: str, *overrides: str) -> AssayError:
    with pytest.raises(AssayError) as caught:
        resolve_plan(write_plan(folder, text), *overrides)
    return caught.value


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_name_that_does_not_exist_is_refused_with_its_line(tmp_path: Path, mistake: str) -> None:
    old, new, code, words, hint, line = MISTAKES[mistake]
    assert old in GOOD
    error = refused(tmp_path, GOOD.replace(old, new, 1))
    assert isinstance(error, PlanError)
    assert error.code == code
    assert words in error.what
    assert hint in error.hint
    if line is not None:
        assert error.where == f"{tmp_path / 'plan.yaml'}:{line}"


@pytest.mark.parametrize("key", ["metric", "cheapest"])
def test_a_metric_to_ship_by_must_exist_also_in_a_plan_without_claims(
    tmp_path: Path, key: str
) -> None:
    text = GOOD[: GOOD.index("claims:")] + f"ship: {{{key}: acuracy}}\n"
    error = refused(tmp_path, text)
    assert error.code == "A103"
    assert "'accuracy'" in error.hint or key == "cheapest"


def test_seeds_in_a_claim_need_seeds_in_the_plan(tmp_path: Path) -> None:
    text = GOOD.replace("over: [samples]", "over: [samples, seeds]")
    resolve_plan(write_plan(tmp_path, text))
    error = refused(tmp_path, text, "seeds=[0]")
    assert error.code == "A104"
    assert "one seed only" in error.what


def test_seeds_in_a_claim_need_a_system_that_takes_them(tmp_path: Path) -> None:
    text = GOOD.replace("over: [samples]", "over: [seeds]").replace(
        "system: votes", "system: silent"
    )
    assert refused(tmp_path, text).code == "A104"


def test_a_claim_in_a_plan_with_two_tasks_must_name_one(tmp_path: Path) -> None:
    two = "  - {use: toy.errands, name: errands}\n  - {use: toy.errands, name: more}\n"
    text = GOOD.replace("  - {use: toy.errands, name: errands}\n", two)
    resolve_plan(write_plan(tmp_path, text))
    error = refused(tmp_path, text.replace("    task: errands\n", ""))
    assert (error.code, error.where) == ("A104", f"{tmp_path / 'plan.yaml'}:11")


@pytest.mark.parametrize(
    ("use", "kind", "code", "words"),
    [
        ("awkward.gone", PluginError, "A400", "no_such_name"),
        ("awkward.away", PluginError, "A400", "no_such_module_anywhere"),
        ("awkward.nothing", PluginError, "A400", "not a Task"),
        ("awkward.bad", PlanError, "A100", "needs the option 'fault'"),
        ("awkward.copi", PlanError, "A103", "no task"),
    ],
)
def test_a_task_that_cannot_be_made_says_why(
    plugins: None, tmp_path: Path, use: str, kind: Any, code: str, words: str
) -> None:
    error = refused(tmp_path, GOOD.replace("use: toy.errands", f"use: {use}"))
    assert isinstance(error, kind)
    assert error.code == code
    assert words in error.what
    assert error.where == f"{tmp_path / 'plan.yaml'}:4"


@pytest.mark.parametrize(
    ("use", "code", "words"),
    [
        ("awkward.nothing", "A400", "no build, seeded and needs"),
        ("awkward.picky", "A100", "needs the option 'size'"),
        ("awkward.odd, options: {what: flying}", "A102", "flying"),
    ],
)
def test_a_recipe_that_cannot_be_made_says_why(
    plugins: None, tmp_path: Path, use: str, code: str, words: str
) -> None:
    error = refused(tmp_path, GOOD.replace("use: toy.votes", f"use: {use}"))
    assert error.code == code
    assert words in error.what


def test_a_relative_path_among_options_starts_at_the_plan(plugins: None, tmp_path: Path) -> None:
    picky = known("assay.recipes")["awkward.picky"].load()
    options = check_options(
        picky, "awkward.picky", {"size": "3", "path": "data/x"}, where="", base=tmp_path
    )
    assert options == {"size": 3, "path": tmp_path / "data/x"}
    absolute = {"size": 1, "path": "/data/x"}
    checked = check_options(picky, "awkward.picky", absolute, where="", base=tmp_path)
    assert checked["path"] == Path("/data/x")


LEAKS = {
    "leaks": ("A201", "group 'shared' is shared by train and test"),
    "id_twice": ("A201", "two samples of test have the same id"),
    "id_in_two_splits": ("A201", "'everywhere' stands in tune and in test"),
    "empty_id": ("A200", "has no id"),
    "empty_test": ("A200", "test split is empty"),
    "tuple_target": ("A200", "'test-000' would be read back otherwise"),
    "nan_input": ("A200", "'calibration-000' cannot be stored"),
    "number_id": ("A200", "7 cannot be stored"),
    "surrogate": ("A200", "'train-000' cannot be stored"),
}


@pytest.mark.parametrize("fault", LEAKS)
def test_data_that_is_not_what_it_says_is_refused_before_anything_runs(
    plugins: None, tmp_path: Path, fault: str
) -> None:
    text = GOOD.replace("use: toy.errands", f"use: awkward.bad, options: {{fault: {fault}}}")
    error = refused(tmp_path, text)
    code, words = LEAKS[fault]
    assert isinstance(error, DataError)
    assert error.code == code
    assert words in error.what


def digest(folder: Path, text: str = GOOD, *overrides: str) -> str:
    return resolve_plan(write_plan(folder, text), *overrides).digest


def test_equal_plans_have_equal_digests_wherever_they_lie(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    commented = "# a remark\n" + GOOD.replace(
        "{name: votes, use: toy.votes}", "{use: toy.votes, name: votes}"
    )
    assert digest(tmp_path) == digest(other) == digest(tmp_path, commented)


@pytest.mark.parametrize(
    "word",
    [
        "seeds=[0, 2]",
        "systems.votes.options.bag=0.5",
        "tasks.errands.options.seed=8",
        "tasks.errands.limit=9",
        "systems.votes.limit=9",
        "claims.better.at_least=0.1",
        "name=other",
    ],
)
def test_whatever_changes_what_is_asked_changes_the_digest(tmp_path: Path, word: str) -> None:
    assert digest(tmp_path) != digest(tmp_path, GOOD, word)


def test_a_system_that_takes_no_seed_has_one_cell(tmp_path: Path) -> None:
    resolved = resolve_plan(write_plan(tmp_path, GOOD))
    assert resolved.systems["votes"].seeds == (0, 1)
    assert resolved.systems["last-word"].seeds == (0,)
    assert resolved.systems["random"].seeds == (0, 1)
    assert resolved.systems["silent"].seeds == (0,)


def test_controls_run_beside_every_plan(tmp_path: Path) -> None:
    resolved = resolve_plan(write_plan(tmp_path, GOOD))
    assert [n for n, s in resolved.systems.items() if s.control] == list(CONTROLS)


def test_a_limit_asks_a_subset_and_smaller_limits_ask_subsets_of_it(tmp_path: Path) -> None:
    resolved = resolve_plan(write_plan(tmp_path, GOOD), "tasks.errands.limit=200")
    task = resolved.tasks["errands"]
    whole = {s.id for s in task.splits["test"]}
    some, few = ({s.id for s in task.asked("test", n)} for n in (120, 30))
    assert (len(whole), len(some), len(few)) == (200, 120, 30)
    assert few < some < whole
    assert task.asked("calibration", None) == task.splits["calibration"]
    assert task.asked("test", None) == task.asked("test", 200) == task.splits["test"]


def test_the_smoke_plan_resolves_without_asking_anybody() -> None:
    resolved = resolve_plan(SMOKE)
    assert isinstance(resolved, Resolved)
    assert {c.id for c in resolved.claims} == {"better", "rarely-invents", "same-again"}


def test_load_tasks_leaves_out_what_needs_options(plugins: None) -> None:
    assert sorted(load_tasks("toy.*")) == ["toy.errands"]
    assert sorted(load_tasks("awkward.c*")) == ["awkward.copy"]
    assert load_tasks("nothing.*") == {}


@given(samples=sample_sets(), data=st.data())
def test_a_group_in_two_splits_is_always_found(samples: list[Sample], data: st.DataObject) -> None:
    from dataclasses import replace

    names = ("train", "tune", "calibration", "test")
    where = {c: data.draw(st.sampled_from(names)) for c in sorted({s.cluster for s in samples})}
    splits = {n: [s for s in samples if where[s.cluster] == n] for n in names}
    if not splits["test"]:
        return
    check_splits("t", splits)
    strayed = splits["test"][0]
    splits["train"] = [*splits["train"], replace(strayed, id="another", group=strayed.cluster)]
    with pytest.raises(DataError, match="A201"):
        check_splits("t", splits)


def test_a_threshold_is_chosen_on_every_calibration_question_whatever_the_limit(tmp_path):
    text = """
    name: limits
    tasks: [{use: toy.errands}]
    systems:
      - {name: sure, use: toy.votes, abstain: {max_risk: 0.1}, limit: 5}
      - {name: last, use: toy.last_word, limit: 5}
      - {name: alone, use: toy.last_word, limit: 5}
    cascades: [{order: [sure, last]}]
    """
    systems = resolve_plan(write_plan(tmp_path, text)).systems
    asked = {n: {s: systems[n].limit_of(s) for s in systems[n].splits} for n in systems}
    assert asked["sure"] == {"tune": None, "calibration": None, "test": 5}
    assert asked["last"] == {"calibration": 5, "test": 5}
    assert asked["alone"] == {"test": 5}


def test_a_cascade_of_an_unknown_system_is_refused_with_its_line(tmp_path):
    text = """
    name: limits
    tasks: [{use: toy.errands}]
    systems: [{name: votes, use: toy.votes}]
    cascades: [{order: [votes, vote]}]
    """
    with pytest.raises(PlanError, match="no system is called 'vote'") as caught:
        resolve_plan(write_plan(tmp_path, text))
    assert caught.value.where.endswith("plan.yaml:5")
    assert "votes" in caught.value.hint
