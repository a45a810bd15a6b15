"""A run stops when its claims are decided, at the same look whatever became of its processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assay import PlanError, Run
from assay.core.errors import AssayError
from assay.publish.derive import data_files
from assay.publish.paired import pairs
from assay.publish.report import Report
from assay.store.manifest import StoppedTask, Stopping, read_doc
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals
from runs import TESTS, copy_of, decisions, execute_plan, lines_of, resolve_plan, write_plan

PLAN = """\
name: stopping
seeds: [0, 1]
stop: when_decided
tasks: [{use: toy.errands}]
systems:
  - {name: votes, use: toy.votes}
  - {name: last-word, use: toy.last_word}
timing: {processes: 1, blocks: 1, questions: 1}
claims:
"""
CLEAR = """\
  - {id: better, says: Words are better than the last word, system: votes, against: last-word,
     metric: accuracy, at_least: 0.0}
  - {id: good, says: It is right three times in ten, system: votes, metric: accuracy, at_least: 0.3}
  - {id: same, says: It decides the same, system: votes, metric: determinism, at_least: 1.0, over: []}
"""
CLOSE = """\
  - {id: close, says: It is right four times in ten, system: last-word, metric: accuracy, at_least: 0.4}
"""
COPY = """\
name: copy
stop: when_decided
seeds: [0]
tasks: [{use: awkward.copy, options: {n: 100}}]
timing: {processes: 1, blocks: 1, questions: 1}
limits: {reply_s: 600}
claims:
  - {id: right, says: It is right, system: odd, metric: accuracy, at_least: 0.5}
systems:
"""


def stopped(run: RunDir) -> StoppedTask:
    [told] = read_doc(Stopping, run.stopping).tasks.values()
    return told


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    folder = tmp_path_factory.mktemp("stopping")
    return execute_plan(write_plan(folder, PLAN + CLEAR), folder / "run", workers=1)


def test_a_clear_claim_stops_the_run_and_no_cell_holds_more(early: RunDir) -> None:
    told = stopped(early)
    assert told.decided
    assert told.looks == (20, 40, 80, 132)
    assert told.groups == told.looks[told.look - 1] < told.of_groups == 132
    held = {p: {x.decided.group for x in lines_of(early, p).values()} for p in systems(early)}
    assert all(groups == held["votes"] for groups in held.values())
    assert len(held["votes"]) == told.groups
    assert len(lines_of(early, "silent")) == told.questions
    whole = early.samples("toy.errands", "test").read_bytes().count(b"\n")
    assert whole == told.of_questions == 528
    assert faults(early) == []


def systems(run: RunDir) -> set[str]:
    return {p.parent.name for p in journals(run)}


def test_everything_that_is_derived_says_where_it_stopped_and_uses_sequences(early: RunDir) -> None:
    run = Run.load(early.root)
    assert [f.status.value for f in run.results.findings] == ["supported"] * 3
    files = data_files(run.results)
    summary = json.loads(files["summary.json"])
    assert summary["stopping"]["toy.errands"]["groups"] == stopped(early).groups
    report = Report(run).markdown()
    for text in (files["summary.md"].decode(), report):
        assert f"Stopped after {stopped(early).groups} of 132 groups" in text
    over = [row for row in summary["systems"] if row["over"] and row["value"] is not None]
    assert over
    assert all("may stop at any look" in row["method"] for row in over)
    paired = [row for row in json.loads(files["paired.json"]) if row["over"]]
    assert {row["metric"] for row in paired} == {
        "accuracy",
        "coverage",
        "failure_rate",
        "invention_rate",
    }
    assert all("may stop at any look" in row["method"] for row in paired)
    assert report.count("not for a run that may stop early") == 3


def test_what_holds_for_one_look_only_is_refused(early: RunDir) -> None:
    run = Run.load(early.root)
    for ask in (
        lambda: run.front(["accuracy", "usd_per_1k"]),
        run.noise,
        run.flips,
        lambda: run.cascades(["votes", "last-word"]),
        lambda: pairs(run, run),
    ):
        with pytest.raises(PlanError, match="not for a run that may stop early") as caught:
            ask()
        assert caught.value.code == "A104"


def test_other_workers_stop_at_the_same_look(early: RunDir, tmp_path: Path) -> None:
    again = execute_plan(write_plan(tmp_path, PLAN + CLEAR), tmp_path / "run", workers=3)
    assert decisions(again) == decisions(early)
    assert again.stopping.read_bytes() == early.stopping.read_bytes()


@pytest.mark.parametrize("kept", [0, 13, 79, 80])
def test_a_run_that_is_resumed_stops_where_it_would_have(
    early: RunDir, tmp_path: Path, kept: int
) -> None:
    run = copy_of(early, tmp_path / "run")
    run.seal.unlink()
    run.stopping.unlink()
    for path in journals(run):
        path.with_suffix(".cell.json").unlink()
        if path.parent.name in ("votes", "silent"):
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:kept]))
    execute_plan(write_plan(tmp_path, PLAN + CLEAR), run.root)
    assert decisions(run) == decisions(early)
    assert run.stopping.read_bytes() == early.stopping.read_bytes()
    assert faults(run) == []


@pytest.mark.slow
def test_a_claim_near_its_bound_is_asked_to_the_end_and_again_after_a_kill(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, PLAN + CLOSE)
    run = execute_plan(plan, tmp_path / "run")
    told, wanted = stopped(run), decisions(run)
    assert (told.look, told.groups, told.questions) == (4, 132, 528)
    assert not told.decided
    [finding] = Run.load(run.root).results.findings
    assert finding.status.value == "undecided"
    # As a kill in the third round would leave it: some cells have come to it, others have not.
    run.seal.unlink()
    for path in journals(run):
        path.with_suffix(".cell.json").unlink()
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: 200 if path.parent.name == "votes" else 160]))
    execute_plan(plan, run.root)
    assert (decisions(run), stopped(run)) == (wanted, told)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_do_not_move_the_stop(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, PLAN + CLOSE.replace("at_least: 0.4", "at_least: 0.2"))
    whole = execute_plan(plan, tmp_path / "whole")
    assert 20 < stopped(whole).groups < 132
    done = subprocess.run(
        [sys.executable, str(TESTS / "killing.py"), str(plan), str(tmp_path), "16", "3"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-8000:]
    found = json.loads(done.stdout)
    assert sum(found["died"].values()) == 16
    for run in found["runs"]:
        assert run["decisions"] == decisions(whole)
        assert run["faults"] == []


def test_crashes_that_are_asked_again_never_throw_away_what_was_asked(
    plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While replies are missing the claim is open, and everything is asked."""
    rows = "  - {name: odd, use: awkward.odd, options: {what: needs_the_machine}}\n"
    plan = write_plan(tmp_path, COPY + rows)
    monkeypatch.setenv("AWKWARD_DOWN", "1")
    run = execute_plan(plan, tmp_path / "run")
    assert stopped(run).groups == 50
    monkeypatch.delenv("AWKWARD_DOWN")
    execute_plan(plan, run.root)
    assert stopped(run).groups == 50
    assert stopped(run).decided
    assert faults(run) == []
    # Had they been there at once, it would have stopped before.
    assert stopped(execute_plan(plan, tmp_path / "fresh")).groups < 50


