"""Everything in a run directory has its place, and only one process writes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given

from assay import Cell
from assay.core.errors import RunError, SealError
from assay.store.rundir import NAME, RunDir, cell_of
from assay.store.seal import journals
from strategies import cells

HOLD = """
import sys
from pathlib import Path
from assay.store.rundir import RunDir
with RunDir(Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""


@given(cell=cells())
def test_the_path_of_a_journal_names_its_cell(cell: Cell) -> None:
    run = RunDir(Path("/somewhere"))
    assert cell_of(run.root, run.journal(cell)) == cell


@given(cell=cells())
def test_the_files_of_a_cell_lie_inside_the_run_and_apart(cell: Cell) -> None:
    run = RunDir(Path("/somewhere"))
    paths = [run.journal(cell), run.finished(cell), run.evidence(cell)]
    assert len(set(paths)) == 3
    assert all(run.root in path.parents for path in paths)
    assert not any(part in ("..", ".") for path in paths for part in path.parts)


@pytest.mark.parametrize("name", ["", ".", "..", "-x", "a/b", "a b", "a\n", "é", "a" * 81, ".hid"])
def test_a_name_that_is_no_file_name_is_no_name(name: str) -> None:
    assert NAME.fullmatch(name) is None


def test_a_system_may_be_called_like_a_journal(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    cell = Cell(task="t.jsonl", system="s.jsonl", seed=0, split="test")
    run.journal(cell).parent.mkdir(parents=True)
    run.journal(cell).touch()
    assert [cell_of(tmp_path, path) for path in journals(run)] == [cell]


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="A303"):
        RunDir(tmp_path).require()


def test_a_second_writer_is_refused_in_this_process(tmp_path: Path) -> None:
    with RunDir(tmp_path).writing():
        with pytest.raises(RunError) as caught, RunDir(tmp_path).writing():
            raise AssertionError("two writers")
        assert caught.value.code == "A501"
        assert "--out" in caught.value.hint


def test_a_lock_that_is_a_link_makes_no_file_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="A500"), RunDir(tmp_path / "run").writing():
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), RunDir(tmp_path).writing():
        raise KeyError
    with RunDir(tmp_path).writing():
        pass


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_second_process_is_refused_until_the_first_is_gone(
    tmp_path: Path, end: signal.Signals | None
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match="A501"), RunDir(tmp_path).writing():
        raise AssertionError("two writers")
    if end is None:
        holder.stdin.close()
    else:
        os.kill(holder.pid, end)
    holder.wait(timeout=20)
    holder.stdout.close()
    holder.stdin.close()
    with RunDir(tmp_path).writing():
        pass


def test_a_run_that_cannot_be_made_is_an_error_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="A500"), RunDir(tmp_path / "file" / "run").writing():
        raise AssertionError("it was made")


def test_the_name_of_a_run_leads_to_its_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "first").mkdir(parents=True)
    (tmp_path / "runs" / "first" / "manifest.json").touch()
    for asked, says in (("first", "runs/first"), ("second", "assay ls"), ("x/first", "assay ls")):
        with pytest.raises(SealError) as caught:
            RunDir(Path(asked)).require()
        assert caught.value.code == "A303"
        assert says in caught.value.hint
