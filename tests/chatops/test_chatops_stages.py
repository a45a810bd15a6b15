"""Commands on pull requests, end to end against a small GitHub."""

from __future__ import annotations

import json

from .conftest import PATH, RUN, SENT


def test_a_submission_is_tested_reported_and_published_in_one_merging_commit(world, sealed):
    report = world.tested(sealed)
    assert report.go, report
    started, table = world.github.said()
    assert f"[{RUN}]" in started
    assert world.head in started
    assert "| toy.errands | q8_0 | " in table
    assert report.facts["seal"] in table
    assert f"/actions/runs/{RUN}" in table
    before = world.main
    done = world.do("push", world.event("/push-results"))
    assert done.go, done
    repo, tip = world.github.repo, world.main
    assert done.facts["commit"] == tip
    parents = repo.git("rev-list", "--parents", "-1", tip).decode().split()[1:]
    assert parents == [before, world.head]
    assert world.github._pull(12)["merged"]
    assert repo.show(PATH) == SENT
    seal = report.facts["seal"][:16]
    assert f"models/runs/{seal}.tar.xz" in repo.files()
    registry = json.loads(repo.show("models/registry.json"))
    assert [(m["id"], m["state"]) for m in registry["models"]] == [("toy-model", "published")]
    board = json.loads(repo.show("site/board.json"))
    assert [row["model"] for row in board["cohorts"][0]["rows"] if not row["control"]] == [
        "toy-model"
    ]
    events = [json.loads(line) for line in repo.show("models/events.jsonl").splitlines()]
    assert [(e["action"], e["by"]) for e in events] == [
        ("submit", "sender"),
        ("test", "keeper"),
        ("publish", "keeper"),
    ]
    assert tip in world.github.said()[-1]
    message = repo.git("log", "-1", "--format=%B", tip).decode()
    assert report.facts["seal"] in message
    assert str(RUN) in message
