"""``assay science``: what a user sees who runs a domain, adds seeds, and compares at equal coverage."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.publish.run import Run

pytestmark = pytest.mark.heavy
torch = pytest.importorskip("torch")


def say(*words: object, folder: Path) -> tuple[int, Any, str]:
    """Say a command with ``--json``; return its exit status, its facts, and all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "assay", "science", *map(str, words), "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    facts = json.loads(done.stdout) if done.stdout else None
    return done.returncode, facts, done.stdout + done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which each domain was run in the mode smoke."""
    return tmp_path_factory.mktemp("science")


@pytest.mark.parametrize("domain", ["dose", "rf", "ik"])
def test_a_smoke_run_learns_and_seals(runs: Path, domain: str) -> None:
    code, facts, told = say("run", domain, "--mode", "smoke", "--out", domain, folder=runs)
    assert code == 0, told
    assert set(facts["claims"].values()) == {"supported"}
    assert len(facts["claims"]) == 4
    run = Run.load(runs / domain)
    assert run.verify() == []
    assert run.decision[f"science.{domain}"]["ship"] != "oracle"
    assert run.results.vacuous == {}
    ceiling = run.estimate("accuracy", "oracle").value
    for system in ("two-heads", "projective"):
        found = run.estimate("accuracy", system)
        assert found.low < ceiling, "nobody is above what can be known"


def test_seeds_are_added_to_a_run_and_some_are_run_again(runs: Path) -> None:
    if not (runs / "dose" / "SEAL").is_file():
        say("run", "dose", "--out", "dose", folder=runs)
    before = json.loads((runs / "dose" / "SEAL").read_text())["decisions"]
    code, facts, told = say(
        "run", "dose", "--seeds", 3, "--out", "dose", "--skip-complete", folder=runs
    )
    assert code == 0, told
    assert facts["seeds"] == [0, 1, 2]
    after = json.loads((runs / "dose" / "SEAL").read_text())["decisions"]
    assert after.items() > before.items()
    code, facts, told = say(
        "run",
        "dose",
        "--seeds",
        1,
        "--start-seed",
        2,
        "--out",
        "dose",
        "--force-rerun",
        folder=runs,
    )
    assert code == 0, told
    assert json.loads((runs / "dose" / "SEAL").read_text())["decisions"] == after
    history = [attempt["how"] for attempt in Run.load(runs / "dose").provenance.attempts]
    assert history[1::2] == ["more seeds", "seeds again"]


def test_ctrl_c_says_that_the_run_goes_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "science", "run", "dose", "--out", "dose"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("asking"):
            break
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 3, told
    assert "A502 interrupted; what is finished is kept" in told
    assert "run the same command: it goes on" in told


def test_a_run_is_compared_at_equal_coverage(runs: Path) -> None:
    if not (runs / "dose" / "SEAL").is_file():
        say("run", "dose", "--out", "dose", folder=runs)
    code, facts, told = say("parity", "dose", "--out", "parity", folder=runs)
    assert code == 0, told
    assert facts == json.loads((runs / "parity" / "parity_report.json").read_text())
    assert "<svg" in (runs / "parity" / "coverage_accuracy.svg").read_text()
    for curve in facts["systems"].values():
        shares = [place["share"] for place in curve["places"]]
        answered = [place["coverage"]["value"] for place in curve["places"]]
        assert answered == sorted(answered)
        seeds = len(Run.load(runs / "dose").manifest.seeds)
        counted = [(p["coverage"]["n"], p["coverage"]["n_seeds"]) for p in curve["places"]]
        assert set(counted) == {(400, seeds)}, "every table counts samples once"
        assert all(p["selective_accuracy"]["n"] <= 400 for p in curve["places"])
        assert all(abs(a - s) < 0.15 for a, s in zip(answered[-3:], shares[-3:], strict=True))


def test_what_cannot_be_compared_says_why(runs: Path, tmp_path: Path) -> None:
    code, _, told = say("parity", tmp_path / "none", "--out", tmp_path, folder=runs)
    assert code == 2
    assert "A303" in told
    if not (runs / "dose" / "SEAL").is_file():
        say("run", "dose", "--out", "dose", folder=runs)
    code, _, told = say("parity", "dose", "--task", "science.doze", "--out", tmp_path, folder=runs)
    assert code == 2
    assert "known: science.dose" in told


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    code, _, told = say("run", "dose", "--device", "cuda", "--out", "x", folder=tmp_path)
    assert code == 2
    assert "device: auto" in told
    assert list(tmp_path.iterdir()) == []
