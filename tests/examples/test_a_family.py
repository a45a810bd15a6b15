"""Somebody else's family: built, installed, found, run, verified; nothing in assay knows of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FAMILY = Path(__file__).parents[2] / "examples" / "a_family"
BIN = Path(sys.executable).parent
LISTS = "from assay import load_tasks; print(*load_tasks('dates.*'))"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling builds the package"),
    pytest.mark.skipif(find_spec("pip") is None, reason="pip installs the package"),
    pytest.mark.xdist_group("a_family"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build and install the package into a folder of its own; return that folder."""
    folder = tmp_path_factory.mktemp("family")
    source, target = folder / "source", folder / "target"
    shutil.copytree(FAMILY, source, ignore=shutil.ignore_patterns("__pycache__"))
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *offline, "--target", target, source],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def at(installed, tmp_path_factory):
    """Run a program of this environment with the package on its path, in an empty folder."""
    folder = tmp_path_factory.mktemp("elsewhere")

    def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / program, *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def ran(at, tmp_path_factory):
    """Run the package's plan to its seal; return the run directory."""
    out = tmp_path_factory.mktemp("runs") / "dates"
    done = at("assay", "run", str(FAMILY / "plan.yaml"), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_its_task_is_found_by_a_glob(at):
    assert at("python", "-c", LISTS).stdout.split() == ["dates.phrases"]


def test_its_task_and_recipes_are_listed(at):
    for what, names in (
        ("tasks", ["dates.phrases"]),
        ("recipes", ["dates.formats", "dates.roles"]),
    ):
        said = at("assay", "ls", what).stdout
        assert [name for name in names if name not in said] == []


def test_its_own_tests_pass(at):
    done = at(
        "python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(FAMILY),
        str(FAMILY),
    )
    assert done.returncode == 0, done.stdout


def test_its_plan_runs_to_a_sealed_run_that_decides(ran):
    out, said = ran
    assert (out / "SEAL").is_file()
    decided = {f["id"]: f["status"] for f in said["findings"]}
    assert decided == {"better": "supported", "rarely-swaps": "supported"}


def test_its_own_metric_is_on_the_report(ran):
    out, _ = ran
    assert "swap_rate" in (out / "derived" / "metrics.jsonl").read_text("utf-8")


def test_its_run_verifies(at, ran):
    out, _ = ran
    done = at("assay", "verify", str(out))
    assert (done.returncode, "verified" in done.stdout + done.stderr) == (0, True)


def test_it_is_gone_without_the_package(ran):
    """The run stays readable as files; to compute its numbers again, the task must be there."""
    out, _ = ran
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [BIN / "assay", "verify", str(out)],
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "assay-dates==0.1.0" in done.stdout
    assert "not verified" in done.stdout
