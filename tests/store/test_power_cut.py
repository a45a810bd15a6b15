"""Disks that forget what was not synced: a run is whole, or goes on, and loses a hundred answers of a cell."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import SealError
from assay.core.record import Cell, Record
from assay.core.reply import Answer, Usage
from assay.core.verdict import judge
from assay.store.canon import make_folder, remove_for_good, write_whole
from assay.store.evidence import drop_lost, read_evidence
from assay.store.journal import TAIL, Writer, read_lines, repair
from assay.store.rundir import RunDir, cell_of
from assay.store.seal import faults, journals
from power_cut import Disk, Op, lay_out, read, record
from runs import CHILD, PLUGINS, TESTS, decisions, execute_plan, installed, write_plan

PLAN = """\
name: cut
tasks: [{use: awkward.moody, options: {n: 230}}]
systems: [{name: echo, use: awkward.echo}]
timing: {processes: 0}
"""
CELL = Cell(task="t", system="s", seed=0, split="test")


def fill(path: Path, pack: Path, count: int, *, start: int = 0) -> None:
    """Write so many lines with their evidence."""
    with Writer(path, pack) as writer:
        for place in range(start, start + count):
            said = Answer(f"answer {place}")
            one = Record(
                cell=CELL,
                sample=f"s{place}",
                attempt=0,
                group=f"g{place}",
                said=said,
                verdict=judge(said, said),
                usage=Usage(),
            )
            writer.write([one], {(f"s{place}", 0): f"evidence of {place}".encode()})


def evidence_of(path: Path, pack: Path) -> dict[str, bytes]:
    return {
        line.decided.sample: read_evidence(pack, line.usage.at)
        for line in read_lines(path)
        if line.usage.at
    }


@given(count=st.integers(1, 40), data=st.data())
def test_lines_whose_evidence_did_not_arrive_are_asked_again(
    count: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    path, pack = folder / "journal.jsonl", folder / "evidence.pack"
    fill(path, pack, count)
    size = pack.stat().st_size
    kept = data.draw(st.integers(0, size))
    zeros = data.draw(st.booleans())
    os.truncate(pack, kept)
    if zeros:
        os.truncate(pack, size)
    drop_lost(path, pack)
    left = evidence_of(path, pack)
    assert all(said == f"evidence of {name[1:]}".encode() for name, said in left.items())
    assert len(left) >= count * kept // size - 1, "no more is asked again than has to be"
    fill(path, pack, count - len(left), start=len(left))
    assert evidence_of(path, pack) == {f"s{i}": f"evidence of {i}".encode() for i in range(count)}


@given(first=st.integers(0, 59), hole=st.integers(1, 5000))
def test_zeros_where_the_last_lines_should_be_are_cut_off(
    first: int, hole: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("hole") / "journal.jsonl"
    fill(path, path.with_name("pack"), 60)
    data = path.read_bytes()
    start = len(b"".join(data.splitlines(keepends=True)[:first])) + 3
    path.write_bytes(data[:start] + bytes(min(hole, len(data) - start)) + data[start + hole :])
    found = repair(path)
    assert len(found.last) == first
    assert path.read_bytes() == b"".join(data.splitlines(keepends=True)[:first])


def test_zeros_far_from_the_end_are_no_power_cut_and_stop_the_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    fill(path, tmp_path / "pack", TAIL + 3)
    data = bytearray(path.read_bytes())
    data[10:20] = bytes(10)
    path.write_bytes(data)
    with pytest.raises(SealError, match="line 1 of the journal is damaged") as caught:
        repair(path)
    assert caught.value.code == "A304"


def test_folders_are_made_with_those_above_them_and_removed_files_stay_away(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    make_folder(deep)
    make_folder(deep)
    assert deep.is_dir()
    write_whole(deep / "file", b"1")
    remove_for_good(deep / "file")
    remove_for_good(deep / "file")
    assert list(deep.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="exists"):
        make_folder(tmp_path / "file")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Op]]:
    """Return a plan, where its run is, and what was written: sealed with crashes, mended, sealed again."""
    if shutil.which("strace") is None:
        pytest.skip("calls are recorded by strace, which is not installed")
    folder = tmp_path_factory.mktemp("recorded")
    plan, runs, ops = write_plan(folder, PLAN), folder / "runs", list[Op]()
    runs.mkdir()
    for mood in ("away", "lenient"):
        log = folder / f"{mood}.log"
        command = [sys.executable, "-c", CHILD, str(plan), str(runs / "run"), "2"]
        try:
            record(command, log, AWKWARD_MOOD=mood, PYTHONPATH=f"{PLUGINS}{os.pathsep}{TESTS}")
        except RuntimeError as error:
            if "ptrace" in str(error):
                pytest.skip(f"calls cannot be recorded here: {error}")
            raise
        ops += read(log, runs)
    return plan, runs, ops


def disk_after(runs: Path, ops: list[Op]) -> Disk:
    disk = Disk(str(runs))
    for op in ops:
        disk.do(op)
    return disk


@pytest.mark.slow
def test_what_was_recorded_is_what_is_on_the_disk(recorded: tuple[Path, Path, list[Op]]) -> None:
    _, runs, ops = recorded
    whole = disk_after(runs, ops).whole()
    assert len(whole) > 20
    assert all((runs / name).read_bytes() == content for name, content in whole.items())


def look_at(run: RunDir, before: dict[str, bytes]) -> None:
    """Require of a run after a power cut what is promised; ``before`` are its files as they were."""
    for name, content in before.items():
        if "/records/" in name and name.endswith(".jsonl"):
            here = run.root.parent / name
            left = here.read_bytes().count(b"\n") if here.exists() else 0
            assert content.count(b"\n") - left <= 100 + 64, name
    if run.seal.exists():
        assert faults(run) == []
    for path in journals(run) if run.root.is_dir() else []:
        pack = run.evidence(cell_of(run.root, path))
        repair(path)
        drop_lost(path, pack)
        evidence_of(path, pack)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_run_is_whole_or_goes_on_after_a_power_cut_at_any_call(
    recorded: tuple[Path, Path, list[Op]], tmp_path: Path, seed: int
) -> None:
    _, runs, ops = recorded
    rng = Random(seed)
    for number in range(30):
        disk = disk_after(runs, ops[: rng.randrange(len(ops) + 1)])
        lay_out(disk.after_a_cut(rng), tmp_path / str(number))
        look_at(RunDir(tmp_path / str(number) / "run"), disk.whole())


@pytest.fixture
def _lenient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWKWARD_MOOD", "lenient")
    with installed(monkeypatch):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_lenient")
def test_after_power_cuts_a_run_decides_the_same(
    recorded: tuple[Path, Path, list[Op]], tmp_path: Path
) -> None:
    plan, runs, ops = recorded
    wanted, rng = decisions(RunDir(runs / "run")), Random(7)
    for number, share in enumerate((0.2, 0.6, 0.9)):
        disk = disk_after(runs, ops[: int(share * len(ops))])
        lay_out(disk.after_a_cut(rng), tmp_path / str(number))
        run = execute_plan(plan, tmp_path / str(number) / "run")
        assert decisions(run) == wanted
        assert faults(run) == []
