"""Tasks of lm-evaluation-harness in the score: what each says of chance, and a run of three categories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay import Answer
from assay.cli.main import main

pytest.importorskip("lm_eval", reason="the extra harness is not installed")
pytestmark = pytest.mark.heavy

from assay.families.lm.harness.task import harness_task  # noqa: E402
from runs import installed, write_plan  # noqa: E402

N = 24
ROWS = {
    "allenai__ai2_arc/ARC-Challenge/test": [
        {
            "question": f"What is number {k}?",
            "choices": {"text": ["this", "that", "it, RIGHT"], "label": ["A", "B", "C"]},
            "answerKey": "C",
        }
        for k in range(N)
    ],
    "truthfulqa__truthful_qa/multiple_choice/validation": [
        {
            "question": f"Is it so, {k}?",
            "mc1_targets": {"choices": ["yes, RIGHT", "no"], "labels": [1, 0]},
            "mc2_targets": {
                "choices": ["yes, RIGHT", "surely, RIGHT", "no", "never", "who knows"],
                "labels": [1, 1, 0, 0, 0],
            },
        }
        for k in range(N)
    ],
    "openai__gsm8k/main/test": [
        {"question": f"How much is {k} and 2?", "answer": f"{k} + 2.\n#### {k + 2}"}
        for k in range(N)
    ],
    "aps__super_glue/boolq/validation": [
        {"question": f"is it {k}", "passage": f"It is not {k}.", "label": 0, "idx": k}
        for k in range(N)
    ],
}
PLAN = """\
    name: three
    says: Who knows, and who draws?
    seeds: [0]
    tasks:
      - {use: lm.harness, name: arc, options: {task: arc_challenge, fewshot: 0, data: .}}
      - {use: lm.harness, name: truth, options: {task: truthfulqa_mc2, data: .}}
      - {use: lm.harness, name: sums, options: {task: gsm8k, fewshot: 0, data: .}}
      - {use: lm.harness, name: yes-or-no, options: {task: boolq, fewshot: 0, data: .}}
    systems:
      - {name: knows, use: score.knowing, options: {knows: 1.0}}
    timing: {processes: 1, blocks: 1, questions: 1}
    claims: []
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for place, rows in ROWS.items():
        path = tmp_path / f"{place}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_task_says_what_chance_reaches_and_which_choices_are_true(data: Path) -> None:
    for name, wanted in (
        ("arc_challenge", 1 / 3),
        ("truthfulqa_mc2", 2 / 5),
        ("gsm8k", 0.0),
        ("boolq", 0.5),
    ):
        task = harness_task(task=name, fewshot=0, data=data)
        assert {task.chance(sample) for sample in task.samples("test")} == {wanted}
    truth = harness_task(task="truthfulqa_mc2", data=data).samples("test")[0]
    assert truth.target == Answer([0, 1])


def test_who_knows_has_everything_and_a_control_that_draws_about_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        assert main(["run", str(write_plan(data, PLAN)), "--out", str(tmp_path / "run")]) == 0
        capsys.readouterr()
        weights = ["--weights", "coding=0,edge=0,safety=0"]
        assert main(["lm", "score", str(tmp_path / "run"), *weights, "--json"]) == 0
    found = {one["system"]: one for one in json.loads(capsys.readouterr().out)["systems"]}
    knows, random, silent = (found[name] for name in ("knows", "random", "silent"))
    assert knows["score"]["value"] > 97
    assert knows["score"]["low"] > 60
    assert random["score"]["low"] < 5  # one draw of many: it may be a little lucky
    assert random["score"]["value"] < 25
    assert silent["score"]["value"] == 0
    assert silent["categories"]["language"]["above_chance"]["high"] < 0
