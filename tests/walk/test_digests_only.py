"""A task whose samples must not be copied: a run of it holds digests, and loses nothing else."""

from __future__ import annotations

import json
import random
import shutil
import zlib
from pathlib import Path

import pytest

from assay import DataError, Run
from assay.cli.summary import run_page
from assay.core.errors import PlanError
from assay.publish.interop.eee import MARK
from assay.publish.interop.export import export_eee
from assay.publish.originals import originals
from assay.publish.paired import common_samples
from assay.publish.report import Report
from assay.publish.rerun import ask_again
from assay.publish.running import run
from assay.publish.verify import verify
from assay.store.rundir import RunDir
from assay.store.samples import fingerprint, read_samples
from runs import decisions, write_plan

pytestmark = pytest.mark.slow

PLAN = """
    name: closed
    seeds: [0, 1]
    tasks: [{use: intent.csv, options: {path: prompts.csv, redistributable: false}}]
    systems:
      - {name: votes, use: toy.votes, abstain: {max_risk: 0.4}}
      - {name: quotes, use: awkward.odd, options: {what: quotes}}
    timing: {processes: 1, blocks: 1, questions: 1}
"""
OTHER = """
    name: other
    seeds: [0]
    tasks: [{use: toy.errands, limit: 40}]
    systems: [{name: votes, use: toy.votes}]
    timing: {processes: 1, blocks: 1, questions: 1}
"""
OPEN = PLAN.replace(", redistributable: false", "")
LETTERS = "bcdfghjklmnpqrstvwxz"
LABELS = ("pay", "book", "none")


def prompts() -> list[tuple[str, str]]:
    """Return prompts that share nothing with each other, so that each can be looked for."""
    draw = random.Random(5)
    word = lambda: "".join(draw.choices(LETTERS, k=9))  # noqa: E731
    return [(f"{word()} {word()} {word()}", LABELS[i % 3]) for i in range(120)]


def lay(folder: Path, plan: str = PLAN) -> Path:
    folder.mkdir(parents=True)
    rows = "".join(f"{prompt},{label}\n" for prompt, label in prompts())
    (folder / "prompts.csv").write_text("prompt,label\n" + rows)
    return write_plan(folder, plan)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import runs

    folder = tmp_path_factory.mktemp("closed")
    with pytest.MonkeyPatch.context() as monkeypatch, runs.installed(monkeypatch):
        run(lay(folder / "plans"), out=folder / "run", workers=1)
        run(lay(folder / "open", OPEN), out=folder / "open-run", workers=1)
    return folder


@pytest.fixture
def closed(made: Path, tmp_path: Path, plugins: None) -> Path:
    """Return a copy of the run, and of its data: break them."""
    shutil.copytree(made, tmp_path / "copy")
    noted = RunDir(tmp_path / "copy" / "run").plan_folder
    noted.write_text(str(tmp_path / "copy" / "plans"))
    return tmp_path / "copy"


