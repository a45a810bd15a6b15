"""Runs for tests: made here or in a child, compared by what they decided."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from assay.core.record import Cell
from assay.engine.execute import execute
from assay.engine.plan import load_plan
from assay.engine.plugins import known
from assay.engine.resolve import Resolved, resolve
from assay.store.evidence import read_evidence
from assay.store.journal import read_lines
from assay.store.line import Line
from assay.store.rundir import RunDir, cell_of
from assay.store.seal import journals, read_seal

ROOT = Path(__file__).parent.parent
SMOKE = ROOT / "plans" / "smoke.yaml"
TESTS = Path(__file__).parent
PLUGINS = TESTS / "plugins"

CHILD = """
import sys
from pathlib import Path
from assay.engine.execute import execute
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve

plan, out, workers, *overrides = sys.argv[1:]
execute(resolve(load_plan(plan, tuple(overrides))), out=Path(out), workers=int(workers))
"""
"""A program that runs a plan; what the command line does, without its manners."""


@contextmanager
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put tests/plugins where an installed distribution would be."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS), prepend=os.pathsep)
    known.cache_clear()
    try:
        yield
    finally:
        known.cache_clear()


def write_plan(folder: Path, text: str, name: str = "plan.yaml") -> Path:
    """Write an indented plan to a file."""
    path = folder / name
    path.write_text(dedent(text), "utf-8")
    return path


def resolve_plan(path: Path, *overrides: str) -> Resolved:
    """Load a plan and resolve it."""
    return resolve(load_plan(path, overrides))


def execute_plan(path: Path, out: Path, *overrides: str, workers: int = 2) -> RunDir:
    """Run a plan in this process (its systems live in others, as ever)."""
    return execute(resolve_plan(path, *overrides), out=out, workers=workers)


def start_child(
    path: Path, out: Path, *overrides: str, workers: int = 2, **environment: str
) -> subprocess.Popen[bytes]:
    """Run a plan in a process that may be killed."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(out), str(workers), *overrides],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment},
        cwd=out.parent,
    )


def finish(child: subprocess.Popen[bytes], *, within: float = 120) -> tuple[int, str]:
    """Wait for a child; return its exit status and what it said."""
    said, _ = child.communicate(timeout=within)
    return child.returncode, said.decode("utf-8", "replace")


def decisions(run: RunDir) -> dict[str, str]:
    """Return what a sealed run decided, by cell."""
    return dict(read_seal(run).decisions)


def lines_of(run: RunDir, system: str, split: str = "test", seed: int = 0) -> dict[str, Line]:
    """Return a system's last line for each sample of a plan with one task."""
    found = {}
    for path in journals(run):
        cell = cell_of(run.root, path)
        if (cell.system, cell.split, cell.seed) == (system, split, seed):
            found.update({line.decided.sample: line for line in read_lines(path)})
    return found


def evidence_of(run: RunDir, system: str, sample: str) -> str:
    """Return what the evidence pack keeps of one reply of a plan with one task."""
    line = lines_of(run, system)[sample]
    task = next((run.root / "records").iterdir()).name
    assert line.usage.at is not None
    pack = run.evidence(Cell(task=task, system=system, seed=0, split="test"))
    return read_evidence(pack, line.usage.at).decode()


def copy_of(run: RunDir, to: Path) -> RunDir:
    """Return a copy of a run that a test may break."""
    shutil.copytree(run.root, to)
    return RunDir(to)
