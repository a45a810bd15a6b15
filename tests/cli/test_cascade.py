"""``assay cascade``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Say


def test_a_cascade_is_computed_from_any_order_of_systems(say: Say, first: Path):
    said = say("cascade", first, "--order", "votes", "--person", "0.05:0.98")
    assert said.code == 0, said.err
    assert "votes, then a person" in said.out
    assert "assumed: $0.05 a question, right 98 %" in said.out
    facts = say("cascade", first, "--order", "votes", "--person", "0.05", "--json").json
    [made] = facts["cascades"]
    assert made["order"] == ["votes"]
    assert made["policies"][made["picked"]]["person"] == {"usd": 0.05, "right": 1.0}


def test_a_policy_is_written_whole_and_says_how_to_run_it(say: Say, first: Path, tmp_path: Path):
    where = tmp_path / "new" / "policy.json"
    said = say("cascade", first, "--order", "votes", "--person", "0.1", "--output", where)
    assert said.code == 0, said.err
    assert "use: policy" in said.out
    made = json.loads(where.read_text())
    assert made["schema"] == "assay.policy/1"
    assert set(made["stages"][0]["at_least"]) == {"0", "1"}


def test_a_policy_that_hands_on_everything_says_all(say: Say, first: Path):
    order = ("--order", "votes,last-word")
    made = say("cascade", first, *order, "--json").json["cascades"][0]["policies"]
    says = {policy["says"] for policy in made if policy["handed_on"] == [1.0]}
    assert "ask votes, then give all of its answers and what it declines to last-word" in says
    assert not [policy["says"] for policy in made if "100 %" in policy["says"]]


def test_a_run_without_cascades_says_how_to_name_one(say: Say, first: Path):
    said = say("cascade", first)
    assert said.code == 0
    assert said.out == "The plan has no cascade; name systems: --order small,large\n"


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["--order", "votes,nobody"], 2, "no system is called 'nobody'"),
        (["--order", "last-word,votes"], 2, "was asked no calibration questions"),
        (["--order", "votes", "--person", "x"], 2, "--person is dollars"),
        (["--order", "votes", "--person", "nan"], 2, "--person is dollars"),
        (["--order", "votes", "--person", "0.1:2"], 2, "--person is dollars"),
        (["--person", "0.1"], 2, "--person needs --order"),
        (["--margin", "0.1"], 2, "--margin needs --order"),
        (["--order", "votes", "--person", "1", "--pick", "3"], 2, "--pick needs --output"),
        (["--order", "votes", "--person", "1", "--margin", "-1"], 2, "--margin -1 is no share"),
        (["--order", "votes", "--person", "1", "--pick", "999", "--output", "p"], 2, "policy 999"),
        (["--order", "votes", "--person", "1", "--task", "none"], 2, "no task is called"),
        (["--output", "p.json"], 2, "there are 0 cascades"),
    ],
)
def test_wrong_words_are_refused(say: Say, first: Path, words: list[str], code: int, what: str):
    said = say("cascade", first, *words)
    assert (said.code, what in said.err) == (code, True), said.err
