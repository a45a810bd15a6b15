"""Machines that lie: clocks that jump, renames that fail and were done, signals in every phase."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from assay.core.errors import RunError
from assay.engine.execute import execute
from assay.store.rundir import RunDir
from assay.store.seal import faults
from runs import ROOT, SMOKE, decisions, execute_plan, resolve_plan

FAST = ("timing.blocks=1", "timing.questions=1", "tasks.toy.errands.limit=40")
PHASES = ("asking", "asked", "timing", "timed", "before SEAL", "after SEAL")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return decisions(execute_plan(SMOKE, tmp_path_factory.mktemp("whole") / "run", *FAST))


def test_a_clock_that_jumps_back_and_forth_decides_nothing(
    tmp_path: Path, wanted: dict[str, str]
) -> None:
    jumps = (timedelta(days=(-400) ** (n % 2) * n) for n in count(1))
    resolved = resolve_plan(SMOKE, *FAST)
    run = execute(
        resolved,
        out=tmp_path / "run",
        workers=2,
        clock=lambda: datetime(2026, 11, 29, tzinfo=UTC) + next(jumps),
    )
    assert decisions(run) == wanted
    assert faults(run) == []
    written = [path.read_bytes() for path in run.root.glob("timing/*/*.jsonl")]
    times = [json.loads(row) for text in written for row in text.splitlines()]
    assert times
    assert all(0 < row["latency_s"] < 60 for row in times)


WALL_CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"}
MAY_ASK_THE_TIME = {
    "engine/execute.py",  # when a run began and was sealed
    "engine/growing.py",
    "cli/running.py",  # which folder this command began, by the time of its files
    "cli/boards/adding.py",  # the date of an entry
    "publish/board/chatops/pinning.py",  # how many benchmarks today
    "families/lm/prompted/api_line.py",  # a server that says until when to wait, as a date
    "families/supply/fetching/web.py",  # the same
    "families/lm/commands/edge.py",  # the date of a measurement
    "publish/perf/run.py",  # the same
    "publish/perf/peers.py",  # the same
    "publish/viewing/checked.py",  # when a run was looked at
    "publish/watched/watching.py",  # the same
    "families/supply/keeping/refusing.py",  # when a file was refused
    "families/supply/pipeline/desk.py",  # when a stage stopped
    "families/supply/keeping/notes.py",  # which file was used last, in order though the clock goes back
    "store/folders.py",  # how long what a killed command left has rested
    "families/supply/formats/apr/whole.py",  # how long a file has rested, by the clock of its disk
}


def test_no_duration_is_measured_by_a_clock_that_can_be_set() -> None:
    source = ROOT / "src" / "assay"
    found = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if "data" not in path.relative_to(source).parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in WALL_CLOCKS
    }
    assert found <= MAY_ASK_THE_TIME, found - MAY_ASK_THE_TIME


def kind_of(path: Path) -> str:
    """Return what a file is, whichever cell it is of."""
    return re.sub(r"^\d+-[a-z]+", "", path.name)


@pytest.mark.slow
def test_a_rename_that_reports_an_error_costs_one_more_start(
    tmp_path: Path, wanted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file server repeats a rename that it has done, and says that there is no such file."""
    real: Callable[..., None] = os.replace
    denied: list[str] = []

    def replace(source: Path, target: Path, **named: int) -> None:
        kind = kind_of(Path(target))
        if kind in denied or tmp_path not in Path(target).parents:
            real(source, target, **named)
            return
        denied.append(kind)
        real(source, target, **named)
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(os, "replace", replace)
    resolved, run = resolve_plan(SMOKE, *FAST), RunDir(tmp_path / "run")
    for _ in range(40):
        before = len(denied)
        try:
            execute(resolved, out=run.root, workers=2)
        except RunError as error:
            assert error.code == "A500"  # noqa: PT017  (which start fails is not ours to know)
            assert len(denied) == before + 1
        else:
            break
    assert len(denied) >= 5
    assert "SEAL" in denied
    assert decisions(run) == wanted
    assert faults(run) == []
    assert not list(run.root.rglob("*.part"))


SIGNALLED = """
import json, os, signal, sys
from pathlib import Path
from assay.engine.execute import execute
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve

plan, out, phases, *overrides = sys.argv[1:]
resolved = resolve(load_plan(plan, tuple(overrides)))
ended = []


class Dying:
    def __init__(self, phase):
        self.phase, self.now = phase, ""
        real = os.replace

        def replace(source, target, **named):
            sealing = Path(target).name == "SEAL"
            if sealing and phase == "before SEAL":
                die()
            real(source, target, **named)
            if sealing and phase == "after SEAL":
                die()

        os.replace = replace

    def begin(self, phase, totals):
        self.now = "asking" if phase == "asking" else "timing"
        if self.now == self.phase:
            die()

    def advance(self, system, replies):
        if self.phase == {"asking": "asked", "timing": "timed"}[self.now]:
            die()

    def note(self, text):
        pass


def die():
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()


for phase in json.loads(phases):
    child = os.fork()
    if child == 0:
        execute(resolved, out=Path(out), workers=2, teller=Dying(phase))
        os._exit(0)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ended))
"""
"""Runs a plan once for each phase and is told there to end; what came before is kept by the run."""


@pytest.mark.slow
def test_a_run_that_is_told_to_end_in_each_phase_goes_on_and_decides_the_same(
    tmp_path: Path, wanted: dict[str, str]
) -> None:
    phases = json.dumps([*PHASES, "never"])
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED, str(SMOKE), str(tmp_path / "run"), phases, *FAST],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [-15] * len(PHASES) + [0], done.stderr
    run = RunDir(tmp_path / "run")
    assert decisions(run) == wanted
    assert faults(run) == []
    assert not list(run.root.rglob("*.part"))
