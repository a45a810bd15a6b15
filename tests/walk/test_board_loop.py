"""The whole loop of a board: a file, a check, a plan, a smoke run, a pull request, a commit, a page that shows it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from assay.cli.main import main
from assay.publish.board.chatops.making import Desk, make
from browsing import chromium
from chatops.conftest import PATH, RUN, World
from chatops.github import Repository, github_of
from families.hub_server import hub_server
from tiny_llama import write_llama

pytestmark = pytest.mark.heavy

SITE = Path(__file__).parents[2] / "site"
SENT = """\
model:
  name: Tiny-1M
  family: tiny
  hf_repo: org/tiny-1m
  hf_revision: {commit}
  parameters: 1.1M
  architecture: llama
  license: Apache-2.0
  quantizations:
    - {{name: F32, format: safetensors}}
  submitted_by: sender
"""


def few(plan: bytes) -> bytes:
    """Return a plan with one short task of the suite: what is asked is no matter here, that it is real is."""
    read = yaml.safe_load(plan)
    read["tasks"] = [{"use": "supply.sanity", "name": "sanity", "limit": 12}]
    for system in read["systems"]:
        system["options"] |= {"max_tokens": 4, "chat": "plain"}
    read["timing"] = {"processes": 1, "blocks": 1, "questions": 1}
    return yaml.safe_dump(read, sort_keys=False).encode()


def made_small(file, suite):
    made = make(file, suite)
    return replace(made, plan=few(made.plan))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with a model that really runs: 1.1 million random weights."""
    folder = write_llama(tmp_path / "tiny", layers=35)
    with hub_server() as server:
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        server.commit = server.repos["org/tiny-1m"].commit(files)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
        yield server


def test_a_submission_file_becomes_a_row_on_the_page(hub, tmp_path, capsys):
    sent = SENT.format(commit=hub.commit).encode()
    file = tmp_path / "board" / PATH.replace("toy-model", "tiny-1m")
    file.parent.mkdir(parents=True)
    file.write_bytes(sent)

    # Whoever submits: check, plan, smoke run.
    assert main(["board", "check", str(file), "--board", str(tmp_path / "board")]) == 0
    plan = tmp_path / "plan.yaml"
    assert main(["board", "plan", str(file), "--out", str(plan), "--fetch"]) == 0
    plan.write_bytes(few(plan.read_bytes()))
    smoke = tmp_path / "smoke"
    words = ["run", str(plan), "--limit", "5", "--set", "timing.processes=0", "--out", str(smoke)]
    assert main(words) == 0
    assert main(["verify", str(smoke)]) == 0
    capsys.readouterr()

    # Whoever keeps the board: two commands on the pull request.
    origin = Repository(tmp_path / "github.git")
    page = {
        f"site/{path.relative_to(SITE)}": path.read_bytes()
        for path in SITE.rglob("*")
        if path.is_file() and path.suffix in {".html", ".js", ".css", ".svg"}
        if path.name != "board.js" and "badges" not in path.parts
    }
    start = origin.add(None, {"models/submissions/.gitkeep": b"", **page}, branch="main")
    path = str(file.relative_to(tmp_path / "board"))
    origin.add(start, {path: sent}, branch="sent")
    with github_of(origin) as github:
        github.send_pull(origin.tip("refs/heads/sent"))
        github.permissions["keeper"] = "write"
        clock = Desk().clock
        world = World(github=github, tmp=tmp_path, head=origin.tip("refs/heads/sent"))
        world.desk = Desk(make=made_small, clock=clock)
        benchmark(world)
        done = world.do("push", world.event("/push-results"))
        assert done.go, done
        board = world.clone()

    # Whoever reads: the registry and the page, from the commit alone.
    registry = json.loads((board / "models" / "registry.json").read_text())
    assert [(m["id"], m["state"]) for m in registry["models"]] == [("tiny-1m", "published")]
    assert main(["board", "verify", "--board", str(board)]) == 0
    shown = on_the_page(board / "site")
    assert "Tiny-1M" in shown
    row = next(r for c in read_board(board)["cohorts"] for r in c["rows"] if r["model"])
    cell = row["cells"]["accuracy@sanity"]
    assert 0 <= cell["low"] <= cell["value"] <= cell["high"] <= 1
    assert f"[{100 * cell['low']:.1f}, {100 * cell['high']:.1f}]" in shown


def benchmark(world):
    """Order a benchmark; run it, check it, keep it, report it."""
    event = world.event()
    gate = world.do("gate", event)
    assert gate.go, gate
    order = world.out
    done = world.do("evaluate", event, artifact=order, token=None)
    assert done.go, done
    for name in ("order.json", "submission.yaml"):
        shutil.copy(order / name, world.out / name)
    sealed = world.out
    again = world.do("recheck", event, artifact=sealed, token=None)
    assert again.go, again
    world.kept(sealed / "run.tar.xz")
    report = world.do("report", event)
    assert report.go, report
    assert f"/actions/runs/{RUN}" in world.github.said()[-1]


def read_board(board):
    return json.loads((board / "site" / "board.json").read_text())


def on_the_page(site):
    """Return the text of the page, opened from the disk; skip where no browser is."""
    with chromium() as browser:
        tab = browser.new_page()
        tab.goto((site / "index.html").as_uri())
        tab.wait_for_selector("text=Tiny-1M")
        return tab.inner_text("body")
