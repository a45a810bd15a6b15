"""``assay board add``, ``build``, ``verify``, ``withdraw``, ``serve``, as somebody types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from publish.board_runs import board_at

from .conftest import ASSAY, Say


@pytest.fixture(scope="module")
def begun_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return board_at(tmp_path_factory.mktemp("boards") / "board", "counter")


@pytest.fixture
def board(begun_board: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(begun_board, tmp_path / "board"))


def test_a_run_goes_onto_a_board_onto_its_page_and_off_again(say: Say, board, first, second):
    for run, action in ((first, "publish"), (second, "test")):
        added = say("board", "add", run, "--board", board, "--model", "counter:F16=votes",
                    "--action", action, "--by", "me", "--json")  # fmt: skip
        assert added.code == 0, added.err
        assert added.json["models"]["votes"] == {
            "model": "counter",
            "quantisation": "F16",
            "mapped": "hand",
        }
    built = say("board", "build", "--board", board, "--json")
    assert built.code == 0, built.err
    assert built.json["models"] == {"counter": "published"}
    made = json.loads((board / "site" / "board.json").read_bytes())
    (cohort,) = made["cohorts"]
    rows = {row["id"]: row for row in cohort["rows"] if not row["control"]}
    assert len(rows) == 4, "two systems of two runs, asked the same on one machine"
    assert len({row["run"] for row in rows.values()}) == 2
    claim = made["models"][0]["claims"][0]
    assert (claim["id"], claim["system"]) == ("better", "votes")
    verified = say("board", "verify", "--board", board)
    assert verified.code == 0, verified.out
    assert verified.last == "verified"
    page = board / "site" / "board.json"
    page.write_bytes(page.read_bytes().replace(b'"value":0.', b'"value":1.'))
    wrong = say("board", "verify", "--board", board)
    assert wrong.code == 1
    assert "site/board.json" in wrong.out
    gone = say("board", "withdraw", "Counter".lower(), "--why", "a test", "--board", board)
    assert gone.code == 0, gone.err
    again = say("board", "build", "--board", board)
    assert "Models: 1 withdrawn" in again.out
    made = json.loads((board / "site" / "board.json").read_bytes())
    assert all(row["model"] is None for c in made["cohorts"] for row in c["rows"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "RUN"), "--board"),
        (("add", "RUN", "--board", "BOARD", "--model", "votes"), "write MODEL=SYSTEM"),
        (("add", "RUN", "--board", "BOARD", "--model", "cuonter=votes"), "there are: counter"),
        (("add", "BOARD", "--board", "BOARD"), "assay ls"),
        (("add", "RUN", "--board", "BOARD", "--commit", "main"), "git rev-parse HEAD"),
        (("add", "RUN", "--board", "BOARD", "--by", "x" * 201), "at most 200"),
        (("withdraw", "counter", "--why", " ", "--board", "BOARD"), "say why"),
        (("build",), "--board"),
        (("withdraw", "x", "--why", "y", "--board", "BOARD"), "models: counter"),
        (("serve", "--board", "BOARD"), "assay board build"),
        (("verify", "--board", "absent"), "--board"),
    ],
)
def test_what_is_wrong_says_what_to_type_instead(
    words, says, say, board, first, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    named = {"RUN": str(first), "BOARD": str(board)}
    said = say("board", *(named.get(word, word) for word in words))
    assert said.code == 2
    assert says in said.err
    assert not (board / "models" / "results").exists()


def test_a_run_that_was_changed_never_reaches_a_board(say: Say, board, copy):
    journal = next((copy / "records").rglob("*.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b'"wrong"', b'"correct"'))
    said = say("board", "add", copy, "--board", board)
    assert said.code == 2
    assert "A300" in said.err
    assert not (board / "models" / "results").exists()
    assert not (board / "models" / "events.jsonl").exists()


@pytest.mark.slow
def test_a_page_is_served_until_ctrl_c(board):
    (board / "site").mkdir()
    (board / "site" / "index.html").write_text("<title>ours</title>")
    words = [ASSAY, "board", "serve", "--board", board, "--port", "0"]
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as child:
        assert child.stderr is not None
        address = child.stderr.readline().split()[0]
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert b"ours" in answer.read()
        child.send_signal(signal.SIGINT)
        try:
            out, _ = child.communicate(timeout=20)
        finally:
            child.kill()  # one that does not end would be waited for
    assert child.returncode == 0
    assert out.strip() == "Ended."
