"""Samples whose licence forbids copies: lent to the workers while a run goes on, then taken back.

*Covered*: a run that ends in any way but by SIGKILL or a power cut; what such a run left is taken back
by the next process that goes on with it, or that runs anything in the same folder of runs.  *Not
covered*: until then; what a system says, and what a recipe writes outside of its folder.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import RunError
from ..store.rundir import RunDir
from ..store.samples import write_samples
from .resolved import ResolvedTask

LENT = ("train", "tune")
"""What a recipe is built with; questions go to a worker through a pipe."""


@contextmanager
def lent(run: RunDir, tasks: Mapping[str, ResolvedTask]) -> Iterator[None]:
    """Lay out what workers need of the tasks of which a run keeps digests only."""
    closed = [task for task in tasks.values() if not task.task.redistributable]
    try:
        for task in closed:
            for split in LENT:
                write_samples(run.lent(task.name, split), task.splits[split])
        yield
    finally:
        if closed:
            _take_back(run, [task.name for task in closed])


def lent_samples(run: RunDir, task: ResolvedTask, split: str) -> Path:
    """Return the file in which a worker finds a split with its content."""
    where = run.samples if task.task.redistributable else run.lent
    return where(task.name, split)


def take_back_left(run: RunDir) -> None:
    """Take back what killed processes left in the runs beside this one.

    A run that is still written is left alone: its own process takes back what it lent.
    """
    for left in run.root.parent.glob("*/cache/lent"):
        beside = RunDir(left.parents[1])
        if beside.root.name == run.root.name:
            continue
        with contextlib.suppress(RunError), beside.writing():
            _take_back(beside, [folder.name for folder in left.iterdir()])


def _take_back(run: RunDir, tasks: list[str]) -> None:
    # What was trained may hold its data, and a traceback in a log may quote it.
    for folder in (run.work / "lent", run.work / "logs", *(run.work / "work" / t for t in tasks)):
        shutil.rmtree(folder, ignore_errors=True)
