"""The gate in pipelines: scripts of ``action.yml`` and of the manual, run as runners run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ASSAY, PLAN

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/ci.md").read_text(), re.DOTALL)


@dataclass
class Ran:
    """What an action came to."""

    code: int
    out: str
    outputs: dict[str, str]
    summary: str


def act(folder: Path, **given: str) -> Ran:
    """Run the action's steps as a runner does, until one fails; nothing else is imitated."""
    space = folder / "runner"
    space.mkdir()
    defaults = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
    context = {"github.action_path": str(ROOT)}
    context |= {f"inputs.{name}": text for name, text in (defaults | given).items()}
    code, out = 0, ""
    for step in STEPS:
        if code:
            break
        script, output = space / f"{step['id']}.sh", space / f"{step['id']}.out"
        script.write_text(step["run"])
        env = {name: filled(text, context) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            env={
                "PATH": f"{ASSAY.parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(space),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(space / "summary.md"),
                **env,
            },
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        code, out = done.returncode, out + done.stdout + done.stderr
        for line in output.read_text().splitlines() if output.exists() else ():
            name, _, text = line.partition("=")
            context[f"steps.{step['id']}.outputs.{name}"] = text
    outputs = {n: filled(one["value"], context) for n, one in ACTION["outputs"].items()}
    summary = space / "summary.md"
    return Ran(code, out, outputs, summary.read_text() if summary.exists() else "")


def filled(text: str, context: dict[str, str]) -> str:
    """Return a text with every expression of it replaced; one that is not set is empty."""
    return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: context.get(found[1], ""), text)


def test_an_open_gate_leaves_its_files_and_its_summary(first: Path, tmp_path: Path):
    ran = act(tmp_path, run=str(first), **{"from": "path"})
    assert ran.code == 0, ran.out
    assert ran.outputs["exit-code"] == "0"
    assert all(Path(ran.outputs[name]).is_file() for name in ("sarif", "junit", "comment"))
    assert "**The gate is open.**" in ran.summary


def test_a_closed_gate_fails_the_job_and_leaves_them_all_the_same(first, second, tmp_path):
    ran = act(tmp_path, run=str(second), baseline=str(first), margin="0.02", **{"from": "path"})
    assert (ran.code, ran.outputs["exit-code"]) == (1, "1")
    assert "::error file=" in ran.out
    assert "at most 0.02 worse" in Path(ran.outputs["sarif"]).read_text()
    assert "**The gate is closed: " in ran.summary


@pytest.mark.parametrize("run", ["$(touch made)", "`touch made`", '"; touch made; "', "--help", ""])
def test_an_input_is_a_word_and_never_a_command(tmp_path: Path, run):
    ran = act(tmp_path, run=run, margin="0.01", **{"from": "path"})
    assert (ran.code, ran.outputs["exit-code"], ran.outputs["sarif"]) == (2, "2", "")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("origin", ["", "0.1.0 evil", "--index-url=x", "git+https://e.vil", "../x"])
def test_an_origin_that_is_no_version_is_refused_before_anything_is_fetched(tmp_path: Path, origin):
    ran = act(tmp_path, run="x", **{"from": origin})
    assert ran.code == 2
    assert "takes action, path or a version" in ran.out
    assert ran.outputs["exit-code"] == ""


def test_no_expression_stands_in_a_script():
    assert not [step["id"] for step in STEPS if "${{" in step["run"]]
    assert not [block for block in BLOCKS for run in scripts(yaml.safe_load(block)) if "${{" in run]


def scripts(made: Any) -> list[str]:
    """Return every script in a document."""
    if isinstance(made, list):
        return [each for one in made for each in scripts(one)]
    if isinstance(made, dict):
        own = [made["run"]] if isinstance(made.get("run"), str) else []
        return own + [each for one in made.values() for each in scripts(one)]
    return []


def test_the_manual_describes_every_input_and_output():
    text = (ROOT / "docs/ci.md").read_text()
    for name, one in ACTION["inputs"].items():
        default = f"`{one['default']}`" if one.get("default") else ""
        wanted = "required" if one.get("required") else default
        assert f"| `{name}` | {wanted} |".replace("|  |", "| |") in text
    assert all(f"`{name}`" in text for name in ACTION["outputs"])


def test_zizmor_finds_nothing_in_the_action():
    beside = Path(sys.executable).with_name("zizmor")
    zizmor = str(beside) if beside.is_file() else shutil.which("zizmor")
    if zizmor is None:
        pytest.skip("zizmor is not installed: `pip install --group dev`")
    words = [zizmor, "--offline", "--persona", "auditor", "--no-progress", str(ROOT / "action.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_job_for_gitlab_runs_a_plan_and_judges_it(home: Path, tmp_path: Path):
    [block] = [block for block in BLOCKS if block.startswith(".claim-benchmark:")]
    made = yaml.safe_load(block)
    assert made["claim-benchmark:smoke"] == {"extends": ".claim-benchmark"}
    job = made[".claim-benchmark"]
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/smoke.yaml").write_text(PLAN)
    env = {"PATH": f"{ASSAY.parent}:{os.environ['PATH']}", **job["variables"]}
    env["BASELINE"] = str(home / "runs/first")
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(job["script"])],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).is_file()
    assert all((tmp_path / path).exists() for path in job["artifacts"]["paths"])


GH = """#!/bin/bash
printf '%s\\n' "$*" >> "$CALLS"
for word; do if [ "$before" = --jq ]; then jq -r "$word" "$COMMENTS"; fi; before=$word; done
"""
"""GitHub's client, as far as the script uses it: it filters with jq, and changes nothing."""


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq stands in for the filters of gh")
@pytest.mark.parametrize(
    ("login", "body", "asks"),
    [
        (
            "github-actions[bot]",
            "<!-- assay-gate small -->\\nold",
            "-X PATCH repos/o/r/issues/comments/7",
        ),
        ("somebody", "<!-- assay-gate small -->\\nforged", "repos/o/r/issues/3/comments"),
        ("github-actions[bot]", "<!-- assay-gate other -->", "repos/o/r/issues/3/comments"),
    ],
)
def test_one_comment_of_our_own_is_kept_up_to_date(tmp_path: Path, login, body, asks):
    [block] = [block for block in BLOCKS if "gh api" in block]
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "comment.md").write_text("<!-- assay-gate small -->\nnew")
    (tmp_path / "comments.json").write_text(
        f'[{{"id": 7, "user": {{"login": "{login}"}}, "body": "{body}"}}]'
    )
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "BODY": str(tmp_path / "comment.md"),
        "PULL": "3",
        "GITHUB_REPOSITORY": "o/r",
        "CALLS": str(tmp_path / "calls"),
        "COMMENTS": str(tmp_path / "comments.json"),
    }
    [script] = scripts(yaml.safe_load(block))
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], env=env, check=True, timeout=60)
    *_, last = (tmp_path / "calls").read_text().splitlines()
    assert last == f"api {asks} -F body=@{tmp_path / 'comment.md'}"


def test_the_hook_is_one_that_pre_commit_takes(tmp_path: Path):
    [block] = [block for block in BLOCKS if block.startswith("repos:")]
    [hook] = yaml.safe_load(block)["repos"][0]["hooks"]
    assert not hook["pass_filenames"]  # a gate takes one run, and no list of files
    program = Path(sys.executable).with_name("pre-commit")
    if not program.is_file():
        pytest.skip("pre-commit is not installed: `pip install --group dev`")
    (tmp_path / "config.yaml").write_text(block)
    words = [program, "validate-config", tmp_path / "config.yaml"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
