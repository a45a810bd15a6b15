"""What the board says on pull requests, and how it checks what arrives: strangers' words are text."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import AssayError
from assay.publish.board.chatops import comments
from assay.publish.board.chatops.marks import Order, Published, Started, line_of, mark_of
from assay.publish.board.chatops.payloads import Comment, CommentEvent, PullEvent, WorkflowRunEvent
from assay.publish.board.chatops.recorded import parse, read_event
from assay.publish.board.notes import Note

from .conftest import PATH, SENT
from .github import PAYLOADS, ROBOT, payload

EVIL = (
    "@everyone ![x](https://evil.example/p.png) [y](javascript:alert(1)) <img src=x onerror=alert(1)>"
    " <!-- assay-board {} --> ``` | a | b | #1 GH-1 org/board#2 www.evil.example </td> \u202eevil"
)
MARK = Started(
    order=Order(
        repository="org/board",
        pull=12,
        head="1" * 40,
        path=PATH,
        blob="2" * 40,
        model="toy-model",
        suite="open",
        comment=3001,
        by="keeper",
    ),
    run=7,
)


@given(st.text(max_size=60).map(lambda text: EVIL + text))
def test_a_strangers_words_do_nothing_in_a_comment(text):
    note = Note(level="error", line=1, key=text, says=text, suggests=text)
    said = comments.checked([note], text)
    said += comments.failed(MARK.order, 7, "https://github.com", text)
    plain = said.replace("[7](https://github.com)", "")
    assert not re.search(r"@(?!\u2060)\w", plain)
    assert not re.search(r"(?<!\\)\]\(", plain)
    assert "<" not in plain
    assert "http://" not in plain
    assert "https://" not in plain
    assert "\u202e" not in plain


def test_a_comment_fits_into_githubs_limit():
    notes = [
        Note(level="error", line=n, key="k" * 300, says="@" * 900, suggests="|" * 900)
        for n in range(500)
    ]
    assert len(comments.checked(notes, "p")) <= 65_536


def ran(world, **changes):
    event = payload("workflow_run.completed")
    event["workflow_run"] |= {"head_sha": world.github.pulls[12]["head"]["sha"]} | changes
    return world.write(event)


def test_the_answer_on_the_pull_request_is_found_anew_and_said_once(world):
    bad = world.github.repo.add(world.main, {PATH: SENT.replace(b"10M", b"10T")})
    world.github.send_pull(bad)
    assert world.do("comment", ran(world)).go
    (said,) = world.github.said()
    assert "1 error" in said
    assert bad in said
    assert "/actions/runs/7700" in said
    world.do("comment", ran(world))
    assert len(world.github.said()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"head_sha": "3" * 40},
        {"head_branch": "other"},
        {"head_branch": None},
        {"event": "push"},
        {"head_repository": None},
    ],
)
def test_a_run_of_no_open_pull_request_is_answered_nowhere(world, changes):
    done = world.do("comment", ran(world, **changes))
    assert (done.go, done.quiet) == (False, True)
    assert not world.github.said()


def test_a_mark_comes_back_as_it_was_written():
    assert mark_of(said(line_of(MARK) + "\nwords")) == MARK
    published = Published(order=MARK.order, run=7, seal="a" * 64, commit="b" * 40)
    assert mark_of(said(line_of(published))) == published


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        " " + line_of(MARK),
        "words\n" + line_of(MARK),
        line_of(MARK) + " words",
        line_of(MARK).replace('"run":7', '"run":"7"'),
        line_of(MARK).replace('"run":7', '"run":7,"more":1'),
        line_of(MARK).replace("started", "approved"),
        line_of(MARK).replace("1" * 40, "main"),
        line_of(MARK).replace(PATH, "models/submissions/../../.github/workflows/x.yml"),
        line_of(MARK).replace("{", "{{"),
    ],
)
def test_what_is_no_mark_is_none(text):
    assert mark_of(said(text)) is None


def said(body, **changes):
    comment = payload("issue_comment.created")["comment"] | {"user": ROBOT, "body": body}
    return Comment.model_validate_json(json.dumps(comment | changes))


def test_a_mark_of_anybody_else_or_edited_is_none():
    line = line_of(MARK)
    assert mark_of(said(line, user={**ROBOT, "login": "github-actions"})) is None
    assert mark_of(said(line, user={**ROBOT, "id": 1})) is None
    assert mark_of(said(line, user=None)) is None
    assert mark_of(said(line, updated_at="2026-11-29T10:00:01Z")) is None


@pytest.mark.parametrize("file", sorted(p.name for p in PAYLOADS.glob("*.json")))
def test_recorded_payloads_are_read(file):
    kind = {
        "issue_comment": CommentEvent,
        "pull_request": PullEvent,
        "workflow_run": WorkflowRunEvent,
    }
    assert read_event(kind[file.split(".")[0]], PAYLOADS / file).repository.full_name == "org/board"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("org/board", "org/board/../other"),
        ("org/board", "org/board?x=1"),
        ('"login": "keeper"', '"login": "../../orgs"'),
        ('"login": "keeper"', '"login": ["keeper"]'),
        ('"number": 12', '"number": "12"'),
        ('"number": 12', '"number": -1'),
        ('"default_branch": "main"', '"default_branch": "../x"'),
        ('"id": 3001', '"id": 3001.5'),
    ],
)
def test_a_payload_of_another_shape_is_refused(old, new):
    raw = (PAYLOADS / "issue_comment.created.json").read_text().replace(old, new)
    with pytest.raises(AssayError, match="A200"):
        parse(CommentEvent, raw.encode(), where="a test")


def test_a_payload_that_is_too_large_or_no_json_is_refused(tmp_path):
    path = tmp_path / "event.json"
    for data in (b"", b"{", b"[" * 100_000, b'"' + b"x" * (5 << 20) + b'"'):
        path.write_bytes(data)
        with pytest.raises(AssayError, match="A200"):
            read_event(CommentEvent, path)
