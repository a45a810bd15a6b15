"""Tasks on which nothing is shipped for the same reason are told together, each with its own numbers."""

from __future__ import annotations

from pathlib import Path

from .conftest import Say

PLAN = """\
name: alike
tasks:
  - {use: toy.errands, name: one, limit: 30}
  - {use: toy.errands, name: two, limit: 30}
  - {use: toy.errands, name: all}
systems: [{name: last, use: toy.last_word}, {name: votes, use: toy.votes}]
timing: {processes: 0}
claims: []
"""


def test_what_comes_to_the_same_is_said_once(say: Say, tmp_path: Path):
    plan, out = tmp_path / "alike.yaml", tmp_path / "run"
    plan.write_text(PLAN, "utf-8")
    said = say("run", plan, "--out", out)
    assert said.code == 0, said.err
    nothing = [line for line in said.out.splitlines() if "Ship nothing yet" in line]
    assert len(nothing) == 1
    assert nothing[0].startswith("one, two: Ship nothing yet")
    assert "\n  one: The best of them beside " in said.out
    assert "\n  two: The best of them beside " in said.out
    assert "all: Ship votes" in said.out
    report = (out / "derived" / "report.md").read_text("utf-8")
    assert report.count("Ship nothing yet") == 1
    assert "- two: The best of them beside " in report
