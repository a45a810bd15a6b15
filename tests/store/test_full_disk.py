"""A disk that fills up in the middle of a run costs time, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.store.journal import repair
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals
from disks import mounted
from runs import CHILD, SMOKE, decisions, execute_plan, finish, start_child

FAST = ("timing.blocks=1", "timing.questions=1", "tasks.toy.errands.limit=120")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk that can be made larger, where this process may mount one."""
    with mounted(tmp_path / "disk", "4k") as folder:
        yield folder


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return decisions(execute_plan(SMOKE, tmp_path_factory.mktemp("whole") / "run", *FAST))


LIMITED = """
import os, resource, signal, sys
# Python keeps what it compiled without looking whether all of it was written.
sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))
"""
"""No file may grow beyond this: samples fit, the journals of calibration do not."""


def test_a_run_whose_files_may_not_grow_goes_on_when_they_may(
    tmp_path: Path, wanted: dict[str, str]
) -> None:
    """The same without a disk of our own; needs no privilege."""
    out = tmp_path / "run"
    command = [sys.executable, "-c", LIMITED + CHILD, str(SMOKE), str(out), "2", *FAST]
    kept = []
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "A500 cannot write: File too large" in done.stderr
        kept.append(sum(len(repair(path).lines) for path in journals(RunDir(out))))
    assert 0 < kept[0] <= kept[1]
    status, said = finish(start_child(SMOKE, out, *FAST))
    assert status == 0, said
    assert decisions(RunDir(out)) == wanted
    assert faults(RunDir(out)) == []


def test_a_run_on_a_disk_that_fills_up_goes_on_when_there_is_space(
    disk: Path, wanted: dict[str, str]
) -> None:
    out = disk / "run"
    lines = 0
    for kilobytes in (100, 300, 390, 480, 560, 640):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(disk)], check=True)
        status, said = finish(start_child(SMOKE, out, *FAST))
        assert status == 1, said
        assert "A500 cannot write: No space left on device" in said
        assert "try: free some space" in said
        assert "During handling" not in said.split("RunError")[-1]
        assert not (out / "SEAL").exists()
        now = sum(len(repair(path).lines) for path in journals(RunDir(out)))
        assert now >= lines, "a full disk loses nothing that was committed"
        lines = now
    assert lines > 0
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    status, said = finish(start_child(SMOKE, out, *FAST))
    assert status == 0, said
    assert decisions(RunDir(out)) == wanted
    assert faults(RunDir(out)) == []
