"""A plan without a timing pass: times are not measured, and nothing pretends that they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Say

UNTIMED = """\
name: untimed
tasks: [{use: toy.errands, limit: 40}]
timing: {processes: 0}
systems: [{name: votes, use: toy.votes}, {name: last, use: toy.last_word}]
fronts: [[accuracy, usd_per_1k]]
claims:
  - {id: better, says: b, system: votes, against: last, metric: accuracy, at_least: 0.0}
  - {id: median, says: m, system: votes, metric: latency_p50, at_most: 1.0}
  - {id: mean, says: n, system: votes, metric: latency_mean, at_most: 1.0}
  - {id: same, says: s, system: votes, metric: determinism, at_least: 1.0, over: []}
"""
OF_TIME = {"median", "mean", "same"}


@pytest.fixture
def untimed(tmp_path: Path) -> Path:
    """A plan that times nothing."""
    path = tmp_path / "untimed.yaml"
    path.write_text(UNTIMED, "utf-8")
    return path


def test_claims_about_time_are_said_to_stay_open_before_anything_is_asked(say: Say, untimed: Path):
    said = say("plan", untimed)
    assert said.code == 0, said.err
    assert said.out.count("the plan has no timing pass") == len(OF_TIME)
    assert "3 of 4 claims cannot be supported" in said.out


def test_a_run_has_answers_and_no_times(say: Say, untimed: Path, tmp_path: Path):
    out = tmp_path / "run"
    said = say("run", untimed, "--out", out)
    assert said.out.count("not measured, needed") == len(OF_TIME), said.err
    assert not list((out / "timing").rglob("*.jsonl"))
    assert say("verify", out).code == 0
