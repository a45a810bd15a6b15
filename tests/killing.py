"""Run a plan many times, kill every process at a point of its own, and resume it.

    python killing.py PLAN FOLDER KILLS SEED [--set words ...]

prints JSON.  The points are drawn from SEED: after so many bytes given to the system (also in the
middle of a write), before or after the n-th call that makes something durable, or by a clock.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from assay.engine.execute import execute
from assay.engine.plan import load_plan
from assay.engine.resolve import Resolved, resolve
from assay.store.evidence import read_evidence
from assay.store.journal import read_lines
from assay.store.rundir import RunDir, cell_of
from assay.store.seal import faults, journals, read_seal

DURABLE = ("fsync", "fdatasync", "replace", "unlink", "mkdir", "truncate", "ftruncate")
WAYS = ("bytes", "bytes", "before", "after", "clock")
PATIENCE = 30
"""Kills of one run, after which it may finish."""


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(way: str, share: float) -> None:
    """Arrange that this process is killed; ``share`` in [0, 1] says how late."""
    if way == "clock":
        # The default action of this signal ends a process without a word.
        signal.setitimer(signal.ITIMER_REAL, 0.01 + 1.2 * share**3)
    elif way == "bytes":
        _count_bytes(int(50_000 * share**3))
    else:
        _count_calls(int(90 * share**3), after=way == "after")


def _count_bytes(left: int) -> None:
    real = os.write

    def write(handle: int, data: Any) -> int:
        nonlocal left
        if len(data) > left:
            real(handle, data[:left])
            die()
        left -= len(data)
        return real(handle, data)

    os.write = write


def _count_calls(left: int, *, after: bool) -> None:
    def counted(real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0 and not after:
                die()
            result = real(*arguments, **named)
            if left < 0:
                die()
            return result

        return call

    for name in DURABLE:
        setattr(os, name, counted(getattr(os, name)))


def attempt(resolved: Resolved, out: Path, way: str, share: float) -> int:
    """Run once in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            if way:
                arm(way, share)
            execute(resolved, out=out, workers=2)
        except BaseException:  # noqa: BLE001  (whatever it was, it must not go on as the parent)
            traceback.print_exc()
            os._exit(70)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def failures(run: RunDir) -> list[str]:
    """Return what no system of the smoke plan ever does, with the evidence that was kept."""
    found = []
    for path in journals(run):
        pack = run.evidence(cell_of(run.root, path))
        for line in read_lines(path):
            if line.decided.kind == "failed":
                kept = read_evidence(pack, line.usage.at).decode() if line.usage.at else ""
                found.append(f"{path}: {line.decided.reason} {kept}")
    return found[:5]


def main() -> None:
    """Kill until there were enough kills; say what became of the runs."""
    plan, folder, kills, seed, *overrides = sys.argv[1:]
    rng = random.Random(int(seed))
    resolved = resolve(load_plan(plan, tuple(overrides)))
    died: Counter[str] = Counter()
    runs: list[dict[str, Any]] = []
    while died.total() < int(kills):
        out = Path(folder) / f"run-{len(runs)}"
        ways: Counter[str] = Counter()
        while True:
            spent = ways.total() >= PATIENCE or died.total() + ways.total() >= int(kills)
            way = "" if spent else rng.choice(WAYS)
            status = attempt(resolved, out, way, rng.random())
            if status == 0:
                break
            if not os.WIFSIGNALED(status):
                sys.exit(
                    f"a process ended by itself with status {os.waitstatus_to_exitcode(status)}"
                )
            ways[way] += 1
        run = RunDir(out)
        died += ways
        runs.append(
            {
                "kills": ways.total(),
                "decisions": read_seal(run).decisions,
                "incomplete": read_seal(run).incomplete,
                "faults": [str(fault) for fault in faults(run)],
                "failed": failures(run),
                "half_written": [str(p) for p in run.root.rglob("*.part")],
            }
        )
    sys.stdout.write(json.dumps({"died": died, "runs": runs}))


if __name__ == "__main__":
    main()
