"""A run that another process makes, and that stays as it is while a test looks at it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay.publish.watched import Watching
from assay.store.rundir import RunDir
from runs import installed, start_child, write_plan

ASLEEP = "asleep"
"""The system of such a plan that never answers."""


@contextmanager
def run_in_progress(folder: Path, text: str) -> Iterator[RunDir]:
    """Start a run, and yield it once everything is asked but what the system ``asleep`` is."""
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        plan, out = write_plan(folder, text), folder / "run"
        child = start_child(plan, out)
        watching = Watching(out)
        for _ in range(1200):
            if _waits(watching) and _has_begun(out):
                break
            try:
                child.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(child.communicate()[0].decode())
        child.send_signal(signal.SIGSTOP)  # what it had still to note stays unwritten
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        yield RunDir(out)
        child.kill()
        child.communicate()


def _waits(watching: Watching) -> bool:
    moment = watching.look()
    open_ = {one.system for one in moment.systems if not all(cell.finished for cell in one.cells)}
    return open_ == {ASLEEP}


def _has_begun(run: Path) -> bool:
    """Whether the worker that never answers has made its folder: it makes no other change."""
    return any((RunDir(run).work / "work").glob(f"*/{ASLEEP}"))
