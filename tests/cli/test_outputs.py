"""Files that commands are told to write: devices, pipes and links stay, and no sealed run is broken."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import threading
from pathlib import Path

import pytest

from assay.store.outputs import run_broken
from assay.store.rundir import SEALED_FILES, SEALED_FOLDERS, RunDir
from assay.store.seal import faults

from .conftest import Say

needs_duckdb = pytest.mark.skipif(not importlib.util.find_spec("duckdb"), reason="no DuckDB")

INTO = (
    "gate {run} --sarif {run}/SEAL",
    "gate {run} --junit {run}/records/gate.xml",
    "gate {run} --comment {run}/timing/new/comment.md",
    "gate {run} --summary {run}/plan.yaml",
    "baseline set {run} --out {run}/plan.yaml",
    "baseline set {run} --out {link}",
    "baseline set {run} --out {folder}/baseline.json",
    "report {run} --output {run}/records/x.md",
    "report {run}/.. --output {run}/manifest.json",
    "cascade {run} --order votes,last-word --output {run}/manifest.json",
    "rescore {run} --out {run}/evidence/again",
    "export eee {run} --out {run}/samples/eee",
    "import csv {run}/x.csv --out {run}/records/taken",
    "run {run}/plan.yaml --out {run}/records/again",
    "init x --out {run}/records",
    "perf report {run}/x.json --out {run}/provenance.json",
    "perf run --suite stats --quick --page {run}/provenance.md",
    "baseline set --family performance {run} --out {run}/SEAL.sig",
    "board plan {run}/x.yaml --out {run}/plan.yaml",
    "board build --board {run} --out {run}/records",
    "board event --payload {run}/x.json --stage comment --out {run}/records/x",
    "board export a --to card --out {run}/records/x",
    "--install-completion --shell bash --output {run}/SEAL",
    "intent audit {run}/x.csv --out {run}/records/audit",
    "lm edge a --out {run}/manifest.json",
    "model convert {run}/x.gguf --to apr --out {run}/records/x.apr",
    "model fetch hf:a/b@main --lock {run}/stopping.json",
    "rust evaluate --tasks x.yaml --output {run}/manifest.json",
    pytest.param("query {run} SELECT+1 --output {run}/records/x.csv", marks=needs_duckdb),
)


@pytest.mark.parametrize("words", INTO)
def test_no_command_writes_into_what_a_seal_covers(
    say: Say, copy: Path, tmp_path: Path, words: str
) -> None:
    (tmp_path / "link").symlink_to(copy / "SEAL")
    (tmp_path / "folder").symlink_to(copy / "records")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    at = {"run": str(copy), "link": str(tmp_path / "link"), "folder": str(tmp_path / "folder")}
    said = say(*(word.format(**at).replace("+", " ") for word in words.split()))
    assert said.code == 2
    assert said.err.startswith("A106")
    assert "would break its seal" in said.err
    assert "write it beside the run" in said.err
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_what_a_seal_does_not_cover_may_be_written(say: Say, copy: Path) -> None:
    for name in ("gate.xml", "derived/gate.xml", "cache/gate.xml"):
        assert say("gate", copy, "--junit", copy / name).code in (0, 1)
        assert (copy / name).read_bytes().startswith(b"<?xml")
    assert faults(RunDir(copy)) == []


def test_a_run_that_is_not_sealed_yet_is_kept_whole_too(copy: Path) -> None:
    (copy / "SEAL").unlink()
    for name in (*SEALED_FILES, *(f"{folder}/x" for folder in SEALED_FOLDERS), "SEAL", "SEAL.sig"):
        assert run_broken(copy / name) == copy
    assert run_broken(copy / "x") is None
    shutil.rmtree(copy / "records")
    assert run_broken(copy / "plan.yaml") is None


def outputs(run: Path, at: Path) -> list[list[object]]:
    """Return commands that write to ``at``; its suffix may say in what form."""
    said: list[list[object]] = [
        ["gate", run, "--junit", at],
        ["gate", run, "--sarif", at],
        ["gate", run, "--comment", at],
        ["gate", run, "--summary", at],
        ["baseline", "set", run, "--out", at],
        ["report", run, "--output", at],
    ]
    if importlib.util.find_spec("duckdb"):
        said.append(["query", run, "SELECT 1 AS one", "--output", at])
    return said


def suffixed(words: list[object], folder: Path) -> Path:
    return folder / ("out.csv" if words[0] == "query" else "out.md")


def test_a_pipe_is_written_into_and_stays_one(say: Say, first: Path, tmp_path: Path) -> None:
    for number in range(len(outputs(first, tmp_path))):
        at = suffixed(outputs(first, tmp_path)[number], tmp_path)
        at.unlink(missing_ok=True)
        os.mkfifo(at)
        read: list[bytes] = []
        # A daemon: it would wait for ever where the pipe was replaced and nobody writes.
        reader = threading.Thread(target=lambda at, to: to.append(at.read_bytes()), args=(at, read))
        reader.daemon = True
        reader.start()
        assert say(*outputs(first, at)[number]).code in (0, 1)
        assert at.is_fifo()
        reader.join(20)
        assert read[0]
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_device_stays_and_its_full_disk_is_an_error(
    say: Say, first: Path, tmp_path: Path
) -> None:
    for number in range(len(outputs(first, tmp_path))):
        # Through a link: a command that replaced what it names would replace the link alone.
        at = suffixed(outputs(first, tmp_path)[number], tmp_path)
        at.unlink(missing_ok=True)
        at.symlink_to("/dev/full")
        said = say(*outputs(first, at)[number])
        assert (said.code, said.err[:4]) == (3, "A500")
        assert "No space left on device" in said.err
        assert at.readlink() == Path("/dev/full")
        assert Path("/dev/full").is_char_device()


def test_what_a_link_leads_to_is_written_and_the_link_stays(
    say: Say, first: Path, tmp_path: Path
) -> None:
    for there in (True, False):
        for number in range(len(outputs(first, tmp_path))):
            at, folder = suffixed(outputs(first, tmp_path)[number], tmp_path), tmp_path / "led"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if there:
                (folder / "file").write_text("")
            at.unlink(missing_ok=True)
            at.symlink_to("led/file")
            assert say(*outputs(first, at)[number]).code in (0, 1)
            assert at.is_symlink()
            assert (folder / "file").read_bytes()
            assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_folder_is_no_file_to_write(say: Say, first: Path, tmp_path: Path) -> None:
    (tmp_path / "out.md").mkdir()
    for words in outputs(first, tmp_path / "out.md"):
        assert say(*words).code in (2, 3)
    assert list((tmp_path / "out.md").iterdir()) == []


def test_no_name_of_a_column_in_a_csv_is_a_formula(say: Say, first: Path, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    names = ("=cmd", "@SUM(1)", " -x", "plain", "-1.5", 'a "quoted" one', "+it's")
    columns = ", ".join("'=1+1' AS \"{}\"".format(name.replace('"', '""')) for name in names)
    at = tmp_path / "q.csv"
    assert say("query", first, f"SELECT {columns}", "--output", at).code == 0
    with at.open(encoding="utf-8", newline="") as file:
        head, row = csv.reader(file)
    assert head == ["'=cmd", "'@SUM(1)", "' -x", "plain", "-1.5", 'a "quoted" one', "'+it's"]
    assert row == ["'=1+1"] * len(names)
