"""``assay rust evaluate``: task files of both forms, rivals, and what is wrong with them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from runs import ROOT
from rust_here import needs_rust

from .conftest import Say

TASKS = ROOT / "examples" / "tasks"
NICE = "import sys; print('positive')"


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the examples, to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copytree(TASKS, tmp_path / "tasks"))


@pytest.fixture
def nice(tmp_path: Path) -> str:
    script = tmp_path / "nice.py"
    script.write_text(NICE)
    return f"nice={sys.executable} {script}"


@pytest.mark.slow
def test_a_labelled_task_is_asked_and_scored(say: Say, tasks: Path, nice: str) -> None:
    said = say(
        "rust",
        "evaluate",
        "--tasks",
        "tasks/senti*.yaml",
        "--baselines",
        nice,
        "--output",
        "out.json",
    )
    assert said.code == 0, said.err
    assert "nice: asked once, as if deterministic" in said.out
    assert json.loads(Path("out.json").read_text())
    rows = [json.loads(x) for x in (tasks / "sentiment.jsonl").read_text().splitlines()]
    assert 0 < sum(row["label"] == "positive" for row in rows) < len(rows)
    [run] = Path("runs").glob("*-evaluate-sentiment-*")
    assert say("verify", run).code == 0


@needs_rust
@pytest.mark.slow
def test_a_task_that_a_compiler_judges_has_the_rules_beside_it(
    say: Say, tasks: Path, nice: str
) -> None:
    said = say(
        "rust", "evaluate", "--tasks", "tasks/port.yaml", "--baselines", nice, "--samples", 3
    )
    assert said.code == 0, said.err
    assert "rules" in said.out
    assert "no corpus is given" in said.out
    assert "claude-haiku" in said.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tasks", "nowhere/*.yaml"], "nowhere/*.yaml"),
        (
            ["--tasks", "tasks/sentiment.yaml", "--baselines", "no=no-such-program"],
            "no-such-program",
        ),
        (["--tasks", "tasks/sentiment.yaml", "--models", "model.apr"], "model.apr"),
        (["--tasks", "tasks/sentiment.yaml", "--models", "text.gguf"], "text.gguf"),
        (["--tasks", "tasks/sentiment.yaml", "--models", "models/*.gguf"], "models/*.gguf"),
        (["--tasks", "tasks/sentiment.yaml", "--output", "out.pdf"], "out.pdf"),
        (["--tasks", "tasks/sentiment.yaml", "--output", "gone/out.md"], "gone"),
        (["--tasks", "tasks/sentiment.yaml", "--runs", "0"], "--runs"),
        (["--tasks", "tasks/sentiment.yaml"], "--models"),
    ],
)
def test_what_is_wrong_is_named_before_anything_runs(say: Say, tasks: Path, options, says) -> None:
    Path("model.apr").write_bytes(b"APR2" + bytes(60))
    Path("text.gguf").write_text("not a model")
    said = say("rust", "evaluate", *options)
    assert said.code == 2, (said.out, said.err)
    assert says in said.err
    assert "Traceback" not in said.err
    assert not list(Path().glob("runs/*/"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("metric: accuracy", "metrik: accuracy", "metric"),
        ("metric: accuracy", "metric: acuracy", "accuracy"),
        ("samples: 1000", "samples: many", "samples"),
        ("label_key: label", "label_kee: label", "label_key"),
        ("max_tokens: 8", "max_token: 8", "max_tokens"),
        ("source: sentiment.jsonl", "source: gone.jsonl", "gone.jsonl"),
        ("{input}", "{inputt}", "input"),
    ],
)
def test_a_typo_in_a_task_file_is_an_error_with_its_place(
    say: Say, tasks: Path, nice: str, old, new, says
) -> None:
    path = tasks / "sentiment.yaml"
    path.write_text(path.read_text().replace(old, new))
    said = say("rust", "evaluate", "--tasks", str(path), "--baselines", nice)
    assert said.code == 2, (said.out, said.err)
    assert says in said.err
    assert "sentiment" in said.err
