"""The readers of model files under fuzzers that see which lines their inputs reach."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FUZZERS = Path(__file__).parents[1] / "fuzz"


@pytest.mark.heavy
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "runs"), [("model_files", 20_000), ("apr", 40_000)])
def test_twenty_thousand_inputs_open_or_are_refused(name, runs, tmp_path):
    pytest.importorskip("atheris")
    found = tmp_path / "found"
    done = subprocess.run(
        [
            sys.executable, FUZZERS / f"fuzz_{name}.py", "800", "--runs", str(runs), "--seed", "1",
            "--corpus", tmp_path / "corpus", "--found", found,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    crashes = {file.name: file.read_bytes() for file in found.iterdir()}
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{crashes}"
    assert not crashes
    said = re.search(r"Done (\d+) runs", done.stderr)
    assert said is not None, done.stderr[-2000:]
    assert int(said[1]) >= runs
    # It went deeper than the whole files that it was given.
    covered = [int(number) for number in re.findall(r"cov: (\d+)", done.stderr)]
    assert covered[-1] > covered[0]
