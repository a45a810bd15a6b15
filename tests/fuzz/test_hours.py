"""Each harness has its hour, and what it has had is counted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hours
import pytest
import yaml
from hours import Had

ROOT = Path(__file__).parents[2]
ONE = Had(cpu_minutes=1.5, inputs=10, turns=1, branches=7, crashes=0)


def test_what_a_turn_added_is_in_the_ledger_that_is_read_back(tmp_path):
    path = tmp_path / "HOURS.json"
    ledger = hours.read_ledger(path)
    assert set(ledger) == set(hours.NAMES)
    ledger["plan"] = ledger["plan"].after(ONE).after(replace(ONE, branches=5, crashes=2))
    hours.write_ledger(path, ledger)
    assert hours.read_ledger(path) == ledger
    assert ledger["plan"] == Had(cpu_minutes=3.0, inputs=20, turns=2, branches=7, crashes=2)


def test_the_harness_that_had_least_is_next():
    ledger = dict.fromkeys(hours.NAMES, ONE) | {"run": Had(cpu_minutes=0.5)}
    assert hours.least(ledger, hours.NAMES) == "run"
    assert hours.least(ledger, ("plan", "apr")) == "apr"


def test_the_table_has_every_harness_and_their_sum():
    told = hours.table(dict.fromkeys(hours.NAMES, ONE))
    assert all(f"| {name} | 1.5 | 10 | 7 | 0 |" in told for name in hours.NAMES)
    assert f"| **all** | {1.5 * len(hours.NAMES):,.1f} | {10 * len(hours.NAMES):,} |" in told


def test_the_ledger_of_the_repository_has_every_harness_and_nothing_else():
    said = json.loads(hours.LEDGER.read_text("utf-8"))
    assert set(said) == set(hours.NAMES)
    for name, had in hours.read_ledger(hours.LEDGER).items():
        assert had.inputs > 0 or not had.turns, name


def test_every_harness_has_its_hour_in_the_workflow():
    made = yaml.safe_load((ROOT / ".github/workflows/fuzz.yml").read_text("utf-8"))
    job = made["jobs"]["hour"]
    assert job["strategy"]["matrix"]["harness"] == list(hours.NAMES)
    assert any("hours.py 60" in step.get("run", "") for step in job["steps"])
    assert made[True]["schedule"]  # YAML 1.1 reads `on` as a truth


@pytest.mark.heavy
def test_two_turns_are_counted_and_a_signal_ends_the_third_in_order(tmp_path):
    pytest.importorskip("atheris")
    ledger = tmp_path / "HOURS.json"
    words = [
        sys.executable, str(ROOT / "tests/fuzz/hours.py"), "60", "wire", "signature", "replies",
        "--turn", "5", "--ledger", str(ledger), "--folder", str(tmp_path / "work"),
    ]  # fmt: skip
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as run:
        assert run.stderr is not None
        for _ in range(2):
            assert b"CPU minutes" in run.stderr.readline()
        run.send_signal(signal.SIGTERM)
        run.stderr.read()
        assert run.wait() == 0
    had = hours.read_ledger(ledger)
    told = [had[name] for name in ("wire", "signature", "replies")]
    assert sum(one.turns for one in told) in (2, 3)  # the third may not have begun
    assert all(one.cpu_minutes > 0 for one in told if one.turns)
    assert sum(one.inputs > 0 for one in told) >= 2


def test_the_docs_name_every_harness():
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    listed = page[page.index("## Readers that are fuzzed") : page.index("## What assay is made of")]
    assert not [name for name in hours.NAMES if f"`{name}`" not in listed]
