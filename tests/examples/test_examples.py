"""The examples run as they stand, from any folder, and say what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SAYS = {
    "hello": r"\Aship votes: .+\naccuracy of votes: 0\.\d+ \[0\.\d+, 0\.\d+\] n=528x3 \(.+\)\n\Z",
    "compare": r"^accuracy +\+0\.\d+ \[\+0\.\d+, \+0\.\d+\] p=\S+ \(BH\)  better$",
    "pareto": r"\Aprices 'laptop'(.*\n)+prices 'server'(.*\n)+  votes +on .+ per 1,000",
}


def test_every_example_is_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_and_says_what_it_promises(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(SAYS[name], done.stdout, re.MULTILINE), done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.stem)
def test_an_example_uses_only_what_everybody_may_use(path):
    """Nothing below ``assay`` is imported, but for ``assay.testing``, which is made for it."""
    modules = re.findall(
        r"^\s*(?:from|import) (assay(?:\.\w+)*)\b", path.read_text("utf-8"), re.MULTILINE
    )
    assert set(modules) <= {"assay", "assay.testing"}
