"""What a report and a verification hold grows slowly with the records, and the page does not grow at all."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Run, Sample
from assay.core.reply import Said
from assay.publish import browser
from assay.publish.perf.own.big_run import write_run as write_large
from publish.harm import CONTROLS, TASK, Writing, write_run

CHILD = """
import resource, sys
from assay import Run
from assay.publish import browser

run = Run.load(sys.argv[1], keep=False)
[(task, case)] = run.results.cases.items()
samples = run.results.samples[task]
seen = browser.look(run.dir, case, samples, list(case.tables))
browser.pack(case, samples, seen)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""Everything that ``verify`` and ``report`` hold of records; estimates hold a resample at a time."""


def peak(root: Path) -> float:
    """Return the most memory that a process of its own held for a run, in bytes."""
    words = [sys.executable, "-c", CHILD, str(root)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


def test_four_times_the_records_take_less_than_a_kilobyte_for_each_more(tmp_path):
    sizes = (10_000, 40_000)
    peaks = []
    for size in sizes:
        write_large(tmp_path / str(size), size, systems=2)
        peaks.append(peak(tmp_path / str(size)))
    assert (peaks[1] - peaks[0]) / (sizes[1] - sizes[0]) < 1000


def says(i: int) -> Said:
    return Answer("ab"[i % 7 > 4], (i % 100) / 100)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    samples = [
        Sample(id=f"{i:04}", input=f"question {i} " + "words " * (i % 90), target=Answer("a"))
        for i in range(800)
    ]
    replies = {"one": lambda i, _: says(i), "two": lambda i, seed: says(i + seed + 3)}
    what = Writing(samples=samples, replies={**replies, CONTROLS[0]: replies["one"]}, timed=False)
    return Run.load(write_run(tmp_path_factory.mktemp("runs") / "sized", what).root)


@pytest.fixture(scope="module")
def seen(run: Run) -> dict[str, browser.Seen]:
    case = run.results.cases[TASK]
    return browser.look(run.dir, case, run.results.samples[TASK], list(case.tables))


@settings(max_examples=20)
@given(budget=st.integers(4_000, 200_000))
def test_the_samples_of_a_page_fit_its_budget_and_say_how_many_there_are(budget, run, seen):
    case, samples = run.results.cases[TASK], run.results.samples[TASK]
    packed = browser.pack(case, samples, seen, budget=budget)
    assert len(packed.encode()) <= budget
    found = json.loads(packed)
    assert found["total"] == len(samples) == 400
    assert 1 <= len(found["id"]) <= 400


def test_the_page_of_a_large_run_says_which_command_shows_the_rest():
    script = (resources.files("assay.publish") / "templates" / "page.js").read_text("utf-8")
    assert "`assay samples RUN` pages through all of them" in script
