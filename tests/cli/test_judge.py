"""``assay verify`` and ``assay gate``: their exit status is the answer."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from assay.core.errors import PlanError
from assay.publish.gate import gate
from assay.publish.rerun import ask_again
from assay.publish.run import Run
from assay.store.canon import digest_file
from runs import execute_plan, write_plan

from .conftest import Say


def test_a_run_that_nobody_touched_is_verified(say: Say, first: Path):
    said = say("verify", first)
    assert (said.code, said.last) == (0, "verified")
    assert say("verify", first, "--json").json == {
        "run": str(first),
        "verified": True,
        "key": None,
        "faults": [],
        "rerun": [],
    }


@pytest.mark.parametrize(
    "name",
    ["plan.yaml", "samples/toy.errands/test.jsonl", "derived/claims.json", "provenance.json"],
)
def test_a_changed_file_is_named_and_exit_is_1(say: Say, copy: Path, name):
    with (copy / name).open("ab") as file:
        file.write(b" ")
    said = say("verify", copy)
    assert said.code == 1
    assert name in said.out
    assert said.last == "not verified"
    assert say("verify", copy, "--json").json["faults"][0]["path"] == name
    assert ("assay report RUN" in " ".join(said.out.split())) == name.startswith("derived/")


def test_a_missing_file_and_one_more_are_named(say: Say, copy: Path):
    (copy / "samples/toy.errands/tune.jsonl").unlink()
    (copy / "records/extra.jsonl").write_text("")
    said = say("verify", copy, "--rerun", 2)
    assert said.code == 1
    assert "tune.jsonl is missing" in said.out
    assert "extra.jsonl was added" in said.out
    assert "Asked again" not in said.out


def test_a_run_without_a_seal_is_no_verdict_but_an_error(say: Say, copy: Path):
    (copy / "SEAL").unlink()
    said = say("verify", copy)
    assert (said.code, said.err[:4]) == (2, "A301")


def test_systems_that_are_asked_again_decide_the_same(say: Say, first: Path):
    said = say("verify", first, "--rerun", 5, "--json")
    assert said.code == 0
    assert [(a["system"], a["asked"], a["same"]) for a in said.json["rerun"]] == [
        ("last-word", 5, 5),
        ("votes", 5, 5),
    ]


def test_answers_that_no_system_gave_are_found_by_asking_again(first: Path, copy: Path):
    forged = copy / "records/toy.errands/last-word/0-test.jsonl"
    forged.write_text(forged.read_text().replace('"bottom"', '"failed"'))
    run = replace(Run.load(first), dir=replace(Run.load(first).dir, root=copy))
    found = {a.system: a for a in ask_again(run, 120, draw=random.Random(0))}
    assert found["votes"].sound
    assert found["last-word"].differ
    assert not found["last-word"].sound


def test_a_system_that_cannot_be_built_is_no_proof(first: Path):
    run = Run.load(first)
    facts = run.manifest.systems["votes"].model_copy(
        update={"options": {"bag": 0.0001}, "use": "x"}
    )
    manifest = run.manifest.model_copy(update={"systems": {"votes": facts}})
    [again] = ask_again(replace(run, manifest=manifest), 3)
    assert not again.sound
    assert "cannot be built here: A103 no recipe is called 'x'" in again.why_not


def test_the_gate_is_open_when_every_claim_is_supported(say: Say, first: Path):
    said = say("gate", first)
    assert (said.code, said.last) == (0, "The gate is open.")
    assert say("gate", first, "--json").json["passes"]


def test_the_gate_is_closed_by_a_claim_that_does_not_hold(say: Say, second: Path):
    said = say("gate", second)
    assert said.code == 1
    assert "fail  claim" in said.out
    assert said.last.startswith("The gate is closed: ")
    assert not say("gate", second, "--json").json["passes"]


def test_a_run_is_not_worse_than_itself(first: Path):
    found = gate(Run.load(first), Run.load(first))
    assert found.passes
    assert {c.why for c in found.checks if c.source == "baseline"} == {
        "is the same system, and decided every sample the same"
    }


THRESHOLD = """\
name: threshold
says: The same answers, of which fewer are shipped
seeds: [0]
tasks: [{use: toy.errands}]
systems:
  - {name: votes, use: toy.votes, abstain: {max_risk: 0.1}}
  - {name: of-votes, of: votes, abstain: {max_risk: 0.1}}
