"""``assay noise``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Say


def test_noise_says_what_the_records_can_show(say: Say, first: Path):
    said = say("noise", first, "--trials", "40")
    assert said.code == 0, said.err
    for words in ("names of two systems shuffled", "A loss planted", "flips per 1,000 answers"):
        assert words in said.out
    facts = say("noise", first, "--trials", "40", "--json").json
    assert {p["system"] for p in facts["planted"]} == {"votes", "last-word"}
    seeds = [f for f in facts["flips"] if f["between"] == "2 seeds"]
    assert [f["system"] for f in seeds] == ["votes"]
    assert seeds[0]["flipped"] > 0
    assert all(f["flipped"] == 0 for f in facts["flips"] if "process" in f["between"])


@pytest.mark.slow
def test_questions_asked_again_in_other_batches_are_decided_the_same(say: Say, first: Path):
    facts = say("noise", first, "--trials", "20", "--rerun", "12", "--json").json
    again = [f for f in facts["flips"] if f["between"].startswith("again")]
    assert {f["between"] for f in again} == {
        "again, all at once, 1 thread",
        "again, 1 at once, 1 thread",
        "again, 7 at once, 1 thread",
    }
    assert all((f["flipped"], f["asked"]) == (0, 12) for f in again)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--trials", "1"], "--trials 1"),
        (["--margin", "1.5"], "--margin 1.5"),
        (["--margin", "nan"], "--margin nan"),
        (["--rerun", "-1"], "--rerun -1"),
        (["--metric", "usd_per_1k"], "measured on shares"),
        (["--metric", "acuracy"], "no metric"),
        (["--task", "none"], "no task is called"),
    ],
)
def test_wrong_words_are_refused(say: Say, first: Path, words: list[str], what: str):
    said = say("noise", first, *words)
    assert (said.code, what in said.err) == (2, True), said.err
