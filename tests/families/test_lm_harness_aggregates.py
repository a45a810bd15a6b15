"""The harness's own aggregates stand beside ours in reports, and are the same where everything was answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay import Run, run

pytest.importorskip("lm_eval", reason="the extra harness is not installed")
pytestmark = pytest.mark.heavy

from assay.families.lm.harness.aggregates import aggregated, aggregates  # noqa: E402
from runs import installed, write_plan  # noqa: E402

PLAN = """\
    name: twice
    says: Do both count alike?
    seeds: [0]
    tasks:
      - {use: lm.harness, name: arc, options: {task: ai2_arc, fewshot: 0, data: .}}
    systems:
      - {name: knows, use: score.knowing, options: {knows: 0.6}}
    timing: {processes: 0}
    claims: []
"""


def test_both_aggregate_the_same_scores_alike(tmp_path: Path) -> None:
    for kind, n in (("ARC-Easy", 7), ("ARC-Challenge", 30)):
        path = tmp_path / "allenai__ai2_arc" / kind / "test.jsonl"
        path.parent.mkdir(parents=True)
        rows = [
            {
                "question": f"What is number {k} of {kind}?",
                "choices": {"text": ["this", "that", "it, RIGHT"], "label": ["A", "B", "C"]},
                "answerKey": "C",
            }
            for k in range(n)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        made: Run = run(write_plan(tmp_path, PLAN), out=tmp_path / "run", workers=1)
        found = {one.score: one for one in aggregated(made)}
        section = aggregates(made)
        written = (tmp_path / "run" / "derived" / "report.md").read_text("utf-8")
    assert set(found) == {"acc", "acc_norm"}
    for one in found.values():
        assert (one.answered, one.asked) == (37, 37)
        assert one.ours == pytest.approx(one.theirs, abs=1e-12)
    theirs = found["acc_norm"].theirs
    assert theirs is not None
    assert 0 < theirs < 1  # a mean of nothing but ones would be right by luck
    assert section is not None
    assert "As lm-evaluation-harness counts" in written
    assert f"{theirs:.4f}" in written
