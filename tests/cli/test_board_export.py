"""``assay board export``: from a sealed run on a board to the files of other places, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.publish.run import Run

from .conftest import Say

SUBMISSION = """\
model:
  name: Votes
  family: toy
  hf_repo: org/votes
  parameters: 2M
  architecture: bag
  quantizations:
    - {name: F32, format: safetensors, file: votes.safetensors}
"""


@pytest.fixture
def board(say: Say, first: Path, tmp_path: Path) -> Path:
    """Return a board with one tested run."""
    folder = tmp_path / "board"
    (folder / "models" / "submissions").mkdir(parents=True)
    (folder / "models" / "submissions" / "votes.yaml").write_text(SUBMISSION)
    said = say("board", "add", first, "--board", folder, "--model", "votes:F32=votes", "--by", "me")
    assert said.code == 0, said.err
    return folder


def test_what_was_measured_goes_out_in_every_form(say: Say, board: Path, first: Path, tmp_path):
    def export(form: str, *more: object) -> list[Path]:
        out = tmp_path / form
        said = say(
            "board",
            "export",
            "votes",
            "--to",
            form,
            "--out",
            out,
            "--board",
            board,
            *more,
            "--json",
        )
        assert said.code == 0, said.err
        return [Path(file) for file in said.json["files"]]

    [card] = export("card")
    assert "### Votes, votes" in card.read_text()
    [svg] = export("badge")
    assert svg.read_text().startswith("<svg ")
    [values] = export("eval-results", "--benchmark", "toy.errands=org/errands#default")
    assert values == tmp_path / "eval-results" / ".eval_results" / "org--errands.yaml"
    aggregate, samples = export("eee")
    told = json.loads(aggregate.read_text())
    assert told["model_info"]["id"] == "org/votes"
    assert told["source_metadata"]["additional_details"]["seal"].startswith("sha256:")
    assert (
        len(samples.read_text().splitlines()) == told["detailed_evaluation_results"]["total_rows"]
    )
    back = say("import", "eee", tmp_path / "eee", "--out", tmp_path / "back")
    assert back.code == 0, back.err
    here, there = Run.load(first), Run.load(tmp_path / "back")
    assert there.estimate("accuracy", "votes").value == here.estimate("accuracy", "votes").value


def test_a_wrong_wish_says_what_to_write(say: Say, board: Path, tmp_path: Path):
    asked = ("board", "export", "votes", "--out", tmp_path / "out", "--board", board)
    for more, hint in (
        (("--to", "eval-results"), "name one with --benchmark"),
        (("--to", "eval-results", "--benchmark", "x"), "TASK=ORG/DATASET#TASK_ID"),
        (("--to", "eval-results", "--benchmark", "x=org/b#c"), "the board has toy.errands"),
        (("--to", "card", "--url", "https://example.org"), "leave them out"),
        (("--to", "badge", "--row", "x"), "it has votes--votes--"),
        (("--to", "eval-results", "--benchmark", "x=org/b#c", "--url", "ftp:x"), "https://"),
    ):
        said = say(*asked, *more)
        assert (said.code, hint in said.err) == (2, True), said.err
    other = say("board", "export", "vote", "--to", "card", "--out", tmp_path, "--board", board)
    assert (other.code, "it has votes" in other.err) == (2, True)
