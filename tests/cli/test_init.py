"""``assay init``: from nothing, or from your prompts, to a plan that runs as it is."""

from __future__ import annotations

import csv
import random
import string
from pathlib import Path

import pytest

from assay.engine.plan import load_plan
from assay.engine.resolve import resolve

from .conftest import Say


@pytest.fixture
def prompts(tmp_path: Path, monkeypatch) -> Path:
    """A file of labelled prompts in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my prompts.csv"
    write(path, ("prompt", "label"))
    return path


LABELS = ("buy", "call", "clean", "pay", "none")


def write(path: Path, header: tuple[str, ...]) -> None:
    """Write 24 groups of two prompts for each label, of words that nobody uses."""
    draw = random.Random(5)

    def word() -> str:
        return "".join(draw.choices(string.ascii_lowercase, k=7))

    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for label in LABELS:
            for group in range(24):
                begin = " ".join([label[::-1], *(word() for _ in range(4))])
                for _ in range(2):
                    row = [f"{begin} {word()}", label, f"{label} {group}"]
                    rows.writerow(row[: len(header)])


def test_the_first_plan_is_whole_and_has_a_comment_for_every_part(say: Say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = say("init")
    assert said.code == 0
    assert "assay run first.yaml" in said.out
    resolved = resolve(load_plan("first.yaml"))
    assert resolved.claims
    text = Path("first.yaml").read_text()
    assert text.count("#") >= 10


def test_a_plan_is_made_from_prompts_and_says_what_was_found(say: Say, prompts: Path):
    said = say("init", "--from", prompts.name)
    assert said.code == 0, said.err
    told = " ".join(said.out.split())
    assert "labels 4: buy (48), call (48)" in told
    assert "duplicates left out 0" in told
    plan = load_plan("my-prompts.yaml").plan
    assert [s.name for s in plan.systems][:1] == ["tfidf"]
    assert all(s.abstain for s in plan.systems)
    assert {c.id for c in plan.claims} >= {"rarely-wrong", "rarely-invents"}
    assert resolve(load_plan("my-prompts.yaml")).tasks["prompts"].splits["test"]


def test_labels_that_read_alike_and_one_that_shows_nothing_are_told(say: Say, prompts: Path):
    text = prompts.read_text("utf-8")
    for label, other in (("buy", "caf\u00e9"), ("call", "cafe\u0301"), ("pay", "\u200b")):
        text = text.replace(f",{label}\n", f",{other}\n").replace(f",{label}\r\n", f",{other}\r\n")
    prompts.write_text(text, "utf-8", newline="")
    said = say("init", "--from", prompts.name)
    assert said.code == 0, said.err
    told = " ".join(said.out.split())
    assert r"'cafe\u0301' and 'caf\xe9' read alike, and are labels apart" in told
    assert r"The label '\u200b' shows nothing" in told


def divided(path: Path, *, leaking: bool) -> None:
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    parts = ("train", "train", "validation", "calibration", "test", "test")
    with path.open("w", newline="", encoding="utf-8") as file:
        rows_out = csv.writer(file)
        rows_out.writerow([*rows[0], "split"])
        for number, row in enumerate(rows[1:]):
            if leaking and number % 2:
                row[0] = f"{rows[number][0].upper()}!"
            group = number if leaking else number // 2
            rows_out.writerow([*row, parts[group % 6]])


def test_a_files_own_split_is_used(say: Say, prompts: Path):
    divided(prompts, leaking=False)
    said = say("init", "--from", prompts.name)
    assert said.code == 0, said.err
    [task] = load_plan("my-prompts.yaml").plan.tasks
    assert task.options == {"path": prompts.name, "split": "split"}
    samples = resolve(load_plan("my-prompts.yaml")).tasks["prompts"].splits
    own = {
        f"line/{n}": row["split"]
        for n, row in enumerate(csv.DictReader(prompts.read_text("utf-8").splitlines()), 2)
    }
    assert {own[s.id] for s in samples["test"]} == {"test"}


def test_a_files_own_split_that_leaks_is_used_and_the_plan_says_so(say: Say, prompts: Path):
    divided(prompts, leaking=True)
    said = say("init", "--from", prompts.name)
    assert said.code == 0, said.err
    assert "this split is not held out" in " ".join(said.out.split())
    [task] = load_plan("my-prompts.yaml").plan.tasks
    assert task.options["leaks"] == "allow"


@pytest.mark.slow
def test_the_plan_made_from_prompts_runs_as_it_is(say: Say, prompts: Path):
    say("init", "--from", prompts.name)
    quick = ("seeds=[0]", "timing.processes=1", "timing.blocks=1", "tasks.prompts.limit=20")
    said = say("run", "my-prompts.yaml", *(word for q in quick for word in ("--set", q)))
    assert said.code == 0, said.err
    assert said.last.startswith("Ship ")


def test_a_name_a_folder_and_columns_can_be_given(say: Say, prompts: Path):
    write(prompts, ("text", "intent", "group"))
    said = say(
        "init",
        "mine",
        "--from",
        prompts.name,
        "--out",
        "データ 1",
        "--prompt",
        "text",
        "--label",
        "intent",
    )
    assert said.code == 0, said.err
    loaded = load_plan("データ 1/mine.yaml")
    assert loaded.plan.tasks[0].options == {
        "path": "../my prompts.csv",
        "prompt": "text",
        "label": "intent",
        "group": "group",
    }
    assert resolve(loaded).tasks["prompts"].splits["train"]


@pytest.mark.parametrize("words", [[], ["--from", "my prompts.csv"]])
def test_nothing_that_exists_is_overwritten(say: Say, prompts: Path, words):
    assert say("init", "mine", *words).code == 0
    Path("mine.yaml").write_text("precious")
    said = say("init", "mine", *words)
    assert (said.code, said.err[:4]) == (2, "A106")
    assert Path("mine.yaml").read_text() == "precious"


WRONG = {
    "nothing": (b"", "A200"),
    "a header alone": (b"prompt,label\n", "A200"),
    "one label": (b"prompt,label\na,x\nb,x\n", "A200"),
    "too few": (b"prompt,label\na,x\nb,y\n", "A200"),
    "no label": (b"prompt,kind\na,x\n", "A200"),
    "semicolons": (b"prompt;label\na;x\n", "A200"),
    "latin-1": ("prompt,label\ncafé,x\n".encode("latin-1"), "A200"),
    "binary": (bytes(range(256)), "A200"),
    "a quote that stays open": (b'prompt,label\n"a,x\n', "A200"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_cannot_be_used_is_refused_and_nothing_is_written(
    say: Say, prompts: Path, kind
):
    data, code = WRONG[kind]
    prompts.write_bytes(data)
    said = say("init", "--from", prompts.name)
    assert (said.code, said.err[:4]) == (2, code), said.err
    assert "my prompts.csv" in said.err
    assert "  try: " in said.err
    assert not list(prompts.parent.glob("*.yaml"))


@pytest.mark.parametrize("sign", [";", "\t"])
def test_another_separator_than_a_comma_is_named(say: Say, prompts: Path, sign: str):
    prompts.write_text(f"prompt{sign}label\nhello{sign}a\nbye{sign}b\n")
    said = say("init", "--from", prompts.name)
    assert said.code == 2
    assert "save the file with commas between the columns" in said.err


def test_a_file_that_is_not_there_is_said_to_be_missing(say: Say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = say("init", "--from", "nowhere.csv")
    assert (said.code, said.err[:4]) == (2, "A200")
    assert "no such file" in said.err


def test_a_folder_that_cannot_be_written_is_exit_3(say: Say):
    said = say("init", "--out", "/proc/no")
    assert said.code == 3
    assert "/proc/no" in said.err


def test_facts_are_one_document(say: Say, prompts: Path):
    facts = say("init", "--from", prompts.name, "--json").json
    assert facts["plan"] == "my-prompts.yaml"
    assert facts["found"]["duplicates left out"] == "0"
