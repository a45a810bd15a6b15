"""Runs of networks: the same when done again, and when killed, moved and gone on with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.families.science.domains.dose import dose
from assay.families.science.learning.kept import STACK
from assay.families.science.learning.teaching import Search, teach
from assay.families.science.recipes.projective import Rational
from runs import decisions, execute_plan, finish, start_child, write_plan

pytestmark = pytest.mark.heavy
for package in ("torch", "safetensors", "sklearn"):
    pytest.importorskip(package)

LEARNT = "{hidden: [8], epochs: 3, batch: 32}"
PLAN = f"""
    name: replay
    says: Do networks decide the same when they learn again?
    seeds: [0, 1]
    tasks:
      - use: science.dose
        options: {{train: 300, tune: 60, calibration: 30, test: 40}}
    systems:
      - {{name: median, use: science.constant}}
      - {{name: fit, use: science.hill_fit}}
      - {{name: trees, use: science.trees, options: {{iterations: 5}}}}
      - {{name: heads, use: science.two_heads, options: {LEARNT}}}
      - {{name: intervals, use: science.softmax, options: {LEARNT}}}
      - {{name: ensemble, use: science.ensemble, options: {{members: 2, hidden: [8], epochs: 3}}}}
      - {{name: sets, use: science.conformal, options: {LEARNT}}}
      - {{name: rational, use: science.projective, options: {LEARNT}}}
      - name: frozen
        use: science.projective
        options: {{hidden: [8], epochs: 3, direction: frozen}}
"""

NETWORKS = {"heads", "intervals", "ensemble", "sets", "rational", "frozen"}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Return a run, and the plan that it is of."""
    place = tmp_path_factory.mktemp("straight")
    plan = write_plan(place, PLAN)
    return execute_plan(plan, place / "run"), plan


def test_the_same_plan_decides_the_same_and_another_seed_does_not(straight, tmp_path):
    run, plan = straight
    again = decisions(execute_plan(plan, tmp_path / "again"))
    assert again == decisions(run)
    rational = [digest for cell, digest in again.items() if "/rational/" in cell]
    assert len(set(rational)) == len(rational) > 1


def test_one_worker_and_two_and_one_seed_and_both_decide_the_same(straight, tmp_path):
    run, plan = straight
    whole = decisions(run)
    alone = decisions(execute_plan(plan, tmp_path / "alone", "seeds=[1]", workers=1))
    seeded = {cell: digest for cell, digest in alone.items() if cell in whole and "/1-" in cell}
    assert {name for name in NETWORKS for cell in seeded if f"/{name}/" in cell} == NETWORKS
    assert all(whole[cell] == digest for cell, digest in seeded.items())


def test_a_run_that_is_killed_and_moved_goes_on_to_the_same_decisions(straight, tmp_path):
    run, plan = straight
    out = tmp_path / "killed"
    child = start_child(plan, out)
    while child.poll() is None and not list(out.rglob("network.safetensors")):
        try:
            child.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    os.kill(child.pid, signal.SIGKILL)
    finish(child)
    assert not (out / "SEAL").exists()
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    shutil.move(out, moved)
    assert decisions(execute_plan(plan, moved)) == decisions(run)


CHILD = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from assay.families.science.learning import teaching
from families.test_science_replay import LONG, SEARCH, lesson

teaching.CHECKPOINT_S = 0.0
place = Path(sys.argv[1])
teaching.teach(lesson(LONG), SEARCH, {0: place / "0"}, workdir=place)
"""
LONG = Rational(hidden=(16,), epochs=100, batch=32)
SEARCH = Search(rate=2e-3, decay=0.0, tries=2)


def lesson(recipe):
    task = dose(train=400, tune=60, calibration=1, test=1)
    return recipe.lesson(task.samples("train"), task.samples("tune"))


def test_a_process_that_is_killed_while_it_teaches_leaves_a_stack_that_goes_on(tmp_path):
    tests = Path(__file__).parents[1]
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), str(tests)])
    while child.poll() is None and not (tmp_path / STACK).is_file():
        try:
            child.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
    child.kill()
    child.wait()
    assert (tmp_path / STACK).is_file()
    [resumed] = teach(lesson(LONG), SEARCH, {0: tmp_path / "0"}, workdir=tmp_path).values()
    assert 0 < resumed.spent["resumed_at"] < LONG.epochs
    other = tmp_path / "straight"
    [straight] = teach(lesson(LONG), SEARCH, {0: other / "0"}, workdir=other).values()
    assert resumed.weights.tobytes() == straight.weights.tobytes()
    assert resumed.facts == straight.facts
