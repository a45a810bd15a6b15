"""``assay init`` asks what the job is: on a terminal in questions, elsewhere in options."""

from __future__ import annotations

import csv
import os
import pty
import select
import subprocess
from pathlib import Path

import pytest
import yaml

from .conftest import ASSAY, Say, spawn

JOB = ("--job", "Route support tickets", "--labels", "billing, bug,question")


def test_a_job_becomes_a_plan_and_a_file_to_fill_in(plan: Path, say: Say) -> None:
    said = say("init", *JOB, "--json").json
    assert said["plan"] == "route-support-tickets.yaml"
    written = yaml.safe_load(Path(said["plan"]).read_text())
    assert written["says"] == "Route support tickets"
    assert written["tasks"][0]["options"] == {"path": "route-support-tickets.csv", "group": "group"}
    rows = list(csv.DictReader(Path(said["data"]).read_text().splitlines()))
    assert [row["label"] for row in rows] == ["billing", "bug", "question", "none"]
    assert list(rows[0]) == ["prompt", "label", "group"]


def test_a_file_that_nobody_filled_in_is_said_and_a_filled_one_is_a_plan(
    plan: Path, say: Say
) -> None:
    say("init", *JOB, "tickets")
    said = say("plan", "tickets.yaml")
    assert said.code == 2
    assert "four splits need 4" in said.err
    with Path("tickets.csv").open("w") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "label", "group"])
        for label, vowel in zip(("billing", "bug", "question", "none"), "aeio", strict=True):
            for i, words in enumerate(_different(vowel)):
                out.writerow([words, label, f"{label}-{i}"])
    said = say("plan", "tickets.yaml")
    assert said.code == 0, said.err
    assert "rarely-wrong" in said.out


def _different(vowel: str) -> list[str]:
    """Return a dozen prompts that share no word with each other, nor with those of another vowel."""
    return [" ".join(f"{one}{vowel}{last}{one}" for last in "nrst") for one in "bcdfghjklmpw"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--job", "x"), "--job needs --labels"),
        (("--labels", "a,b"), "--labels needs --job"),
        (("--job", "x", "--labels", "a"), "two labels at least"),
        (("--job", "x", "--labels", "a,b,a"), "'a' stands twice"),
        (("--job", "x", "--labels", "a,None"), "leave it out"),
        ((*JOB, "--from", "x.csv"), "for a job without a file"),
        ((*JOB, "../x"), "cannot be called"),
    ],
)
def test_what_is_no_job_is_said_and_nothing_is_written(plan: Path, say: Say, words, hint) -> None:
    before = set(Path().iterdir())
    said = say("init", *words)
    assert (said.code, said.out) == (2, "")
    assert hint in said.err
    assert set(Path().iterdir()) == before


def test_nothing_that_exists_is_overwritten(plan: Path, say: Say) -> None:
    Path("route-support-tickets.csv").write_text("mine")
    said = say("init", *JOB)
    assert said.code == 2
    assert "left as it is" in said.err
    assert Path("route-support-tickets.csv").read_text() == "mine"
    assert not Path("route-support-tickets.yaml").exists()


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    said = spawn("init", cwd=tmp_path)
    assert said.code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["first.yaml"]


def converse(folder: Path, *answers: str) -> tuple[int, str]:
    """Say ``assay init`` at a terminal of its own, and answer what it asks."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [ASSAY, "init"],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown, waiting, asked = b"", list(answers), 0
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
        # One answer for each question, when it is asked.
        while shown.count(b"\n> ") > asked and waiting:
            asked += 1
            os.write(ours, waiting.pop(0).encode())
    os.close(ours)
    return child.wait(60), shown.decode("utf-8", "replace").replace("\r\n", "\n")


def test_at_a_terminal_it_asks_and_takes_no_nonsense(tmp_path: Path) -> None:
    code, shown = converse(
        tmp_path, "Sort my mail\n", "work\n", "work, home\n", "perhaps\n", "no\n", "0\n", "5\n"
    )
    assert code == 0, shown
    assert "What is the job, in a sentence?" in shown
    assert "two labels at least" in shown
    assert "yes or no" in shown
    assert "a number from 1 to 50" in shown
    written = yaml.safe_load((tmp_path / "sort-my-mail.yaml").read_text())
    assert written["systems"][0]["abstain"] == {"max_risk": 0.05}
    [claim] = [claim for claim in written["claims"] if claim["id"] == "rarely-wrong"]
    assert claim["at_most"] == 0.05
    assert "5 % of the answers" in claim["says"]
    assert "rarely-invents" not in {claim["id"] for claim in written["claims"]}
    assert (tmp_path / "sort-my-mail.csv").read_text().count("\n") == 3


def test_enter_alone_writes_the_example(tmp_path: Path) -> None:
    code, shown = converse(tmp_path, "\n")
    assert code == 0, shown
    assert [p.name for p in tmp_path.iterdir()] == ["first.yaml"]


def test_who_ends_the_answers_gets_nothing_written(tmp_path: Path) -> None:
    code, shown = converse(tmp_path, "Sort my mail\n", "\x04")
    assert code == 2
    assert "nothing is written" in shown
    assert list(tmp_path.iterdir()) == []
