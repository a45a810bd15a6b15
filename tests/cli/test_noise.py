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


@pytest.mark.slow
def test_what_a_user_varies_is_counted_and_what_no_recipe_has_is_said(say: Say, first: Path):
    words = ("--vary", "batch=1,5", "--vary", "bag=0.8,0.05", "--rerun", "40")
    facts = say("noise", first, "--trials", "20", *words, "--json").json
    found = {(v["system"], v["varied"]): v for v in facts["varied"]}
    for one in ("batch=1", "batch=5", "any batch", "bag=0.8"):
        assert (found["votes", one]["changed"], found["votes", one]["low"]) == (0, 0.0), one
    spoiled, either = found["votes", "bag=0.05"], found["votes", "any bag"]
    assert spoiled["changed"] == either["changed"] > 0
    assert spoiled["low"] < spoiled["changed"] / 40 < spoiled["high"]
    assert "no option bag" in found["last-word", "bag"]["why_not"]
    assert not any("again" in f["between"] for f in facts["flips"])


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--vary", "bag"], "not 'bag'"),
        (["--vary", "bag=1,"], "not 'bag=1,'"),
        (["--vary", "threads=two"], "no whole number"),
        (["--vary", "bagg=1"], "no option bagg"),
        (["--vary", "bag=1", "--system", "vote"], "there are: votes"),
        (["--system", "votes"], "give --vary"),
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
