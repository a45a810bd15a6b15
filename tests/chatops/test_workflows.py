"""The workflows of this repository: which job may do what, and what none of them ever does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from assay.publish.board.chatops.artifacts import MEMBER
from assay.publish.board.chatops.comments import ARTIFACT
from assay.publish.board.chatops.publishing import WORKFLOW
from assay.publish.board.chatops.stages import STAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.iterdir())
BOARD = [file for file in FILES if file.name.startswith("board-")]


def read(file: Path):
    made = yaml.safe_load(file.read_text())
    return made | {"on": made.pop(True, made.get("on"))}  # YAML 1.1 reads `on` as a truth


WORKFLOWS = {file.name: read(file) for file in FILES}
JOBS = {(f, name): job for f, made in WORKFLOWS.items() for name, job in made["jobs"].items()}
STEPS = [(where, step) for where, job in JOBS.items() for step in job.get("steps", ())]
NOTHING, READ = {}, {"contents": "read"}

MAY = {
    ("check.yaml", "check"): READ,
    ("check.yaml", "long"): READ,
    ("check.yaml", "growth"): READ,
    ("check.yaml", "audit"): READ,
    ("board-validate.yml", "validate"): READ | {"pull-requests": "read"},
    ("board-comment.yml", "comment"): READ | {"pull-requests": "write"},
    ("board-test.yml", "gate"): READ | {"pull-requests": "write", "issues": "read"},
    ("board-test.yml", "evaluate"): READ,
    ("board-test.yml", "recheck"): READ,
    ("board-test.yml", "report"): READ
    | {"pull-requests": "write", "issues": "read", "actions": "read"},
    ("board-push.yml", "gate"): READ | {"pull-requests": "write"},
    ("board-push.yml", "push"): {
        "contents": "write",
        "pull-requests": "write",
        "issues": "read",
        "actions": "read",
    },
    ("board-push.yml", "pages"): READ | {"pages": "write", "id-token": "write"},
    ("board-pages.yml", "docs"): READ,
    ("docs.yml", "build"): READ,
    ("fuzz.yml", "hour"): READ,
    ("board-pages.yml", "deploy"): READ | {"pages": "write", "id-token": "write"},
}


def test_every_job_may_do_this_and_nothing_more():
    assert {where: job["permissions"] for where, job in JOBS.items()} == MAY
    assert all(made["permissions"] == NOTHING for made in WORKFLOWS.values())


def test_the_growth_of_a_run_is_measured_at_three_sizes_and_kept():
    steps = JOBS["check.yaml", "growth"]["steps"]
    assert "make growth" in [step.get("run") for step in steps]
    [line] = [x for x in (ROOT / "Makefile").read_text().splitlines() if "--suite records" in x]
    assert "--sizes 1000,10000,100000" in line
    [kept] = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert f"--out {kept} " in line


def test_no_workflow_runs_for_a_stranger_with_the_rights_of_the_repository():
    assert not [f for f, made in WORKFLOWS.items() if "pull_request_target" in made["on"]]
    writes = {"contents: write", "pages: write"}
    for name, made in WORKFLOWS.items():
        if "pull_request" in made["on"]:
            assert not writes & {
                f"{k}: {v}" for j in made["jobs"].values() for k, v in j["permissions"].items()
            }, name


def test_only_the_code_of_the_base_is_ever_checked_out():
    base = {
        "${{ github.sha }}",  # of issue_comment and workflow_run: the default branch
        "${{ github.event.pull_request.base.sha }}",
        "${{ github.event.repository.default_branch }}",
    }
    for (file, _), step in STEPS:
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
            if file != "check.yaml":
                assert step["with"]["ref"] in base
    text = "\n".join(file.read_text() for file in BOARD)
    assert "head.sha" not in text
    assert "head_sha" not in text
    assert "refs/pull" not in text


def test_nothing_from_an_event_is_put_into_a_script():
    scripts = [(where, step["run"]) for where, step in STEPS if "run" in step]
    assert not [row for row in scripts if "${{" in row[1]]
    uses = [step.get("uses", "") for _, step in STEPS]
    assert not [name for name in uses if "github-script" in name]


def test_what_decides_is_python_and_the_yaml_is_thin():
    told = {}
    for (file, job), step in STEPS:
        run = step.get("run", "")
        if file.startswith("board-") and run:
            assert "\n" not in run
            if found := re.search(r"--stage (\w+)", run):
                told[file, job] = found[1]
            else:
                with_torch = " --torch" if job == "evaluate" else ""
                assert run == f"python tools/install.py .venv{with_torch}"
    assert set(told.values()) == set(STAGES)
    assert all(stage in (job, "gate") for (_, job), stage in told.items())


def test_the_token_is_only_where_a_stage_speaks_to_the_api():
    for (file, job), step in STEPS:
        has_token = "github.token" in str(step) or "secrets." in str(step)
        assert has_token == (
            file.startswith("board-")
            and "--stage" in step.get("run", "")
            and job not in ("evaluate", "recheck")
        ), (file, job)
    assert "secrets." not in "".join(file.read_text() for file in FILES)


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it():
    for file in FILES:
        for line in file.read_text().splitlines():
            if found := re.search(r"uses: (\S+)(.*)", line):
                if found[1].startswith("./"):
                    assert (ROOT / found[1]).is_file()
                    continue
                assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", found[1]), line
                assert re.fullmatch(r" # v\d+\.\d+\.\d+", found[2]), line


def test_no_workflow_restores_a_cache_or_runs_on_a_machine_that_is_kept():
    """A benchmark that was taken over can write caches of the default branch: nobody reads one."""
    for (file, name), job in JOBS.items():
        assert "uses" in job or job["runs-on"] == "ubuntu-latest", (file, name)
    for _, step in STEPS:
        assert "cache" not in step.get("uses", "")
        assert not [key for key in step.get("with", {}) if "cache" in key]


def test_one_action_has_one_commit():
    uses = {step["uses"] for _, step in STEPS if "uses" in step}
    assert len({name.partition("@")[0] for name in uses}) == len(uses)


def test_every_job_ends_and_no_two_publish_at_once():
    for (file, name), job in JOBS.items():
        assert "uses" in job or 0 < job["timeout-minutes"] <= 340, (file, name)
    assert all("concurrency" in made for made in WORKFLOWS.values())
    push = JOBS["board-push.yml", "push"]["concurrency"]
    assert push == {"group": "board-publish", "cancel-in-progress": False}
    assert JOBS["board-test.yml", "gate"]["concurrency"]["group"] == "board-gate"


def test_the_stages_follow_each_other():
    jobs = WORKFLOWS["board-test.yml"]["jobs"]
    assert jobs["evaluate"]["needs"] == "gate"
    assert jobs["recheck"]["needs"] == "evaluate"
    assert jobs["report"]["needs"] == ["gate", "evaluate", "recheck"]
    for name in ("evaluate", "report"):
        assert "needs.gate.outputs.go == 'yes'" in jobs[name]["if"]
    assert "always()" in jobs["report"]["if"]  # what came to nothing is said, too
    assert "needs.gate.outputs.go == 'yes'" in JOBS["board-push.yml", "push"]["if"]
    report = jobs["report"]["steps"][-1]
    assert report["env"]["ASSAY_RECHECK"] == "${{ needs.recheck.result }}"


def test_both_endings_of_a_submission_start_the_check():
    assert WORKFLOWS["board-validate.yml"]["on"]["pull_request"]["paths"] == [
        "models/submissions/**"
    ]


def test_the_names_in_the_workflows_are_those_in_the_code():
    assert (ROOT / WORKFLOW).is_file()
    uploads = [step["with"] for _, step in STEPS if "upload-artifact@" in step.get("uses", "")]
    crashes = "crashes-${{ matrix.harness }}"
    assert {u["name"] for u in uploads} == {"order", "docs", "growth", crashes, ARTIFACT}
    assert any(u["path"].endswith(f"/{MEMBER}") for u in uploads)
    assert WORKFLOWS["board-comment.yml"]["on"]["workflow_run"]["workflows"] == [
        WORKFLOWS["board-validate.yml"]["name"]
    ]


def test_zizmor_finds_nothing_in_them():
    beside = Path(sys.executable).with_name("zizmor")
    zizmor = str(beside) if beside.is_file() else shutil.which("zizmor")
    if zizmor is None:
        pytest.skip("zizmor is not installed: `pip install --group dev`")
    words = [zizmor, "--offline", "--persona", "auditor", "--no-progress", str(FOLDER)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_the_docs_name_a_test_for_every_threat():
    page = (ROOT / "docs" / "board.md").read_text()
    table = page[page.index("### Threats") : page.index("**Not stopped.**")]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for row in rows:
        assert f"def {re.search(r'`(test_[a-z_]+)`', row)[1]}(" in here, row
    assert len(rows) > 15
