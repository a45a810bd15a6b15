"""The board of this repository is what its archived runs are made into, and its page shows it."""

from __future__ import annotations

import json
from pathlib import Path

from assay.publish.board.verifying import Outcome, verify_board

ROOT = Path(__file__).parents[2]


def test_every_file_of_the_board_is_made_again_to_the_byte():
    found = verify_board(ROOT)
    assert {check.outcome for check in found} == {Outcome.SAME}, found
    made = {Path(check.path).parts[:2] for check in found}
    assert {("models", "results"), ("models", "registry.json"), ("site", "board.json")} <= made


def test_the_board_holds_models_baselines_and_controls_that_were_measured_and_signed():
    board = json.loads((ROOT / "site" / "board.json").read_text())
    rows = [row for cohort in board["cohorts"] for row in cohort["rows"]]
    assert {row["model"] for row in rows if row["model"]} == {
        "smollm2-135m-instruct",
        "gemma-3-270m",
        "all-minilm-l6-v2",
    }
    assert {row["origin"] for row in rows} == {"measured"}
    assert {row["label"] for row in rows if row["control"]} == {"constant", "random", "silent"}
    assert all(run["signed"] and run["recomputed"] for m in board["models"] for run in m["runs"])
    assert board["reported"]
