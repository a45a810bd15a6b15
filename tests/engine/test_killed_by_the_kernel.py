"""A system that takes more memory than there is, killed by the kernel itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.store.rundir import RunDir
from assay.store.seal import faults, read_seal
from runs import CHILD, PLUGINS, evidence_of, lines_of, write_plan

PLAN = """\
name: greedy
tasks: [{use: toy.errands, limit: 24}]
timing: {processes: 0}
limits: {reply_s: 60, build_s: 60, deaths: 2}
systems:
  - {name: greedy, use: crowd.greedy, options: {every: 12, megabytes: 700}}
  - {name: last-word, use: toy.last_word}
"""
ROOM = 400 << 20
"""Bytes that the run and its systems may have together."""

GROUPS = Path("/sys/fs/cgroup")


def _made(group: Path, limit: str, events: str) -> tuple[Path, Path] | None:
    try:
        group.mkdir()
        (group / limit).write_text(str(ROOM))
    except OSError:
        return None
    return group, group / events


@pytest.fixture
def group() -> Iterator[tuple[Path, Path]]:
    """Give a control group whose memory is bounded, and the file in which its kernel counts kills."""
    name = f"assay-test-{os.getpid()}"
    found = _made(GROUPS / "memory" / name, "memory.limit_in_bytes", "memory.oom_control")
    found = found or _made(GROUPS / name, "memory.max", "memory.events")
    if found is None:
        pytest.skip("no control group of memory can be made here")
    yield found
    found[0].rmdir()


@pytest.mark.slow
def test_a_system_that_the_kernel_kills_for_its_memory_has_died_and_the_run_goes_on(
    tmp_path: Path, group: tuple[Path, Path]
) -> None:
    folder, events = group
    path = write_plan(tmp_path, PLAN)
    joined = f'echo $$ > {folder}/cgroup.procs && exec "$@"'
    run = RunDir(tmp_path / "run")
    command = [sys.executable, "-c", CHILD, str(path), str(run.root), "2"]
    done = subprocess.run(
        ["sh", "-c", joined, "sh", *command],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counted = dict(line.split() for line in events.read_text().splitlines())
    lines = lines_of(run, "greedy")
    kinds = Counter((line.decided.kind, line.decided.reason) for line in lines.values())
    assert kinds["failed", "died"] == int(counted["oom_kill"]) > 0
    assert kinds["answer", ""] + kinds["failed", "died"] == 24
    died = next(name for name, line in lines.items() if line.decided.kind == "failed")
    assert "exit status -9" in evidence_of(run, "greedy", died)
    assert {line.decided.kind for line in lines_of(run, "last-word").values()} <= {
        "answer",
        "bottom",
    }
    assert read_seal(run).incomplete == ()
    assert faults(run) == []
