"""One small run for all tests of the command line, and a way to say a command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.cli.main import main

PLANS = Path(__file__).parents[2] / "plans"
ASSAY = Path(sys.executable).with_name("assay")

PLAN = """\
name: small
says: A small plan for the tests of the command line
seeds: [0, 1]
tasks:
  - {use: toy.errands, limit: 120}
systems:
  - {name: votes, use: toy.votes, abstain: {max_risk: 0.2}}
  - {name: last-word, use: toy.last_word}
fronts: [[accuracy, usd_per_1k]]
timing: {processes: 1, blocks: 2, questions: 1}
claims:
  - id: better
    says: Counting words is more accurate than looking at the last word
    system: votes
    against: last-word
    metric: accuracy
    at_least: 0.0
  - id: same-again
    says: It decides the same when asked again
    system: votes
    metric: determinism
    at_least: 1.0
    over: []
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def last(self) -> str:
        """The last line of stdout."""
        return self.out.rstrip("\n").rpartition("\n")[2]


Say = Callable[..., Said]


@pytest.fixture(autouse=True)
def as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no table fold because of the terminal that the tests are started in."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Say a command in this process."""

    def command(*words: object) -> Said:
        capfd.readouterr()
        code = main([str(word) for word in words])
        captured = capfd.readouterr()
        return Said(code, captured.out, captured.err)

    return command


def spawn(*words: object, cwd: Path | None = None, **env: str) -> Said:
    """Say a command as a shell does."""
    done = subprocess.run(
        [ASSAY, *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, **env},
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan and two runs of it below ``runs/``."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "small.yaml").write_text(PLAN)
    for name, extra in (("first", []), ("second", ["--set", "systems.votes.options={bag: 0.3}"])):
        done = spawn("run", "small.yaml", "--out", f"runs/{name}", *extra, cwd=folder)
        assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="session")
def first(home: Path) -> Path:
    """A sealed run."""
    return home / "runs" / "first"


@pytest.fixture(scope="session")
def second(home: Path) -> Path:
    """A sealed run of the same plan with a weaker system."""
    return home / "runs" / "second"


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """What a newcomer sees: ``init``, then ``run`` on few samples, in a folder with other letters."""
    folder = tmp_path_factory.mktemp("データ 1")
    env = {"LC_ALL": "C", "LANG": "C"}
    assert spawn("init", cwd=folder, **env).code == 0
    (folder / "first.yaml").rename(folder / "計画 1.yaml")
    quick = ["--set", "timing.processes=1", "--set", "timing.blocks=1"]
    said = spawn("run", "計画 1.yaml", "--limit", 60, "--workers", 2, *quick, cwd=folder, **env)
    return folder, said


@pytest.fixture
def copy(first: Path, tmp_path: Path) -> Path:
    """A copy of a sealed run, to be spoiled."""
    return Path(shutil.copytree(first, tmp_path / "copy"))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan in an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(PLAN)
    return path
