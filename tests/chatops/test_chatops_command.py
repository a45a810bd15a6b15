"""`assay board event`, as a step of a workflow says it."""

from __future__ import annotations

import json

import pytest

from assay.cli.main import main

from .conftest import KEEPER, TOKEN

OUTSIDER = {"login": "outsider", "id": 6001, "type": "User"}


@pytest.fixture
def step(world, monkeypatch, capfd):
    """Say the command in the surroundings of a runner."""
    for name, value in {
        "GITHUB_API_URL": world.github.url,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_RUN_ID": "8801",
        "GITHUB_OUTPUT": str(world.tmp / "outputs"),
        "GITHUB_STEP_SUMMARY": str(world.tmp / "summary"),
    }.items():
        monkeypatch.setenv(name, value)

    def said(event, stage, *words):
        line = ["board", "event", "--payload", event, "--stage", stage, "--out", world.tmp / "out"]
        code = main([str(word) for word in (*line, "--board", world.folder(), *words)])
        out, err = capfd.readouterr()
        assert TOKEN not in out + err
        return code, out, err

    return said


def test_a_refusal_is_said_and_exits_with_1(world, step):
    code, out, _ = step(world.event(user=OUTSIDER), "gate")
    assert code == 1
    assert out.startswith("gate: refused: no-permission\n")
    assert (world.tmp / "outputs").read_text() == "go=no\n"


def test_what_is_no_command_exits_with_0(world, step):
    code, out, _ = step(world.event("> /test-benchmark"), "gate")
    assert code == 0
    assert out.startswith("gate: nothing to do\n")


def test_an_order_is_one_json_document(world, step):
    code, out, _ = step(world.event(user=KEEPER), "gate", "--json")
    assert code == 0
    assert json.loads(out)["order"]["model"] == "toy-model"
    assert (world.tmp / "outputs").read_text() == "go=yes\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GITHUB_API_URL", "http://api.github.com", "no address of an API"),
        ("GITHUB_API_URL", "https://user:pw@api.github.com", "no address of an API"),
        ("GITHUB_API_URL", "file:///etc", "no address of an API"),
        ("GITHUB_RUN_ID", "7; rm", "no number of a workflow run"),
        ("GITHUB_TOKEN", "", "there is no token"),
    ],
)
def test_wrong_surroundings_are_named(world, step, monkeypatch, name, value, says):
    monkeypatch.setenv(name, value)
    code, _, err = step(world.event(), "gate")
    assert code == 2
    assert says in err


def test_an_api_that_is_away_is_ours_to_say_and_exits_with_3(world, step):
    from .github import GoneError

    world.github.fail("/pulls/12$", GoneError(502, "Bad gateway"))
    code, _, err = step(world.event(), "gate")
    assert code == 3
    assert "HTTP 502" in err
