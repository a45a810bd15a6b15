"""Every command that reads a run shows what strangers wrote in it, and the terminal obeys none of it."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from assay import Run
from assay.cli.main import main
from assay.visible import JOINERS, UNSAFE

COMMANDS = {
    "report": ("report", "RUN"),
    "front": ("front", "RUN", "--legacy"),
    "noise": ("noise", "RUN"),
    "compare": ("compare", "RUN", "RUN"),
    "claims": ("claims", "RUN", "CLAIMS"),
    "cascade": ("cascade", "RUN"),
    "ls": ("ls", "RUNS"),
    "query": ("query", "RUN", "SELECT * FROM samples, records LIMIT 300"),
    "gate": ("gate", "RUN"),
    "verify": ("verify", "RUN"),
    "rescore": ("rescore", "RUN"),
    "plan": ("plan", "RUN/plan.yaml"),
    "a wrong word": ("report", "RUN/\x1b[31m\u202egnp"),
    "a wrong option": ("report", "RUN", "--\x1b]0;owned\x07"),
}


@pytest.fixture
def runs(harmed: Run, tmp_path: Path) -> Path:
    """Return a folder with the run of hostile texts, which may be written into."""
    shutil.copytree(harmed.path, tmp_path / "runs" / "harm")
    (tmp_path / "claims.yaml").write_text(
        "claims:\n  - {id: one, says: 'It \\e[31m holds', system: good, metric: accuracy, at_least: 0.5}\n"
    )
    return tmp_path / "runs"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_writes_what_a_terminal_obeys(
    name: str, runs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    places = {"RUNS": runs, "RUN": runs / "harm", "CLAIMS": runs.parent / "claims.yaml"}
    words = [
        str(places[head]) + rest if (head := word.partition("/")[0]) in places else word
        for word in COMMANDS[name]
        for rest in [word.removeprefix(word.partition("/")[0])]
    ]
    code = main(words)
    said = capfd.readouterr()
    assert code in {0, 1, 2}, said.err
    shown = said.out + said.err
    assert shown.strip()
    bad = {c for c in shown if unicodedata.category(c) in UNSAFE and c not in f"\n{JOINERS}"}
    assert bad == set(), f"{name} wrote {bad}"
