"""``assay rescore``: answers verified again, no system asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.publish.run import Run
from assay.publish.running import run
from assay.store.canon import digest_file
from assay.store.seal import faults, read_seal
from runs import evidence_of, write_plan

from .conftest import Say

PLAN = """
    name: moody
    tasks: [{use: awkward.moody, options: {n: 12}, attempts: 2}]
    timing: {processes: 1, blocks: 1, questions: 1}
    systems:
      - {name: echo, use: awkward.echo}
      - {name: votes, use: toy.votes}
"""
WRONG = "constant"
"""A control that says one thing to every question: right at most once."""


@pytest.fixture
def moody(plugins: None, tmp_path: Path) -> Path:
    run(write_plan(tmp_path, PLAN), out=tmp_path / "run", workers=1)
    return tmp_path / "run"


def accuracy(path: Path, system: str) -> float | None:
    return Run.load(path).estimate("accuracy", system=system).value


def test_the_same_verifier_says_the_same(say: Say, moody: Path) -> None:
    said = say("rescore", moody, "--json")
    assert said.code == 0
    assert said.json["changed"] == []
    # 9 of 12 samples have an answer: echo, votes and constant answer all, random some, twice.
    assert said.json["verified"] >= 27
    assert "all come to the same" in say("rescore", moody).out


def test_another_verifier_is_told_apart_and_the_run_stays_as_it_is(
    say: Say, moody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_file(moody / "SEAL")
    monkeypatch.setenv("AWKWARD_MOOD", "lenient")
    said = say("rescore", moody)
    assert said.code == 1
    assert "wrong -> correct" in said.out
    assert "--out" in said.last
    assert digest_file(moody / "SEAL") == before
    assert faults(Run.load(moody).dir) == []


def test_a_new_run_has_the_same_answers_and_the_new_verdicts(
    say: Say, moody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWKWARD_MOOD", "lenient")
    said = say("rescore", moody, "--out", tmp_path / "again")
    assert said.code == 0, said.out
    assert say("verify", tmp_path / "again").code == 0
    one, two = Run.load(moody), Run.load(tmp_path / "again")
    assert two.manifest.rescored == digest_file(moody / "SEAL")
    assert "verified again" in (tmp_path / "again" / "derived" / "report.md").read_text()
    for system in ("echo", WRONG, "random"):
        before, after = (
            [(r.sample, r.attempt, r.said, r.usage) for _, r in x.read(system)] for x in (one, two)
        )
        assert before == after
    assert accuracy(moody, WRONG) == pytest.approx(1 / 12)
    assert accuracy(tmp_path / "again", WRONG) == 0.75
    assert accuracy(moody, "echo") == accuracy(tmp_path / "again", "echo")
    assert "[log]\nfine 🦀" in evidence_of(two.dir, WRONG, "test-000")


def test_what_was_not_verified_for_a_missing_compiler_is_verified_once_it_is_there(
    say: Say, plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWKWARD_MOOD", "away")
    run(write_plan(tmp_path, PLAN), out=tmp_path / "run", workers=1)
    monkeypatch.setenv("AWKWARD_MOOD", "strict")
    said = say("rescore", tmp_path / "run", "--out", tmp_path / "again")
    assert said.code == 0
    assert "crashed -> correct" in said.out
    assert accuracy(tmp_path / "again", "echo") == 0.75
    assert read_seal(Run.load(tmp_path / "run").dir).incomplete
    assert read_seal(Run.load(tmp_path / "again").dir).incomplete == ()


def test_a_folder_that_exists_is_not_written_to(say: Say, moody: Path, tmp_path: Path) -> None:
    said = say("rescore", moody, "--out", tmp_path)
    assert said.code == 3
    assert "does not exist yet" in said.err


def test_a_changed_run_is_not_rescored(say: Say, moody: Path) -> None:
    with (moody / "plan.yaml").open("a") as file:
        file.write("\n")
    said = say("rescore", moody)
    assert said.code == 2
    assert "plan.yaml" in said.err


def test_a_folder_that_is_no_run_is_named(say: Say, tmp_path: Path) -> None:
    said = say("rescore", tmp_path)
    assert "A303" in said.err
