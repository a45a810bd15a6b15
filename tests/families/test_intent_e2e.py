"""End to end: worlds that can be read, a truth that the rails did not write, broken parts that show."""

import json
from pathlib import Path

import pytest

from assay import Answer, Bottom, PlanError, PluginError, Reply
from assay.families.intent.commands.suites import e2e as e2e_command
from assay.families.intent.commands.suites import rails as rails_command
from assay.families.intent.e2e.recipe import HandlerRecipe
from assay.families.intent.e2e.suite import differences, handle_cases, ways
from assay.families.intent.e2e.task import e2e, make
from assay.families.intent.rails import read_context, read_policy
from assay.families.intent.rails.canonical import canonical
from assay.families.intent.tasks.defi import make as defi_samples
from assay.families.intent.tasks.slots import SameSteps
from assay.testing import check_recipe, check_task

TASK = e2e(size=80)


def outcomes(recipe, samples):
    """Count what a system's answers come to."""
    system = recipe.build([], [], seed=0, workdir=Path()).system
    said = {r.question: r.said for r in system.answer([s.question(seed=0) for s in samples])}
    counts = dict.fromkeys(("correct", "wrong", "withheld", "invented", "declined"), 0)
    for sample in samples:
        one = said[sample.id]
        match sample.target, one:
            case Answer(), Answer():
                [check] = SameSteps().check([(sample, Reply(sample.id, one))])
                counts["correct" if check.passed else "wrong"] += 1
            case Answer(), _:
                counts["withheld"] += 1
            case _, Answer():
                counts["invented"] += 1
            case _:
                counts["declined"] += 1
    return counts


@pytest.mark.slow
def test_the_task_and_the_recipe_keep_their_contracts(tmp_path):
    check_task(TASK)
    check_recipe(HandlerRecipe(decide="keywords"), TASK, workdir=tmp_path)


@pytest.mark.slow
def test_every_world_can_be_read():
    for sample in make("test", 80, 20261120):
        read_context(sample.input["context"])
        read_policy(sample.input["policy"])


@pytest.mark.slow
def test_no_family_of_the_test_was_in_the_lessons_of_the_mapper():
    splits = defi_samples(300, 0.25, 20261120)
    learnt = {s.cluster for split in ("train", "tune") for s in splits[split]}
    assert not learnt & {s.cluster for s in TASK.samples("test")}


@pytest.mark.slow
def test_half_of_the_worlds_have_something_wrong_and_both_fates_are_there():
    samples = TASK.samples("test")
    ample = sum("ample" in s.tags for s in samples)
    assert 0.3 < ample / len(samples) < 0.7
    answers = sum(isinstance(s.target, Answer) for s in samples)
    rails = sum(isinstance(s.target, Bottom) and "rail:" in s.target.reason for s in samples)
    assert answers > 10
    assert rails > 10


@pytest.mark.slow
def test_without_rails_much_is_carried_out_that_must_not_be():
    samples = TASK.samples("test")
    railed = outcomes(HandlerRecipe(decide="keywords"), samples)
    bare = outcomes(HandlerRecipe(decide="keywords", rails=False), samples)
    assert bare["invented"] > railed["invented"] + 5
    assert railed["correct"] > railed["withheld"]


def test_canonical_requests_give_the_same_whole_outputs_at_every_batch_size():
    recipe = HandlerRecipe(decide="keywords")
    handler = recipe.build([], [], seed=0, workdir=Path()).system.handler
    runs = [handle_cases(handler, canonical(), batch=batch) for batch in (1000, 1, 7)]
    assert differences(runs) == []
    assert all(one.case.expect == "execute" for one in runs[0] if one.said == "execute")


def test_outputs_that_differ_are_named():
    recipe = HandlerRecipe(decide="keywords")
    handler = recipe.build([], [], seed=0, workdir=Path()).system.handler
    some = canonical()[:2]
    one = handle_cases(handler, some, batch=2)
    other = [type(d)(case=d.case, said=d.said, output={**d.output, "reason": "else"}) for d in one]
    assert differences([one, other]) == [case.id for case in some]


def test_no_two_ways_are_alike():
    found = ways(4)
    assert len({(way.batch, way.threads, way.hash_seed) for way in found}) == 4


def test_the_rails_command_passes_on_the_canonical_situations(tmp_path):
    page = rails_command(out=tmp_path / "rails", runs=2)
    assert page.code == 0
    written = json.loads((tmp_path / "rails" / "summary.json").read_text())
    assert written["ok"] == written["total"] >= 40
    assert "whole outputs identical" in (tmp_path / "rails" / "report.md").read_text()


def test_a_file_is_no_place_for_a_report(tmp_path):
    (tmp_path / "file").write_text("x")
    for command in (rails_command, e2e_command):
        with pytest.raises(PlanError, match="A106"):
            command(out=tmp_path / "file")


def test_a_mapper_that_is_none_is_said_before_any_process_starts(tmp_path):
    with pytest.raises(PluginError, match=r"A403(?s:.*)card\.json is missing"):
        e2e_command(out=tmp_path / "e2e", mapper=tmp_path, size=0)
    assert not (tmp_path / "e2e").exists()


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_the_e2e_command_says_what_was_invented_with_a_bound(tmp_path):
    page = e2e_command(out=tmp_path / "e2e", runs=2, size=0)
    written = json.loads((tmp_path / "e2e" / "summary.json").read_text())
    assert page.code == 0
    assert written["outputs_differ"] == []
    assert "at most" in written["invented"]["says"]
    assert e2e_command(out=tmp_path / "e2e", runs=1, size=0, min_accuracy=1.0).code == 1
