"""The readers of ``.apr`` files against a fuzzer that sees which lines its inputs reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).parents[1] / "fuzz_apr.py"


@pytest.mark.heavy
def test_no_input_of_atheris_does_anything_but_be_read_or_refused(tmp_path):
    pytest.importorskip("atheris")
    limits = ["-runs=40000", "-max_len=2000", "-rss_limit_mb=1024", "-timeout=10", "-seed=1"]
    done = subprocess.run(
        [sys.executable, FUZZER, tmp_path / "corpus", *limits],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 40000 runs" in done.stderr
