"""Sixty kills, and not one decision changes; ``faults.py kills=N`` does as many as you like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runs import SMOKE, TESTS, decisions, execute_plan

FAST = ("timing.blocks=1", "timing.questions=1", "tasks.toy.errands.limit=150")


@pytest.mark.long
@pytest.mark.timeout(900)  # a busy machine is no fault
def test_a_run_that_is_killed_sixty_times_decides_the_same(tmp_path: Path) -> None:
    wanted = decisions(execute_plan(SMOKE, tmp_path / "whole", *FAST))
    done = subprocess.run(
        [sys.executable, str(TESTS / "killing.py"), str(SMOKE), str(tmp_path), "60", "7", *FAST],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-8000:]
    found = json.loads(done.stdout)
    assert sum(found["died"].values()) == 60
    assert set(found["died"]) == {"bytes", "before", "after", "clock"}
    print(  # noqa: T201  (the numbers are the point)
        f"\n60 kills ({found['died']}) in {len(found['runs'])} runs"
    )
    assert len(found["runs"]) >= 2
    for run in found["runs"]:
        assert run["failed"] == []
        assert run["decisions"] == wanted
        assert run["incomplete"] == []
        assert run["faults"] == []
        assert run["half_written"] == []
