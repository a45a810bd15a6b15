"""Programs of peers run, and the results in the repository are those of one whole measurement."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assay.publish.perf.document import read
from assay.publish.perf.page import page
from assay.publish.perf.peers import peers_of
from assay.publish.perf.suites import load_suite

BENCH = Path(__file__).parents[2] / "bench"
LIGHT = ("journal", "startup", "columns", "front", "bootstrap")
TIMED = re.compile(r"^[\d.e+]+ (s|ms|µs) \[[\d.e+]+ (s|ms|µs), [\d.e+]+ (s|ms|µs)\]$")
RATIO = re.compile(r"^(1|\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\])$")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Run a suite of its smallest size and the light programs, quickly; return where the results are."""
    folder = tmp_path_factory.mktemp("peers")
    says = dict.fromkeys(LIGHT, "what it compares")
    (folder / "peers.yaml").write_text(json.dumps(says), "utf-8")
    for path in (*BENCH.glob("*.py"), *BENCH.glob("*.rs")):
        (folder / path.name).symlink_to(path)
    out = tmp_path_factory.mktemp("bench")
    words = ["--suite", "front", "--sizes", "100", "--quick", "--peers", folder]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "assay",
            "perf",
            "run",
            *words,
            "--page",
            out / "R.md",
            "--out",
            out,
        ],
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("what", "benchmark")]


@pytest.mark.long
@pytest.mark.timeout(900)  # a busy machine is no fault
def test_every_row_has_its_size_its_spread_and_its_ratios(quick):
    ours, theirs = (quick / "R.md").read_text("utf-8").split("## assay beside its peers")
    rows = rows_of(theirs)
    assert len(rows) >= 15
    for row in rows:
        assert len(row) == 8, row
        assert re.fullmatch(r"[\d,]+ x \d+", row[2])
        assert TIMED.match(row[3]), row
        assert TIMED.match(row[4]), row
        assert RATIO.match(row[5]), row
        assert RATIO.match(row[6]), row
    assert len(rows_of(ours)) == 6 + 2
    for row in rows_of(ours):
        assert TIMED.match(row[2]), row
        assert TIMED.match(row[3]), row
        assert re.fullmatch(r"3 x 2 x [\d,]+", row[5]), row


@pytest.mark.long
@pytest.mark.timeout(900)  # a busy machine is no fault
def test_rows_that_we_lose_say_so_and_no_other_does(quick):
    rows = [row for peer in read(quick / "R.json").assay.peers for row in peer.rows]
    lost = [
        row
        for row in rows
        if row.rival and any(r and r.median < 1 for r in (row.cpu_ratio, row.wall_ratio))
    ]
    assert (quick / "R.md").read_text("utf-8").count("**we lose") == len(lost)


@pytest.mark.long
@pytest.mark.timeout(900)  # a busy machine is no fault
def test_the_page_names_machine_date_versions_load_and_how_to_repeat(quick):
    text = (quick / "R.md").read_text("utf-8")
    about = read(quick / "R.json").assay
    assert about.when[:10] in text
    for word in (
        "load average",
        "Python 3.",
        "msgspec ",
        "To repeat: `assay perf run --suite front",
    ):
        assert word in text


def test_the_results_in_the_repository_are_a_whole_measurement_and_its_page():
    found = read(BENCH / "RESULTS.json")
    assert not found.assay.quick
    assert [peer.name for peer in found.assay.peers] == [peer.name for peer in peers_of(BENCH)]
    assert not any(each.quick for each in (*found.assay.peers, *found.assay.suites.values()))
    measured = {row.name for row in (*found.assay.rows, *found.assay.absent)}
    for suite in found.assay.suites:
        assert {f"{suite}/{one.name}" for one in load_suite(suite).at(())} <= measured
    assert not any(one.broke for one in (*found.assay.absent, *found.assay.peers))
    text = (BENCH / "RESULTS.md").read_text("utf-8")
    assert text == page(found, "bench/RESULTS.json")
