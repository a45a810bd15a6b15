"""A split that leaks is used, and called what it is beside every number that is made with it."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from assay import Run
from assay.cli.main import main
from assay.publish.verify import verify
from assay.store.manifest import Manifest, read_doc
from runs import write_plan

pytestmark = pytest.mark.slow

PLAN = """
    name: leaky
    seeds: [0]
    tasks:
      - use: intent.csv
        options: {path: prompts.csv, split: part, leaks: allow}
    systems: [{name: lookup, use: intent.first_word}]
    claims:
      - {id: good, says: It is right more often than not, system: lookup, metric: accuracy,
         at_least: 0.5}
"""
SAYS = "leaking split, not held out: 2 of 42 test prompts have a twin in training"
LETTERS = "bcdfghjklmnpqrstvwxz"
VERBS = {"pay": "settle", "book": "reserve", "none": "hum"}


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaky")
    draw = random.Random(5)
    parts = ["train"] * 60 + ["dev"] * 15 + ["calib"] * 15 + ["test"] * 40
    rows = [
        (f"{verb} {''.join(draw.choices(LETTERS, k=12))}", label, part)
        for n, part in enumerate(parts)
        for label, verb in [list(VERBS.items())[n % 3]]
    ]
    rows += [(rows[0][0].upper(), "pay", "test"), (f"{rows[1][0]}s", "book", "test")]
    lines = "".join(f"{prompt},{label},{part}\n" for prompt, label, part in rows)
    (folder / "prompts.csv").write_text(f"prompt,label,part\n{lines}")
    write_plan(folder, PLAN)
    return folder


@pytest.fixture(scope="module")
def made(leaky: Path) -> Run:
    out = leaky / "run"
    assert main(["run", str(leaky / "plan.yaml"), "--out", str(out), "--workers", "1"]) == 0
    return Run.load(out)


def test_the_manifest_keeps_it_and_the_seal_holds(made: Run) -> None:
    manifest = read_doc(Manifest, made.dir.manifest)
    [said] = manifest.tasks["intent.csv"].caveats
    assert said.startswith(SAYS)
    assert "1 the same prompt, 1 near-duplicates" in said
    assert verify(made.path) == []


@pytest.mark.parametrize(
    ("file", "times"),
    # decision, finding and systems; and each short file where its numbers are
    [("report.md", 3), ("report.html", 3), ("summary.md", 1), ("CLAIM_AUDIT.md", 1)],
)
def test_every_derived_text_says_it_beside_its_numbers(made: Run, file: str, times: int) -> None:
    text = (made.dir.derived / file).read_text().lower()
    assert text.count(SAYS.lower()) == times


def test_programs_are_told_too(made: Run) -> None:
    summary = json.loads((made.dir.derived / "summary.json").read_bytes())
    [said] = summary["caveats"]["intent.csv"]
    assert said.startswith(SAYS)


@pytest.mark.parametrize("command", ["plan", "gate"])
def test_the_terminal_says_it(made: Run, leaky: Path, command: str, capsys) -> None:
    target = leaky / "plan.yaml" if command == "plan" else made.path
    main([command, str(target)])
    assert SAYS in " ".join(capsys.readouterr().out.split())
    main([command, str(target), "--json"])
    assert any(said.startswith(SAYS) for said in json.loads(capsys.readouterr().out)["caveats"])


def test_the_page_of_a_run_says_it_beside_the_table_and_the_decision(made: Run, capsys) -> None:
    from assay.cli.summary import run_page
    from assay.cli.terminal import write_lines

    write_lines(run_page(made).lines, sys.stdout)
    assert " ".join(capsys.readouterr().out.split()).count(SAYS) == 2
