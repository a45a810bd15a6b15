"""A run is verified also where the plugin that made it is not installed: as far as that goes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.cli.main import main
from assay.publish.running import run
from assay.publish.verify import verify
from runs import installed, write_plan

PLAN = """\
name: elsewhere
seeds: [0]
tasks: [{use: awkward.copy, options: {n: 8}}]
systems:
  - {name: echo, use: awkward.echo}
timing: {processes: 1, blocks: 1, questions: 1}
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A sound run of a plugin that is not installed any more."""
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        run(write_plan(tmp_path, PLAN), out=tmp_path / "run", workers=1)
    return tmp_path / "run"


def test_a_missing_plugin_is_one_fault_that_names_its_distribution(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [fault] = verify(elsewhere)
    assert fault.path == "derived"
    assert "could not be computed again: no task is called 'awkward.copy'" in fault.what
    assert "not installed here: awkward==1.0" in fault.what
    assert main(["verify", str(elsewhere)]) == 1
    assert "awkward==1.0" in capsys.readouterr().out


def test_changed_files_are_named_before_a_missing_plugin(elsewhere: Path) -> None:
    path = elsewhere / "samples/awkward.copy/test.jsonl"
    path.write_bytes(path.read_bytes() + b" ")
    assert [fault.path for fault in verify(elsewhere)] == ["samples/awkward.copy/test.jsonl"]


def test_with_the_plugin_it_is_verified(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(monkeypatch):
        assert verify(elsewhere) == []
        shutil.rmtree(elsewhere / "derived")
        assert verify(elsewhere)
