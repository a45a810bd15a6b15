"""Every phase of a run costs what its records cost, and what was measured once is not measured again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GROWTH = Path(__file__).parents[2] / "bench" / "growth.py"
SIZES = (5_000, 50_000)


def rows(folder: Path) -> list[dict[str, float | str]]:
    words = [sys.executable, GROWTH, *map(str, SIZES), "--json", "--folder", folder]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: list[dict[str, float | str]] = json.loads(done.stdout)
    return found


@pytest.mark.long
def test_no_phase_of_a_run_grows_faster_than_its_records(tmp_path):
    found = rows(tmp_path)
    half = len(found) // 2
    assert half == 11
    for small, large in zip(found[:half], found[half:], strict=True):
        assert small["phase"] == large["phase"]
        ratio, more = large["records"] / small["records"], large["records"] - small["records"]
        # What every command costs is in both, so that a phase that is linear stays well below.
        assert large["cpu_s"] < 1.5 * ratio * small["cpu_s"], large["phase"]
        assert (large["peak_mb"] - small["peak_mb"]) * 1e6 / more < 2_000, large["phase"]
    assert rows(tmp_path) == found
    kept = (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()
    # Whoever was stopped in the middle goes on with what is missing.
    (tmp_path / "rows.jsonl").write_text("\n".join(kept[:-1]) + "\n", "utf-8")
    again = rows(tmp_path)
    assert again[:-1] == found[:-1]
    assert again[-1]["phase"] == "gate"
