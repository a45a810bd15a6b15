"""Every path that a plan names starts at the plan's folder, and a run finds it again."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from assay.core.errors import PlanError, PluginError
from assay.engine.plugins import check_options, known
from assay.publish.rerun import ask_again
from assay.publish.run import Run
from assay.publish.running import run
from assay.store.manifest import Manifest, read_doc
from runs import decisions, execute_plan, resolve_plan, write_plan

PLAN = """\
name: reads
seeds: [0]
tasks: [{use: awkward.copy, options: {n: 8}}]
systems:
  - {name: reader, use: awkward.reader, options: {words: ./words.txt}}
timing: {processes: 1, blocks: 1, questions: 1}
"""


def lay(folder: Path) -> Path:
    """Write the plan and its file into a folder."""
    folder.mkdir(parents=True)
    (folder / "words.txt").write_text("word 0")
    return write_plan(folder, PLAN)


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        ("plain", "plain"),
        ("words-3.2", "words-3.2"),
        ("words.txt", Path("/plans/words.txt")),
        ("./words", Path("/plans/words")),
        ("there/words", Path("/plans/there/words")),
        ("/there/words", Path("/there/words")),
    ],
)
def test_a_name_stays_a_name_and_a_path_starts_at_the_plan(plugins, given, arrives):
    reader = known("assay.recipes")["awkward.reader"].load()
    options = {"words": given}
    checked = check_options(reader, "awkward.reader", options, where="", base=Path("/plans"))
    assert checked["words"] == arrives
    assert type(checked["words"]) is type(arrives) or isinstance(arrives, Path)


def test_a_name_is_a_name_also_where_a_folder_is_called_like_it(plugins, tmp_path):
    (tmp_path / "plain").mkdir()
    reader = known("assay.recipes")["awkward.reader"].load()
    checked = check_options(reader, "r", {"words": "plain"}, where="", base=tmp_path)
    assert checked["words"] == "plain"


def test_a_path_may_start_at_the_folder_of_public_data(plugins, tmp_path, monkeypatch):
    reader = known("assay.recipes")["awkward.reader"].load()

    def given(words: str) -> object:
        return check_options(reader, "r", {"words": words}, where="", base=Path("/plans"))["words"]

    monkeypatch.setenv("ASSAY_DATA", str(tmp_path))
    monkeypatch.setenv("ELSEWHERE", "/elsewhere")
    assert given("$ASSAY_DATA/words/w.txt") == tmp_path / "words" / "w.txt"
    assert given("$ELSEWHERE/w.txt") == Path("/plans/$ELSEWHERE/w.txt")  # no other is looked at
    assert given("sub/$ASSAY_DATA/w.txt") == Path("/plans/sub/$ASSAY_DATA/w.txt")
    monkeypatch.delenv("ASSAY_DATA")
    with pytest.raises(PlanError, match="ASSAY_DATA, which is not set") as told:
        given("$ASSAY_DATA/words/w.txt")
    assert told.value.code == "A103"
    assert "words/w.txt" in told.value.hint


def test_a_plan_elsewhere_beside_the_same_files_is_the_same_plan(plugins, tmp_path, monkeypatch):
    here, there = lay(tmp_path / "here"), lay(tmp_path / "far" / "there")
    monkeypatch.chdir(tmp_path)  # neither plan's folder
    first = execute_plan(here, tmp_path / "first")
    second = execute_plan(there, tmp_path / "second")
    assert decisions(first) == decisions(second)
    assert resolve_plan(here).digest == resolve_plan(there).digest
    facts = [read_doc(Manifest, made.manifest).systems["reader"] for made in (first, second)]
    assert facts[0] == facts[1]
    cells = [p.read_bytes() for p in sorted((first.root / "records").rglob("reader/*.cell.json"))]
    again = [p.read_bytes() for p in sorted((second.root / "records").rglob("reader/*.cell.json"))]
    assert [strip(c) for c in cells] == [strip(c) for c in again]


def strip(document: bytes) -> list[bytes]:
    """Return a cell's document without its seconds."""
    return [line for line in document.splitlines() if b"build_s" not in line]


def test_asking_again_finds_the_files_where_the_plan_lay(plugins, tmp_path, monkeypatch):
    plan = lay(tmp_path / "plans")
    made = run(plan, out=tmp_path / "runs" / "a", workers=1)
    monkeypatch.chdir("/")
    [again] = ask_again(made, 3, draw=random.Random(0))
    assert (again.asked, again.same) == (3, 3)


def test_a_file_that_is_gone_is_named_with_code_and_hint(plugins, tmp_path):
    plan = lay(tmp_path / "plans")
    run(plan, out=tmp_path / "a", workers=1)
    shutil.rmtree(plan.parent)
    [again] = ask_again(Run.load(tmp_path / "a"), 3, draw=random.Random(0))
    assert not again.sound
    assert "A400 the words are missing" in again.why_not
    assert "try: bring them back" in again.why_not


def test_a_file_that_is_missing_before_the_run_stops_it(plugins, tmp_path):
    plan = lay(tmp_path / "plans")
    (plan.parent / "words.txt").unlink()
    with pytest.raises(PluginError, match="words are missing"):
        resolve_plan(plan)
