"""``assay baseline set``, and the gate that reads what it wrote."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from assay.store.canon import digest_file

from .conftest import Say


@pytest.fixture
def pinned(say: Say, first: Path, tmp_path: Path) -> Path:
    """A baseline file in a folder, beside a copy of the run that it names."""
    shutil.copytree(first, tmp_path / "runs" / "before")
    said = say("baseline", "set", tmp_path / "runs/before", "--out", tmp_path / "ci/baseline.json")
    assert said.code == 0
    return tmp_path / "ci" / "baseline.json"


def test_a_baseline_says_where_the_run_is_and_what_its_seal_is(pinned: Path, first: Path):
    assert json.loads(pinned.read_text()) == {
        "schema_version": 1,
        "run": "../runs/before",
        "seal": digest_file(first / "SEAL"),
        "plan": "small",
    }


def test_a_gate_judges_against_the_file_as_against_the_run(say: Say, pinned: Path, second: Path):
    by_file = say("gate", second, "--baseline", pinned, "--json")
    by_run = say("gate", second, "--baseline", pinned.parents[1] / "runs/before", "--json")
    assert by_file.json == by_run.json
    assert {check["source"] for check in by_file.json["checks"]} == {"claim", "baseline"}


def test_a_baseline_moves_with_its_run(say: Say, pinned: Path, first: Path, tmp_path: Path):
    moved = Path(shutil.copytree(pinned.parents[1], tmp_path / "elsewhere"))
    shutil.rmtree(pinned.parents[1] / "runs")
    assert say("gate", first, "--baseline", moved / "ci/baseline.json").code == 0


def test_another_run_in_its_place_is_refused(say: Say, pinned: Path, first: Path, second: Path):
    shutil.rmtree(pinned.parents[1] / "runs/before")
    shutil.copytree(second, pinned.parents[1] / "runs/before")
    said = say("gate", first, "--baseline", pinned)
    assert (said.code, said.err[:4]) == (2, "A300")
    assert "is another run than the baseline" in said.err


def test_a_baseline_whose_run_is_gone_is_said_to_be_gone(say: Say, pinned: Path, first: Path):
    shutil.rmtree(pinned.parents[1] / "runs")
    said = say("gate", first, "--baseline", pinned)
    assert (said.code, said.err[:4]) == (2, "A303")
    assert "assay baseline set RUN" in said.err


def test_a_baseline_that_is_not_there_is_said_not_to_be(say: Say, first: Path, tmp_path: Path):
    said = say("gate", first, "--baseline", tmp_path / "baseline.json")
    assert (said.code, said.err[:4]) == (2, "A303")
    assert "no file that names one" in said.err


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", "\x00", '{"run": "a", "seal": "b", "plan": "c"}', " " * (1 << 20)]
)
def test_a_file_that_is_no_baseline_is_refused(say: Say, first: Path, tmp_path: Path, text):
    (tmp_path / "b.json").write_text(text + " ")
    said = say("gate", first, "--baseline", tmp_path / "b.json")
    assert (said.code, said.err[:4]) == (2, "A200")


def test_a_pipe_that_nobody_writes_to_is_no_baseline_and_is_not_waited_for(
    say: Say, first: Path, tmp_path: Path
):
    os.mkfifo(tmp_path / "b.json")
    said = say("gate", first, "--baseline", tmp_path / "b.json")
    assert (said.code, said.err[:4]) == (2, "A200")


def test_a_folder_is_no_file_to_write(say: Say, first: Path, tmp_path: Path):
    said = say("baseline", "set", first, "--out", tmp_path)
    assert (said.code, said.err[:4]) == (2, "A106")
    assert list(tmp_path.iterdir()) == []
