"""``assay gate`` writes its verdict where teams look, and its exit status stays the answer."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from assay.publish.gate import gate
from assay.publish.gated.judged import judged
from assay.publish.run import Run
from assay.store.rundir import RunDir

from .conftest import PLAN, Say

WRITTEN = ("gate.xml", "gate.sarif", "summary.md", "comment.md")


def words(folder: Path) -> list[object]:
    """Return the options that write every file into a folder."""
    options = ("--junit", "--sarif", "--summary", "--comment")
    return [
        each for pair in zip(options, (folder / n for n in WRITTEN), strict=True) for each in pair
    ]


def test_every_file_is_written_whether_the_gate_is_open_or_closed(
    say: Say, first, second, tmp_path
):
    for run, code in ((first, 0), (second, 1)):
        folder = tmp_path / run.name / "not there yet"
        said = say("gate", run, "--baseline", first, *words(folder))
        assert said.code == code
        assert sorted(p.name for p in folder.iterdir()) == sorted(WRITTEN)
        failures = int(ET.parse(folder / "gate.xml").getroot().get("failures", ""))
        results = json.loads((folder / "gate.sarif").read_text())["runs"][0]["results"]
        assert failures == len(results)
        assert bool(failures) == bool(code)
        assert said.last in (folder / "summary.md").read_text()


def test_a_failure_points_at_the_line_of_the_plan_in_the_repository(
    say: Say, home: Path, second: Path, first: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(home)
    said = say("gate", second, "--baseline", first, "--annotations")
    lines = PLAN.splitlines()
    line = {name: 1 + lines.index(text) for name, text in POINTED.items()}
    begins = [text.partition("::better")[0].partition("::toy")[0] for text in said.out.splitlines()]
    assert (
        f"::error file=small.yaml,line={line['claim']},title={TITLE}claim not supported" in begins
    )
    assert (
        f"::error file=small.yaml,line={line['system']},title={TITLE}not shown to be as good as the baseline"
        in begins
    )


TITLE = "assay gate%3A "
POINTED = {
    "claim": "  - id: better",
    "system": "  - {name: votes, use: toy.votes, abstain: {max_risk: 0.2}}",
}


def test_nothing_but_annotations_can_be_a_command_to_a_runner(say: Say, second: Path):
    lines = say("gate", second, "--annotations").out.splitlines()
    stop = next(at for at, text in enumerate(lines) if text.startswith("::stop-commands::"))
    word = lines[stop].removeprefix("::stop-commands::")
    assert (lines[-1], len(word)) == (f"::{word}::", 32)
    assert all(text.startswith("::error ") for text in lines[:stop])
    assert stop == sum("fail  claim" in text for text in lines) > 0
    again = say("gate", second, "--annotations").out
    assert word not in again


def test_json_stays_one_document_with_the_annotations_in_it(say: Say, second: Path):
    told = say("gate", second, "--annotations", "--json").json["annotations"]
    assert told
    assert all(line.startswith("::error ") for line in told)


def test_a_summary_is_appended_to_and_a_comment_is_not(say: Say, first: Path, tmp_path: Path):
    (tmp_path / "summary.md").write_text("before\n")
    for _ in range(2):
        say("gate", first, *words(tmp_path))
    assert (tmp_path / "summary.md").read_text().startswith("before\n### assay gate: small\n")
    assert (tmp_path / "summary.md").read_text().count("### assay gate") == 2
    assert (tmp_path / "comment.md").read_text().count("<!-- assay-gate small -->") == 1


def test_a_family_has_two_names(say: Say, first: Path):
    assert say("gate", first, "--family", "scientific", "--json").json["family"] == "runs"


def test_a_plan_that_was_edited_since_is_not_pointed_at(copy: Path, tmp_path: Path):
    """The run's own copy is, whose lines are those that were run."""
    (tmp_path / "edited").mkdir()
    (tmp_path / "edited/small.yaml").write_text("# edited\n" + PLAN)
    RunDir(copy).plan_folder.write_text(str(tmp_path / "edited"))
    run = Run.load(copy)
    [place, _] = judged(run, gate(run), (), tmp_path).places
    assert place.path == "copy/plan.yaml"
