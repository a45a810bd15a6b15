"""A run that another process makes, and that stays as it is while a test looks at it."""

from __future__ import annotations

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
            if _waits(watching):
                break
            try:
                child.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(child.communicate()[0].decode())
        yield RunDir(out)
        child.kill()
        child.communicate()


def _waits(watching: Watching) -> bool:
    moment = watching.look()
    left = {one.system: sum(cell.left for cell in one.cells) for one in moment.systems}
    return bool(left) and {name for name, n in left.items() if n} == {ASLEEP}
