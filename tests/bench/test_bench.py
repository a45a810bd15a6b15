"""The benchmarks run, and their table says what a reader needs; the figures are nobody's promise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
TIMED = re.compile(r"^[\d.e+]+ (s|ms|µs) \[[\d.e+]+ (s|ms|µs), [\d.e+]+ (s|ms|µs)\]$")
RATIO = re.compile(r"^(1|\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\])$")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Run all but the mapper, quickly; return the folder with the results, and what was printed."""
    out = tmp_path_factory.mktemp("bench")
    named = ("journal", "startup", "columns", "front", "bootstrap")
    words = [w for name in named for w in ("--only", name)]
    done = subprocess.run(
        [sys.executable, BENCH / "run.py", "--quick", "--out", out, *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.slow
def test_every_row_has_its_size_its_spread_and_its_ratios(quick):
    out, said = quick
    page = (out / "RESULTS.md").read_text("utf-8")
    rows = [row for row in rows_of(page) if row[0] != "what"]
    assert rows == [row for row in rows_of(said) if row[0] != "what"]
    assert len(rows) >= 15
    for row in rows:
        assert len(row) == 8, row
        assert re.fullmatch(r"[\d,]+ x \d+", row[2])
        assert TIMED.match(row[3]), row
        assert TIMED.match(row[4]), row
        assert RATIO.match(row[5]), row
        assert RATIO.match(row[6]), row


@pytest.mark.slow
def test_rows_that_we_lose_say_so_and_no_other_does(quick):
    out, _ = quick
    kept = json.loads((out / "results.json").read_text("utf-8"))
    rows = [row for part in kept["benchmarks"].values() for row in part["rows"]]
    lost = [
        row
        for row in rows
        if row["rival"]
        and any(row[k] and row[k]["median"] < 1 for k in ("cpu_ratio", "wall_ratio"))
    ]
    assert (out / "RESULTS.md").read_text("utf-8").count("we lose") == len(lost)


@pytest.mark.slow
def test_the_page_names_machine_date_versions_load_and_how_to_repeat(quick):
    page = (quick[0] / "RESULTS.md").read_text("utf-8")
    kept = json.loads((quick[0] / "results.json").read_text("utf-8"))
    assert kept["date"][:10] in page
    for word in ("Load average", "Python 3.", "msgspec ", "To repeat: `python bench/run.py"):
        assert word in page


def test_the_results_in_the_repository_are_those_of_a_whole_run():
    page = (BENCH / "RESULTS.md").read_text("utf-8")
    kept = json.loads((BENCH / "results.json").read_text("utf-8"))
    assert not kept["quick"]
    named = re.findall(r'^    "(\w+)": "', (BENCH / "run.py").read_text("utf-8"), re.MULTILINE)
    assert list(kept["benchmarks"]) == named
    for name in kept["benchmarks"]:
        assert f"\n## {name}: " in page
