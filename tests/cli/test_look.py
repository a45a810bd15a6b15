"""``assay ls``, ``assay doctor`` and ``assay explain``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.cli.explaining import read_entries
from assay.core.errors import CODES
from assay.engine import doctor
from assay.store import seal

from .conftest import PLAN, PLANS, Say


def test_what_is_installed_is_listed(say: Say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = say("ls")
    assert said.code == 0
    for word in ("toy.errands", "toy.votes", "laptop", "accuracy", "latency_p95", "none"):
        assert word in said.out


@pytest.mark.parametrize("what", ["tasks", "recipes", "imports", "prices", "metrics"])
def test_one_kind_can_be_listed_alone(say: Say, what):
    facts = say("ls", what, "--json").json
    assert list(facts) == [what]
    assert all(row["name"] and row["says"] for row in facts[what])


def test_a_metric_that_every_task_has_is_listed_for_those_that_need_a_file_too(say: Say):
    of = {row["name"]: row["of"] for row in say("ls", "metrics", "--json").json["metrics"]}
    assert of["accuracy"] == of["risk"] == of["brier"] == "tasks with right answers"
    assert "science.dose" in of["macro_f1"]
    assert of["latency_p50"] == "every task"


def test_runs_are_listed_with_their_state(say: Say, home: Path, monkeypatch, tmp_path):
    import shutil

    shutil.copytree(home / "runs", tmp_path / "runs")
    (tmp_path / "runs/first/SEAL").unlink()
    (tmp_path / "runs/second/manifest.json").write_text("\x1b[31m")
    (tmp_path / "runs/other").mkdir()
    monkeypatch.chdir(tmp_path)
    rows = {Path(r["run"]).name: r for r in say("ls", "runs", "--json").json["runs"]}
    assert rows["first"]["state"] == "unfinished"
    assert rows["first"]["plan"].startswith("small: ")
    assert rows["second"]["state"] == "broken"
    assert "other" not in rows
    monkeypatch.chdir(home)
    rows = {Path(r["run"]).name: r for r in say("ls", "runs", "--json").json["runs"]}
    assert rows["first"]["state"] == "sealed, not verified"
    assert rows["first"]["began"].startswith("20")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("plan.yaml", "changed since sealed"),
        ("records/toy.errands/votes/0-test.jsonl", "changed since sealed"),
        ("records/added.jsonl", "changed since sealed"),
        ("SEAL", "broken"),
        ("derived/summary.json", "sealed, not verified"),
    ],
)
def test_an_edited_run_is_not_listed_like_a_sealed_one(say: Say, copy: Path, name, state):
    with (copy / name).open("ab") as file:
        file.write(b" ")
    [row] = say("ls", "runs", "--runs", copy.parent, "--json").json["runs"]
    assert row["state"] == state


def test_a_large_file_is_not_read_at_a_glance_but_its_time_is(say: Say, copy: Path, monkeypatch):
    monkeypatch.setattr(seal, "GLANCE_BYTES", 0)
    path = copy / "records/toy.errands/votes/0-test.jsonl"
    path.write_bytes(path.read_bytes() + b" ")
    [row] = say("ls", "runs", "--runs", copy.parent, "--json").json["runs"]
    assert row["state"] == "sealed, newer files"


def test_the_doctor_is_content_with_a_plan_that_can_run(say: Say, plan: Path):
    said = say("doctor", "--plans", plan)
    assert said.code == 0, said.out
    assert "its 2 systems can be built here" in said.out
    assert "not needed" in said.out


def test_the_doctor_passes_over_what_is_no_file_among_the_plans(say: Say, plan: Path):
    (plan.parent / "a.yaml").mkdir()
    os.mkfifo(plan.parent / "b.yaml")
    assert "its 2 systems can be built here" in say("doctor", "--plans", plan.parent).out


def test_the_doctor_finds_what_a_plan_lacks_and_exits_with_1(say: Say, plan: Path):
    plan.write_text(PLAN.replace("toy.last_word", "intent.mapper, options: {encoder: ./nowhere}"))
    said = say("doctor", "--plans", plan.parent, "--json")
    assert said.code == 1
    missing = [f for f in said.json["findings"] if f["health"] == "missing"]
    assert any(f["group"] == "plans" and f["hint"] for f in missing)


def test_a_system_with_the_replies_of_another_lacks_nothing_of_its_own(say: Say, plan: Path):
    safe = "  - {name: votes-safe, of: votes, abstain: {max_risk: 0.05}}\nfronts:"
    plan.write_text(PLAN.replace("fronts:", safe))
    said = say("doctor", "--plans", plan)
    assert (said.code, "its 3 systems can be built here" in said.out) == (0, True), said.out


def test_no_shipped_plan_lacks_a_recipe():
    found = doctor.examine(sorted(PLANS.glob("*.yaml")), Path.cwd())
    lacking = [s for s in found if s.group == "plans" and "no recipe" in s.found]
    assert lacking == []


def test_the_doctor_finds_a_plan_that_cannot_be_read(say: Say, plan: Path):
    plan.write_text("")
    assert say("doctor", "--plans", plan).code == 1


def test_the_doctor_names_the_command_for_a_missing_extra(monkeypatch, plan: Path):
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda _: ["no-such-thing>=2; extra == 'intent'"]
    )
    [extra] = [s for s in doctor.examine([], plan.parent) if s.group == "extras"]
    assert extra.health is doctor.Health.NOTE
    assert extra.found == "missing: no-such-thing absent"
    assert extra.hint == "pip install 'assay-eval[intent]'"


def test_the_doctor_needs_a_folder_that_can_be_written():
    [folder] = [s for s in doctor.examine([], Path("/proc")) if s.name == "folder"]
    assert folder.health is doctor.Health.MISSING
    assert folder.hint


def test_every_code_is_explained_with_a_cause_and_what_to_do():
    entries = read_entries()
    for code in CODES:
        paragraphs = entries[code.casefold()].paragraphs
        assert any(p.startswith("What to do: ") for p in paragraphs), code
        assert code == "A502" or any(p.startswith("Typical cause: ") for p in paragraphs), code
    assert [k.upper() for k in entries if k[0] == "a" and k[1:].isdigit()] == list(CODES)


WORDS = [
    "cell",
    "bottom",
    "two-way",
    "Holm",
    "non-inferiority",
    "mid-p",
    "cluster",
    "calibration",
    "vacuous",
    "front",
    "census",
    "risk",
    "control",
    "seal",
    "seed",
    "threshold",
    "coverage",
    "margin",
    "origin",
    "resume",
    "policy",
    "break-even",
    "churn",
    "hypervolume",
    "quotient",
    "confidence sequence",
    "Brier",
    "published",
]


@pytest.mark.parametrize(
    "word", [*WORDS, "design effect", "design_effect", "DESIGN EFFECT", "a103"]
)
def test_words_are_explained_however_they_are_written(say: Say, word):
    said = say("explain", *word.split())
    assert said.code == 0, said.err
    assert len(said.out) > 100


@pytest.mark.parametrize("word", ["Tango score", "tango", "Wilson score", "Clopper-Pearson", "df"])
def test_the_methods_that_reports_name_are_explained(say: Say, word):
    said = say("explain", *word.split())
    assert "How an interval was made" in said.out, said.err


def test_every_finding_and_metric_word_is_explained():
    from assay.cli.listing import metrics
    from assay.core.claim import Status
    from assay.core.front import Standing
    from assay.core.metric import Origin

    entries = read_entries()
    names = [row["name"] for row in metrics()]
    names += [str(w) for kind in (Status, Standing, Origin) for w in kind]
    assert not [n for n in names if n.replace("_", " ").casefold() not in entries]


def test_explain_alone_lists_everything(say: Say):
    said = say("explain")
    assert all(code in said.out for code in CODES)
    assert "vacuous" in said.out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["front", "--prices", "empty.yaml"], "the price table is empty"),
        (["claims", "empty.yaml"], "the file of claims is empty"),
        (["cascade", "--order", "votes", "--task", "x"], "known: toy.errands"),
        (["noise", "--metric", "accurcy"], "known: accuracy"),
    ],
)
def test_a_wrong_name_or_file_is_called_what_it_is(
    say: Say, first: Path, tmp_path: Path, words: list[str], what: str
):
    (tmp_path / "empty.yaml").touch()
    named = [tmp_path / w if w == "empty.yaml" else w for w in words[1:]]
    said = say(words[0], first, *named)
    assert said.code == 2
    assert what in said.err


def test_an_unknown_word_gets_a_suggestion(say: Say):
    said = say("explain", "calibratoin")
    assert said.code == 2
    assert "did you mean 'calibration'" in said.err


def test_the_digest_of_a_test_is_short_for_people_and_whole_for_programs(
    say: Say, home: Path, monkeypatch
):
    monkeypatch.chdir(home)
    (row,) = say("ls", "tests", "--json").json["tests"]
    assert len(row["test"]) == len("sha256:") + 64
    out = say("ls", "tests").out
    assert row["test"] not in out
    assert row["test"][:19] in out
    assert "2 plans, 3 systems" in out  # votes, votes with another bag, last-word
