"""``assay run``: from a plan to a decision."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from assay.cli.running import read_plan
from assay.progress import Lines

from .conftest import PLAN, Say


def test_the_last_line_is_the_decision(begun):
    _, said = begun
    assert said.code == 0, said.err
    assert said.last.startswith("Ship ")
    # A limited run may show nothing to be better than saying nothing: then that is the decision.
    assert any(why in said.last for why in ("would change our mind", "is not shown to beat"))


def test_each_claim_has_one_line_with_its_status_and_number(begun):
    _, said = begun
    lines = [line.split() for line in said.out.splitlines()]
    [better] = [line for line in lines if line[1:2] == ["better"]]
    assert better[0] in ("supported", "refuted", "undecided")
    assert better[2][0] in "+-"


def test_the_report_is_named_before_the_decision_and_is_there(begun):
    folder, said = begun
    [line] = [line for line in said.out.splitlines() if line.startswith("Report: ")]
    assert (folder / line.split()[1]).is_file()


def test_progress_is_told_on_stderr_only(begun):
    _, said = begun
    assert "asking: " in said.err
    assert "asking: " not in said.out
    assert "\x1b" not in said.err + said.out


def test_the_folder_and_the_limit_are_recorded(begun):
    folder, _ = begun
    [run] = (folder / "runs").glob("*-first-*")
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["tasks"]["toy.errands"]["splits"]["test"]["samples"] == 60
    assert any(word.startswith("tasks=") for word in manifest["overrides"])


def test_a_limited_run_can_be_verified(begun, say: Say):
    folder, _ = begun
    [run] = (folder / "runs").glob("*-first-*")
    assert say("verify", run).code == 0


def test_a_sealed_run_is_not_asked_again_and_the_document_is_the_only_output(say: Say, home, first):
    before = (first / "SEAL").stat().st_mtime
    said = say("run", home / "small.yaml", "--out", first, "--json")
    assert said.code == 0, said.err
    assert "is sealed already" in said.err
    assert said.json["run"] == str(first)
    assert {f["id"] for f in said.json["findings"]} == {"better", "same-again"}
    assert said.json["decision"]["toy.errands"]["ship"]
    assert (first / "SEAL").stat().st_mtime == before


def test_a_folder_with_another_plan_is_refused(say: Say, home, first):
    said = say("run", home / "small.yaml", "--out", first, "--set", "seeds=[5]")
    assert (said.code, said.err[:4]) == (2, "A503")


def test_limit_is_set_on_every_task_and_keeps_what_else_a_task_says(plan: Path):
    plan.write_text(PLAN.replace("{use: toy.errands, limit: 120}", "{use: toy.errands, name: t}"))
    loaded = read_plan(plan, ("seeds=[7]",), 33)
    assert [(t.name, t.limit) for t in loaded.plan.tasks] == [("t", 33)]
    assert loaded.plan.seeds == [7]


def test_a_log_gets_a_line_now_and_then_also_while_nothing_comes():
    stream = io.StringIO()
    with Lines(stream, every=0.02) as lines:
        lines.begin("asking", {"a": 10, "b\x1b": 0})
        lines.advance("a", 4)
        time.sleep(0.1)
    text = stream.getvalue()
    assert text.startswith("asking: 10 questions to 1 system\n")
    assert text.count("asking, 0:00: a 4 of 10, about 0:0") >= 2
    assert "\x1b" not in text


def test_bars_are_drawn_on_a_terminal():
    script = "from assay.progress import telling\nimport time\n"
    script += "with telling() as t:\n t.begin('asking', {'votes': 50, 'none': 0})\n"
    script += " for _ in range(5):\n  t.advance('votes', 10); time.sleep(0.05)\n"
    script += " t.note('a \\x1b[31mnote')\n t.begin('timing', {'votes': 1})\n"
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=slave, env={**os.environ, "TERM": "xterm"}
    )
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal is gone when the process is
        while piece := os.read(master, 1024):
            shown += piece
    os.close(master)
    assert process.wait(20) == 0
    text = shown.decode()
    assert "votes" in text
    assert "50/50" in text
    assert "left" in text
    assert r"a \x1b[31mnote" in text
    assert "none" not in text
