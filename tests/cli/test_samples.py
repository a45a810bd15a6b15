"""``assay samples``: which samples a number stands on, a page at a time."""

from __future__ import annotations

from pathlib import Path

from assay import Run

from .conftest import Say


def test_a_page_names_each_sample_with_what_every_system_said(say: Say, first: Path) -> None:
    said = say("samples", first, "--size", 2)
    assert said.code == 0
    for system in ("votes", "last-word", "silent"):
        assert said.out.count(f"\n  {system} ") == 2
    run = Run.load(first)
    n = len(run.results.samples["toy.errands"])
    assert f"{n:,} of {n:,} samples of toy.errands; page 1 of {n // 2:,}" in said.out


def test_pages_follow_each_other_and_end(say: Say, first: Path) -> None:
    words = ("samples", first, "--outcome", "wrong", "--size", 7, "--json")
    one = say(*words).json
    names = []
    for number in range(1, one["pages"] + 1):
        names += [s["id"] for s in say(*words, "--page", number).json["samples"]]
    assert len(names) == len(set(names)) == one["found"] > 7
    said = say(*words[:-1], "--page", 1000)
    assert (said.code, said.out, said.err[:4]) == (2, "", "A106")
    assert f"--page {one['pages']} is the last one" in said.err
    assert say(*words, "--page", one["pages"] + 1).code == 2


def test_the_samples_of_an_outcome_are_those_that_the_records_have(say: Say, first: Path) -> None:
    found = say(
        "samples", first, "--system", "last-word", "--outcome", "invented", "--json", "--size", 1000
    ).json
    run = Run.load(first)
    invented = {
        sample.id for sample, r in run.read("last-word") if r.verdict.outcome.value == "invented"
    }
    assert {s["id"] for s in found["samples"]} == invented


def test_one_sample_is_shown_whole_under_every_seed(say: Say, first: Path) -> None:
    name = say("samples", first, "--json", "--size", 1).json["samples"][0]["id"]
    whole = say("samples", first, name, "--json").json
    assert list(whole["sample"]["said"]["votes"]["replies"]) == ["0", "1"]
    assert all("kind" in r for r in whole["sample"]["said"]["votes"]["replies"].values())
    assert "votes, seed 1 " in say("samples", first, name).out


def test_one_sample_is_not_shown_for_a_system_that_is_not_there(say: Say, first: Path) -> None:
    name = say("samples", first, "--json", "--size", 1).json["samples"][0]["id"]
    for words in (("--system", "nope"), ("--system", "votes", "--against", "nope")):
        said = say("samples", first, name, *words)
        assert said.code == 2
        assert "A103 no system is called 'nope'" in said.err


def test_a_system_is_not_compared_with_itself_and_nothing_found_is_no_page(
    say: Say, first: Path
) -> None:
    said = say("samples", first, "--system", "votes", "--against", "votes")
    assert (said.code, said.err[:4]) == (2, "A106")
    assert "name another" in said.err
    none = say("samples", first, "--text", "no sample has this")
    assert none.out == "0 of 120 samples of toy.errands.\n"


def test_a_log_without_texts_is_said_to_have_none(say: Say, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [f"{system},q{i},{i % 2}" for system in ("good", "bad") for i in range(4)]
    log.write_text("\n".join(["system,sample,correct", *rows]) + "\n")
    assert say("import", "csv", log, "--out", tmp_path / "run").code == 0
    for words in ((), ("q1",)):
        said = say("samples", tmp_path / "run", *words)
        assert "the log has no texts" in said.out
        assert "null" not in said.out


def test_a_sample_that_is_not_there_is_an_error(say: Say, first: Path) -> None:
    said = say("samples", first, "test/none")
    assert said.code == 2
    assert "no test sample of toy.errands is called 'test/none'" in said.err
