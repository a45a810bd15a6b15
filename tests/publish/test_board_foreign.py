"""A board's folder of somebody else may hold what no board has: nobody waits, and nothing is written outside."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.core.errors import AssayError, DataError
from assay.publish.board import archive, files
from assay.publish.board.adding import withdraw
from assay.publish.board.building import build
from assay.publish.board.events import append_event, read_events
from assay.publish.board.home import Board
from assay.publish.board.reported import read_reported
from assay.publish.board.signing import trusted_keys
from assay.publish.board.verifying import Outcome, verify_board
from publish.board_runs import WHO, board_at, put, right_at, run_of

WITHIN_S = 60


@pytest.fixture(scope="module")
def made_once(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    board = board_at(folder / "board", "strong")
    put(board, run_of(folder / "run", {"strong": right_at(0.9)}), "strong=strong")
    build(board)
    return board


@pytest.fixture
def board(tmp_path, made_once) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "board"))


def in_time(call: Callable[[], object]) -> list[object]:
    """Return what a call returned or raised; fail where it waits for somebody."""
    came: list[object] = []

    def ask() -> None:
        try:
            came.append(call())
        except AssayError as error:
            came.append(error)

    asked = threading.Thread(target=ask, daemon=True)
    asked.start()
    asked.join(WITHIN_S)
    assert came, "it waits"
    return came


def places(board: Path) -> dict[str, Path]:
    home = Board(board)
    [card] = home.cards()
    return {
        "card": card,
        "history": home.events,
        "registry": home.registry,
        "page": home.site / "board.json",
        "badge": next((home.site / "badges").glob("*.svg")),
        "table": home.reported / "a.yaml",
        "key": home.models / "keys" / "a.pub",
        "archive": home.archive(card.stem),
        "submission": home.models / "submissions" / "strong.yaml",
    }


@pytest.mark.parametrize(
    "what",
    ["card", "history", "registry", "page", "badge", "table", "key", "archive", "submission"],
)
def test_a_pipe_where_a_board_has_a_file_keeps_nobody_waiting(what, board):
    path = places(board)[what]
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    in_time(lambda: build(board))
    in_time(lambda: verify_board(board))


@pytest.mark.parametrize("what", ["card", "history", "registry"])
def test_a_file_without_end_is_not_read_to_its_end(what, board, monkeypatch):
    monkeypatch.setattr(files.read_file, "__kwdefaults__", {"most": 1 << 20})
    os.truncate(places(board)[what], 1 << 40)  # of holes alone: it takes no disk
    with pytest.raises(DataError, match="has more than"):
        build(board)
    assert any(c.outcome is Outcome.DIFFERS for c in verify_board(board))


def test_an_archive_that_is_larger_than_one_can_be_is_not_hashed(board, monkeypatch):
    os.truncate(places(board)["archive"], 1 << 40)
    monkeypatch.setattr(archive, "digest_file", None)
    [card] = [c for c in verify_board(board) if c.path.startswith("models/results")]
    assert card.outcome is Outcome.DIFFERS


@pytest.mark.parametrize("what", ["registry", "page", "badge", "history"])
def test_a_link_in_a_board_leads_no_writer_out(what, board, tmp_path):
    outside, path = tmp_path / "outside", places(board)[what]
    before = path.read_bytes()
    path.rename(outside)
    path.symlink_to(outside)
    write = (
        (lambda: withdraw(board, "strong", who=WHO)) if what == "history" else lambda: build(board)
    )
    with pytest.raises(DataError, match="leads out of the board"):
        write()
    assert outside.read_bytes() == before


def test_a_folder_of_badges_that_is_a_link_loses_no_picture_there(board, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.svg").write_text("<svg/>")
    shutil.rmtree(board / "site" / "badges")
    (board / "site" / "badges").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of the board"):
        build(board)
    assert [p.name for p in outside.iterdir()] == ["mine.svg"]


def test_a_page_may_stand_elsewhere_where_somebody_says_so(board, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "pages").symlink_to(tmp_path / "real")
    build(board, site=tmp_path / "pages")
    assert (tmp_path / "real" / "board.json").is_file()


@pytest.mark.parametrize(
    "line",
    [
        '{"action":"submit","at":"2026-13-45T99:99:99Z","by":"x"}',
        '{"action":"submit","at":"2026-02-30T10:00:00Z","by":"x"}',
        '{"action":"submit","at":"\u0662\u0660\u0662\u0666-01-01T00:00:00Z","by":"x"}',
        '{"action":"submit","at":"2026-11-29T12:00:00Z\\n","by":"x"}',
        '{"action":"submit","action":"publish","at":"2026-11-29T12:00:00Z","by":"x"}',
        '{"action":"submit","at":"2026-11-29T12:00:00Z","by":"x","by":"y"}',
    ],
)
def test_a_moment_that_never_was_and_a_key_that_stands_twice_are_no_event(line, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(DataError, match=r"events\.jsonl:1"):
        read_events(path)
    with pytest.raises(DataError):
        append_event(path)


def test_tables_and_keys_are_plain_files(tmp_path):
    (tmp_path / "models" / "keys").mkdir(parents=True)
    os.mkfifo(tmp_path / "models" / "keys" / "a.pub")
    os.mkfifo(tmp_path / "t.yaml")
    assert in_time(lambda: trusted_keys(tmp_path)) == [{}]
    [error] = in_time(lambda: read_reported(tmp_path / "t.yaml"))
    assert isinstance(error, AssayError)