timing: {processes: 1, blocks: 1, questions: 1}
"""


def test_the_same_answers_above_another_threshold_are_no_unchanged_system(tmp_path: Path):
    loose, strict = (
        Run.load(execute_plan(write_plan(tmp_path, text, f"{name}.yaml"), tmp_path / name).root)
        for name, text in (("loose", THRESHOLD), ("strict", THRESHOLD.replace("0.1", "0.01")))
    )
    found = gate(strict, loose)
    assert [c.passes for c in found.checks] == [False, False]
    assert all("is not shown to be" in c.why for c in found.checks)
    assert found.alarms.rate is not None
    assert [c.why for c in gate(loose, loose).checks] == [
        "is the same system, and decided every sample the same"
    ] * 2


def test_what_is_not_judged_and_got_worse_is_named(say: Say, tmp_path: Path):
    more = THRESHOLD.replace(
        "0.1}}\n  - {name: of-votes, of: votes, abstain: {max_risk: 0.1}}", "0.35}}"
    )
    fewer = more.replace("0.35", "0.05")
    loose, strict = (
        execute_plan(write_plan(tmp_path, text, f"{name}.yaml"), tmp_path / name).root
        for name, text in (("more", more), ("fewer", fewer))
    )
    said = say("gate", loose, "--baseline", strict, "--summary", tmp_path / "gate.md")
    assert said.code == 0
    assert "toy.errands/votes: " in said.out
    named = said.out.partition("toy.errands/votes: ")[2].splitlines()[0]
    assert "invention_rate" in named
    assert "accuracy" not in named.split(", ")
    assert "Not judged, and worse" in (tmp_path / "gate.md").read_text()
    assert "Not judged" not in say("gate", loose, "--baseline", loose).out


def test_a_system_that_got_worse_closes_the_gate(first: Path, second: Path):
    checks = gate(Run.load(second), Run.load(first)).checks
    [votes] = [c for c in checks if c.name == "toy.errands/votes"]
    assert not votes.passes
    assert "is not shown" in votes.why


def test_what_is_merely_not_significant_does_not_pass_a_margin_too_narrow_to_show(first, second):
    better, worse = Run.load(first), Run.load(second)
    [votes] = [c for c in gate(better, worse, margin=0.0).checks if c.name.endswith("votes")]
    assert votes.passes is (votes.estimate.low >= 0)


def test_a_wide_margin_is_shown_and_the_narrowest_is_told(first: Path, second: Path):
    checks = gate(Run.load(second), Run.load(first), margin=1.0).checks
    assert all(c.passes for c in checks if c.source == "baseline")
    [told] = [
        c.why for c in gate(Run.load(second), Run.load(first)).checks if c.name.endswith("/votes")
    ]
    margin = float(told.partition("a margin of ")[2].rstrip(")"))
    assert gate(Run.load(second), Run.load(first), margin=margin * 1.01).checks[-1].passes


def test_a_system_that_is_gone_does_not_pass(first: Path):
    run, baseline = Run.load(first), Run.load(first)
    run.__dict__["results"] = less(run.results, "votes")
    [gone] = [c for c in gate(run, baseline).checks if c.name == "toy.errands/votes"]
    assert not gone.passes
    assert gone.why == "is in the baseline, and not in this run"


def less(results, system):
    """Return results without a system."""
    cases = {
        task: replace(case, tables={n: t for n, t in case.tables.items() if n != system})
        for task, case in results.cases.items()
    }
    return replace(results, cases=cases)


def test_a_gate_on_fewer_samples_says_on_how_many(first: Path, second: Path):
    few = Run.load(second)
    case = few.results.cases["toy.errands"]
    tables = {n: t.only(t.samples[: len(t.samples) // 2]) for n, t in case.tables.items()}
    few.__dict__["results"] = replace(
        few.results, cases={"toy.errands": replace(case, tables=tables)}
    )
    [votes] = [c for c in gate(few, Run.load(first)).checks if c.name.endswith("/votes")]
    half = len(tables["votes"].samples)
    assert f", on the {half} samples that both asked" in votes.why


def test_a_gate_says_how_often_it_is_closed_for_nothing(say: Say, first: Path, second: Path):
    narrow = say("gate", second, "--baseline", first, "--json").json["false_alarms"]
    wide = say("gate", second, "--baseline", first, "--margin", 1, "--json").json["false_alarms"]
    assert wide["closed"] == 0
    assert narrow["rate"] == narrow["closed"] / narrow["trials"] > 0.5
    assert narrow["low"] <= narrow["rate"] <= narrow["high"]
    assert "A wider margin or more samples" in say("gate", second, "--baseline", first).out


def test_a_gate_that_nothing_can_close_says_so(say: Say, first: Path):
    told = say("gate", first, "--baseline", first, "--json").json["false_alarms"]
    assert told == {"why_not": "every system is the same, and decided every sample the same"}
    assert say("gate", first, "--json").json["false_alarms"] is None


def test_a_gate_with_nothing_to_judge_is_your_mistake(first: Path):
    run = Run.load(first)
    bare = replace(run.results, findings=())
    run.__dict__["results"] = bare
    with pytest.raises(PlanError, match="nothing to judge"):
        gate(run)


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf")])
def test_a_margin_that_is_none_is_your_mistake(first: Path, margin):
    with pytest.raises(PlanError, match="A106"):
        gate(Run.load(first), margin=margin)


def test_a_baseline_that_was_changed_is_refused(say: Say, first: Path, copy: Path):
    (copy / "plan.yaml").write_text("x")
    said = say("gate", first, "--baseline", copy)
    assert (said.code, said.err[:4]) == (2, "A300")


def test_a_digest_is_of_the_bytes(first: Path):
    seal = json.loads((first / "SEAL").read_text())
    assert seal["files"]["plan.yaml"] == digest_file(first / "plan.yaml")