def test_a_stateful_system_is_refused_in_its_second_round(plugins: None, tmp_path: Path) -> None:
    rows = "  - {name: odd, use: awkward.odd, options: {what: counts}}\n"
    text = (COPY + rows).replace("at_least: 0.5", "at_least: 0.06")
    with pytest.raises(PlanError, match="odd is stateful") as caught:
        execute_plan(write_plan(tmp_path, text), tmp_path / "run")
    assert caught.value.code == "A104"


WRONG = {
    "a front": ("fronts: [[accuracy, usd_per_1k]]", CLEAR, "fronts are drawn"),
    "a cascade": ("cascades: [{order: [votes, last-word]}]", CLEAR, "cascades are weighed"),
    "no claim": ("", "  []\n", "no claim says when to stop"),
    "seeds": (
        "",
        CLOSE.replace("last-word,", "votes,").replace("0.4}", "0.4, over: [samples, seeds]}"),
        "seeds",
    ),
    "seconds": ("", CLOSE.replace("accuracy", "latency_p50"), "after the last look"),
    "dollars": ("", CLOSE.replace("accuracy", "usd_per_1k"), "after the last look"),
    "a statistic": ("", CLOSE.replace("accuracy", "ece"), "no share"),
    "a selective pair": (
        "",
        CLEAR.replace("metric: accuracy, at_least: 0.0", "metric: risk, at_most: 0.0"),
        "counts other questions",
    ),
    "only a census": ("", CLOSE.replace("0.4}", "0.4, over: []}"), "no claim says"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_that_cannot_stop_early_is_refused(name: str, tmp_path: Path) -> None:
    more, claims, said = WRONG[name]
    refused(write_plan(tmp_path, PLAN + claims + more + "\n"), said)


def test_thresholds_and_limits_of_one_system_are_refused(tmp_path: Path) -> None:
    for key, said in (("abstain: {max_risk: 0.1}", "threshold"), ("limit: 50", "limit")):
        text = (PLAN + CLEAR).replace("use: toy.votes}", f"use: toy.votes, {key}}}")
        refused(write_plan(tmp_path, text), said)


def refused(plan: Path, said: str) -> None:
    with pytest.raises(PlanError, match="in a plan that may stop early") as caught:
        resolve_plan(plan)
    assert caught.value.code == "A104"
    assert said in str(caught.value)
    assert caught.value.hint
    assert f"{plan.name}:" in str(caught.value.where)


def test_another_word_than_the_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError):
        resolve_plan(write_plan(tmp_path, PLAN.replace("when_decided", "soon") + CLEAR))


def test_several_tasks_stop_each_for_itself(tmp_path: Path) -> None:
    text = PLAN.replace(
        "[{use: toy.errands}]", "[{use: toy.errands, name: one}, {use: toy.errands, name: two}]"
    )
    claims = CLEAR.replace("system: votes", "task: one, system: votes")
    plan = write_plan(tmp_path, text + claims)
    told = read_doc(Stopping, execute_plan(plan, tmp_path / "run").stopping).tasks
    # Nothing is claimed of the second: nothing says that it may stop.
    assert (told["one"].groups < 132, told["two"].groups) == (True, 132)
    shutil.rmtree(tmp_path / "run")
