"""Systems that work on many questions at a time are kept busy; verifiers that never end cost their question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from assay import PluginError
from assay.store.line import Line
from assay.store.seal import faults, read_seal
from runs import decisions, evidence_of, execute_plan, installed, lines_of, write_plan

CROWD = """\
name: crowd
tasks: [{use: awkward.copy, options: {n: 1300}}]
timing: {processes: 0}
limits: {reply_s: 60, build_s: 60, deaths: 1}
systems:
  - {name: crowd, use: crowd.gather, options: {at_once: AT_ONCE, fault: "FAULT"}}
"""
ENDLESS = """\
name: endless
tasks: [{use: crowd.checks, options: {n: 40, hangs: HANGS}}]
timing: {processes: 0}
limits: {build_s: 60, check_s: 0.4}
systems:
  - {name: echo, use: awkward.echo}
"""


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with installed(monkeypatch):
        yield


def plan(folder: Path, *, at_once: int | str, fault: str = "") -> Path:
    text = CROWD.replace("AT_ONCE", str(at_once)).replace("FAULT", fault)
    return write_plan(folder, text)


def kinds(lines: dict[str, Line]) -> Counter[tuple[str, str]]:
    return Counter((line.decided.kind, line.decided.reason) for line in lines.values())


def test_more_questions_are_under_way_than_one_request_holds(tmp_path: Path) -> None:
    """The system answers nobody before 700 are there: more than two requests of 256."""
    run = execute_plan(plan(tmp_path, at_once=700), tmp_path / "run")
    assert kinds(lines_of(run, "crowd")) == {("answer", ""): 1300}
    busy = [line.usage.busy_s for line in lines_of(run, "crowd").values()]
    assert all(spent is not None and spent >= 0 for spent in busy)
    alone = execute_plan(plan(tmp_path, at_once=1), tmp_path / "alone")
    assert (
        decisions(run)["records/awkward.copy/crowd/0-test.jsonl"]
        == (decisions(alone)["records/awkward.copy/crowd/0-test.jsonl"])
    )


def test_what_a_crowd_forgets_has_no_reply(tmp_path: Path) -> None:
    run = execute_plan(plan(tmp_path, at_once=700, fault="forgets"), tmp_path / "run")
    assert kinds(lines_of(run, "crowd")) == {("answer", ""): 1170, ("failed", "no_reply"): 130}
    assert faults(run) == []


def test_a_crowd_that_raises_in_one_request_has_died_and_says_why(tmp_path: Path) -> None:
    run = execute_plan(
        plan(tmp_path, at_once="1, in_flight: 300", fault="raises"), tmp_path / "run"
    )
    found = kinds(lines_of(run, "crowd"))
    assert found.total() == 1300
    died = [s for s, line in lines_of(run, "crowd").items() if line.decided.reason == "died"]
    assert "RuntimeError: no more" in evidence_of(run, "crowd", died[0])


def test_a_disk_that_is_full_for_a_crowd_is_our_crash(tmp_path: Path) -> None:
    run = execute_plan(plan(tmp_path, at_once="1, in_flight: 300", fault="disk"), tmp_path / "run")
    found = kinds(lines_of(run, "crowd"))
    assert set(found) == {("answer", ""), ("crash", "machine")}
    assert found.total() == 1300
    assert read_seal(run).incomplete


def test_a_number_in_flight_that_is_none_is_the_plugin_s_error(tmp_path: Path) -> None:
    text = CROWD.replace("AT_ONCE", "300, in_flight: -1").replace("FAULT", "")
    with pytest.raises(PluginError, match="in_flight is -1") as caught:
        execute_plan(write_plan(tmp_path, text), tmp_path / "run")
    assert caught.value.code == "A402"


def test_a_verifier_that_never_ends_costs_its_question_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_plan(tmp_path, ENDLESS.replace("HANGS", "[test-005, test-021]"))
    begun = monotonic()
    run = execute_plan(path, tmp_path / "run")
    assert monotonic() - begun < 60
    lines = lines_of(run, "echo")
    assert {line.decided.outcome for line in lines.values()} == {"correct", "invented", "crashed"}
    hung = {sample for sample, line in lines.items() if line.decided.outcome == "crashed"}
    assert hung == {"test-005", "test-021"}
    assert "crowd.checks/echo/0-test" in read_seal(run).incomplete
    mended = tmp_path / "mended"
    mended.touch()
    monkeypatch.setenv("CROWD_MENDED", str(mended))
    again = execute_plan(path, run.root)
    assert {line.decided.outcome for line in lines_of(again, "echo").values()} == {
        "correct",
        "invented",
    }
    assert read_seal(again).incomplete == ()
    assert faults(again) == []


def test_a_verifier_that_always_hangs_is_given_up(tmp_path: Path) -> None:
    hangs = [f"test-{place:03}" for place in range(40)]
    path = write_plan(tmp_path, ENDLESS.replace("HANGS", str(hangs)))
    begun = monotonic()
    run = execute_plan(path, tmp_path / "run")
    assert monotonic() - begun < 60
    outcomes = Counter(line.decided.outcome for line in lines_of(run, "echo").values())
    assert outcomes["crashed"] == 30
    assert set(outcomes) == {"crashed", "invented"}, "what needs no check is judged all the same"