def everything(folder: Path) -> bytes:
    """Return the bytes of every file, evidence unpacked."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found.append(data)
            if path.suffix == ".pack":
                while data:
                    unpack = zlib.decompressobj()
                    found.append(unpack.decompress(data))
                    data = unpack.unused_data
    return b"\n".join(found).lower()


def words() -> set[bytes]:
    return {word.encode() for prompt, _ in prompts() for word in prompt.split()}


def test_no_word_of_an_input_is_anywhere_in_the_run(made: Path) -> None:
    held, copied = everything(made / "run"), everything(made / "open-run")
    assert not [word for word in words() if word in held]
    assert all(word in copied for word in words())  # the search finds what is there


def test_what_is_decided_does_not_depend_on_what_is_kept(made: Path) -> None:
    assert decisions(RunDir(made / "run")) == decisions(RunDir(made / "open-run"))
    one, two = (Run.load(made / name) for name in ("run", "open-run"))
    for metric in ("accuracy", "coverage", "invention_rate"):
        assert one.estimate(metric, "votes") == two.estimate(metric, "votes")
    assert common_samples(one, two, "intent.csv") == common_samples(two, one, "intent.csv")


def test_the_fingerprint_is_that_of_the_samples_themselves(made: Path) -> None:
    one, two = (Run.load(made / n).manifest.tasks["intent.csv"] for n in ("run", "open-run"))
    assert one.splits == two.splits
    assert (one.redistributable, two.redistributable) == (False, True)


def test_the_run_says_that_it_holds_digests_only(made: Path) -> None:
    says = "The samples' licence forbids copies (intent.csv): digests only."
    loaded = Run.load(made / "run")
    assert says in Report(loaded).markdown()
    assert "forbids copies" in Report(loaded).html()
    page = run_page(loaded)
    assert says in page.lines
    assert page.facts["digests_only"] == ["intent.csv"]
    assert "forbids copies" not in Report(Run.load(made / "open-run")).markdown()


def test_it_verifies_and_is_asked_again_with_the_content_of_the_task(closed: Path) -> None:
    assert verify(closed / "run") == []
    found = {a.system: a for a in ask_again(Run.load(closed / "run"), 5, draw=random.Random(1))}
    assert (found["votes"].asked, found["votes"].same) == (5, 5)
    assert not [word for word in words() if word in everything(closed / "run")]


def test_the_originals_are_the_samples_that_were_asked(closed: Path) -> None:
    loaded = Run.load(closed / "run")
    found = originals(loaded, "intent.csv")
    for split, facts in loaded.manifest.tasks["intent.csv"].splits.items():
        assert fingerprint(found[split]) == facts.digest


def test_a_digest_that_was_edited_is_found(closed: Path) -> None:
    path = RunDir(closed / "run").samples("intent.csv", "test")
    text = path.read_text()
    digest = json.loads(text.splitlines()[0])["input"]["sha256"]
    path.write_text(text.replace(digest, "0" * 64))
    assert [fault.path for fault in verify(closed / "run")] == ["samples/intent.csv/test.jsonl"]


def change(data: Path) -> None:
    kept = read_samples(data.parents[1] / "run" / "samples" / "intent.csv" / "test.jsonl")
    row = int(kept[0].id.removeprefix("line/")) - 1
    lines = data.read_text().splitlines()
    lines[row] = "z" + lines[row]
    data.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("harm", [change, Path.unlink])
def test_other_data_or_none_is_said_and_nothing_is_asked(closed: Path, harm) -> None:
    harm(closed / "plans" / "prompts.csv")
    loaded = Run.load(closed / "run")
    assert loaded.estimate("accuracy", "votes").value is not None  # needs no content
    with pytest.raises(DataError) as caught:
        originals(loaded, "intent.csv")
    assert caught.value.code == "A200"
    assert caught.value.hint
    for again in ask_again(loaded, 3, draw=random.Random(1)):
        assert not again.sound
        assert "A200" in again.why_not


def stop(folder: Path) -> None:
    """Leave the run as a killed process would: unsealed, one cell not finished."""
    (folder / "SEAL").unlink()
    shutil.rmtree(folder / "records" / "intent.csv" / "votes")
    (folder / "cache" / "lent" / "intent.csv").mkdir(parents=True)
    (folder / "cache" / "lent" / "intent.csv" / "train.jsonl").write_text(prompts()[0][0])


def test_it_is_resumed_with_the_content_of_the_task_and_holds_none_after(closed: Path) -> None:
    before = decisions(RunDir(closed / "run"))
    stop(closed / "run")
    run(closed / "plans" / "plan.yaml", out=closed / "run", workers=1)
    assert decisions(RunDir(closed / "run")) == before
    assert not [word for word in words() if word in everything(closed / "run")]


def test_it_is_not_resumed_on_other_data(closed: Path) -> None:
    stop(closed / "run")
    change(closed / "plans" / "prompts.csv")
    with pytest.raises(PlanError) as caught:
        run(closed / "plans" / "plan.yaml", out=closed / "run", workers=1)
    assert caught.value.code == "A503"


def test_what_a_killed_run_was_lent_is_taken_back_by_the_next_run_beside_it(closed: Path) -> None:
    stop(closed / "run")
    run(write_plan(closed / "plans", OTHER, "other.yaml"), out=closed / "beside", workers=1)
    assert not [word for word in words() if word in everything(closed / "run")]


def test_what_a_run_is_lent_that_is_still_written_is_left_to_it(closed: Path) -> None:
    stop(closed / "run")
    with RunDir(closed / "run").writing():
        run(write_plan(closed / "plans", OTHER, "other.yaml"), out=closed / "beside", workers=1)
        assert (closed / "run" / "cache" / "lent" / "intent.csv" / "train.jsonl").is_file()


def test_what_is_exported_says_that_it_holds_digests(closed: Path, tmp_path: Path) -> None:
    (_, lines, *_) = export_eee(Run.load(closed / "run"), tmp_path / "eee", systems=["votes"])
    text = lines.read_bytes()
    assert not [word for word in words() if word in text.lower()]
    assert json.loads(text.splitlines()[0])["metadata"][f"{MARK}digest"] == "input,target"
