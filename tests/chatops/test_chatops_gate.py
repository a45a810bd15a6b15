"""Who may ask for a benchmark, and of what: everything else is refused, and what is unknown is refused too."""

from __future__ import annotations

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import AssayError
from assay.publish.board.chatops.api import Api
from assay.publish.board.chatops.decisions import Command, command_of
from assay.publish.board.chatops.payloads import CommentEvent
from assay.publish.board.chatops.pinning import permitted
from assay.publish.board.chatops.recorded import read_event

from .conftest import KEEPER, PATH, SENT, TOKEN
from .github import ROBOT, GoneError, payload

OUTSIDER = {"login": "outsider", "id": 6001, "type": "User"}


@given(st.text(max_size=40), st.sampled_from(list(Command)), st.text(max_size=40))
def test_a_command_is_the_whole_comment_and_nothing_else(before, command, after):
    said = command_of(before + command + after)
    blank = not (before + after).strip(" \t\r\n")
    assert said == (command if blank else None)


QUIET = {
    "quoted": "> /test-benchmark",
    "in a fence": "```\n/test-benchmark\n```",
    "in code": "`/test-benchmark`",
    "with a word after": "/test-benchmark please",
    "with a line after": "/test-benchmark\nand thanks",
    "in a sentence": "say /test-benchmark",
    "with a letter that looks like another": "/test-benchm\u0430rk",
    "with a character that nobody sees": "/test-benchmark\u200b",
    "with a space that is none": "\u00a0/test-benchmark",
    "in capitals": "/TEST-BENCHMARK",
    "twice": "/test-benchmark\n/test-benchmark",
    "in HTML": "<!-- -->/test-benchmark",
}


@pytest.mark.parametrize("how", QUIET)
def test_what_only_looks_like_a_command_is_passed_over_in_silence(world, how):
    done = world.do("gate", world.event(QUIET[how]))
    assert not done.go
    assert done.quiet
    assert not world.github.said()
    assert world.github.asked == []
    assert (world.tmp / "outputs").read_text() == "go=no\n"


@pytest.mark.parametrize("name", ["issue_comment.edited", "issue_comment.deleted"])
def test_only_a_new_comment_is_a_command(world, name):
    done = world.do("gate", world.write(payload(name)))
    assert (done.go, done.quiet, done.reason) == (False, True, "edited")
    assert world.github.asked == []


def test_a_bot_and_an_issue_give_no_commands(world):
    robot = world.do("gate", world.event(user=ROBOT))
    issue = world.do("gate", world.event(issue__pull_request=None))
    assert (robot.reason, issue.reason) == ("no-person", "no-pull")
    assert world.github.asked == []


def test_a_comment_that_was_edited_or_deleted_since_is_refused(world):
    event = world.event()
    world.github.comments[-1]["body"] = "never mind"
    assert world.do("gate", event).reason == "edited"
    event = world.event()
    world.github.comments[-1]["updated_at"] = "2026-11-29T11:59:30Z"
    assert world.do("gate", event).reason == "edited"
    event = world.event()
    world.github.comments.pop()
    assert world.do("gate", event).reason == "no-permission"


@pytest.mark.parametrize("word", ["read", "triage", "none", "owner", "Admin", ""])
def test_people_who_may_not_write_are_refused_and_told(world, word):
    world.github.permissions["outsider"] = word
    done = world.do("gate", world.event(user=OUTSIDER))
    assert done.reason == "no-permission"
    assert world.github.said() == [
        (
            "`/test-benchmark` is refused (no-permission).  Only people with write permission in this"
            " repository give commands."
        )
    ]
    assert not (world.out / "order.json").exists()


def test_the_association_that_a_payload_claims_counts_for_nothing(world):
    event = world.event(user=OUTSIDER)
    event.write_text(event.read_text().replace("COLLABORATOR", "OWNER"))
    assert world.do("gate", event).reason == "no-permission"


def test_the_permission_must_be_that_of_the_very_person(world):
    world.github.permissions["keeper"] = "admin"
    event = world.event(user={**KEEPER, "id": 4002})
    world.github.comments.insert(0, {**world.github.comments[-1], "id": 1, "user": KEEPER})
    assert world.do("gate", event).reason == "no-permission"


SILENCES = {
    "not found": GoneError(404, "Not Found"),
    "an error": GoneError(500, "Server Error"),
    "its rate limit": GoneError(403, "API rate limit exceeded", x_ratelimit_remaining="0"),
    "too many requests": GoneError(429, "Slow down", retry_after="60"),
    "bad credentials": GoneError(401, "Bad credentials"),
    "nothing in time": lambda handler: handler.connection.recv(1),  # until the client goes
    "a broken line": lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
}


@pytest.mark.parametrize("how", SILENCES)
def test_a_permission_that_cannot_be_looked_up_is_none(world, how):
    world.github.fail("/collaborators/", SILENCES[how])
    event = read_event(CommentEvent, world.event())
    api = Api(base=world.github.url, repository="org/board", token=TOKEN, seconds=0.15)
    refusal = permitted(api, event, Command.TEST)
    assert refusal is not None
    assert refusal.reason in ("no-permission", "not-checked")
    assert not refusal.quiet


@pytest.mark.parametrize(
    "said", [b"", b"[]", b'{"permission": true}', b'{"permission": "admin"}', b"<html>"]
)
def test_a_permission_of_another_shape_is_none(world, said):
    world.github.fail("/collaborators/", lambda handler: handler._send(200, said))
    with pytest.raises(AssayError):
        world.do("gate", world.event())
    assert "could not be checked" in world.github.said()[-1]


def test_the_apis_rate_limit_is_named(world):
    world.github.fail(
        "/pulls/12$", GoneError(403, "API rate limit exceeded", x_ratelimit_remaining="0")
    )
    with pytest.raises(AssayError, match="the API's own rate limit is spent") as caught:
        world.do("gate", world.event())
    assert TOKEN not in str(caught.value)
    assert "go=yes" not in (world.tmp / "outputs").read_text()


PULLS = {
    "closed": ({"state": "closed"}, "closed"),
    "merged": ({"merged": True}, "closed"),
    "a draft": ({"draft": True}, "draft"),
    "of a fork that is gone": ({"head.repo": None}, "no-fork"),
    "for another branch": ({"base.ref": "next"}, "other-branch"),
}


@pytest.mark.parametrize("how", PULLS)
def test_a_pull_request_that_is_not_open_for_main_is_refused(world, how):
    changes, reason = PULLS[how]
    for place, value in changes.items():
        *outer, last = place.split(".")
        at = world.github.pulls[12]
        for key in outer:
            at = at[key]
        at[last] = value
    assert world.do("gate", world.event()).reason == reason
    assert f"({reason})" in world.github.said()[-1]


OTHER = SENT.replace(b"toy-model", b"toy-two")
FILES = {
    "two submissions": (
        {PATH: SENT, "models/submissions/toy-two.yaml": OTHER},
        "100644",
        "several-files",
    ),
    "a workflow beside it": (
        {PATH: SENT, ".github/workflows/check.yaml": b"on: push"},
        "100644",
        "several-files",
    ),
    "code beside it": (
        {PATH: SENT, "src/assay/__init__.py": b"import os"},
        "100644",
        "several-files",
    ),
    "a workflow only": ({".github/workflows/board-push.yml": b"on: push"}, "100644", "other-file"),
    "the registry only": ({"models/registry.json": b"{}"}, "100644", "other-file"),
    "a folder deeper": ({"models/submissions/a/toy-model.yaml": SENT}, "100644", "other-file"),
    "another ending": ({"models/submissions/toy-model.yaml.py": SENT}, "100644", "other-file"),
    "a name with a space": ({"models/submissions/toy model.yaml": SENT}, "100644", "other-file"),
    "a hidden name": ({"models/submissions/.toy-model.yaml": SENT}, "100644", "other-file"),
    "a link": ({PATH: b"/etc/passwd"}, "120000", "no-plain-file"),
    "a link into the checkout": ({PATH: b"../registry.json"}, "120000", "no-plain-file"),
    "a program": ({PATH: SENT}, "100755", "no-plain-file"),
    "something large": ({PATH: SENT + b"#" * 70_000}, "100644", "too-large"),
    "errors": ({PATH: SENT.replace(b"10M", b"10T")}, "100644", "not-publishable"),
    "no revision": (
        {PATH: SENT.replace(b"  hf_revision", b"  # hf_revision")},
        "100644",
        "not-publishable",
    ),
    "a file of one's own": (
        {PATH: SENT.replace(b"file: toy.gguf}", b"file: passwd, source: 'file:/etc'}")},
        "100644",
        "not-publishable",
    ),
    "a bomb": ({PATH: b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"}, "100644", "not-publishable"),
    "a tag that makes objects": (
        {PATH: b"model: !!python/object/apply:os.system [id]\n"},
        "100644",
        "not-publishable",
    ),
}


@pytest.mark.parametrize("how", FILES)
def test_a_pull_request_with_anything_but_one_sound_submission_is_refused(world, how):
    files, mode, reason = FILES[how]
    world.github.send_pull(world.github.repo.add(world.main, files, mode=mode))
    done = world.do("gate", world.event())
    assert done.reason == reason
    assert f"({reason})" in world.github.said()[-1]
    assert not (world.out / "order.json").exists()


def test_a_pull_request_of_many_files_is_refused_as_one_of_two(world):
    many = {f"models/submissions/toy-{i}.yaml": SENT for i in range(130)}
    pull = world.github.send_pull(world.github.repo.add(world.main, {PATH: SENT, **many}))
    for told in (1, 131):
        pull["changed_files"] = told
        assert world.do("gate", world.event()).reason == "several-files"


def test_a_submission_that_is_moved_or_removed_is_refused(world):
    repo = world.github.repo
    start = repo.add(world.main, {PATH: SENT}, branch="main")
    moved = repo.add(start, {PATH: None, "models/submissions/toy-two.yaml": SENT})
    world.github.send_pull(moved)
    assert world.do("gate", world.event()).reason == "renamed"
    world.github.send_pull(repo.add(start, {PATH: None}))
    assert world.do("gate", world.event()).reason == "renamed"


def test_a_link_in_the_place_of_a_folder_leads_nowhere(world):
    repo = world.github.repo
    tree = repo.tree(repo.tree(world.main, [("100644", None, "models/submissions/.gitkeep")]), [])
    linked = repo.tree(tree, [("120000", repo.blob(b"/etc"), "models/submissions")])
    head = repo.commit(linked, [world.main])
    world.github.pulls[12]["head"]["sha"] = head
    world.github._files = lambda number: [{"filename": PATH, "status": "added", "sha": "0" * 40}]
    assert world.do("gate", world.event()).reason == "moved"


def test_bytes_that_git_calls_otherwise_are_not_believed(world):
    other = json.dumps(world.github._blob(world.github.repo.blob(OTHER))).encode()
    world.github.fail("/git/blobs/", lambda handler: handler._send(200, other))
    with pytest.raises(AssayError, match="other bytes than git names"):
        world.do("gate", world.event())
    assert "could not be checked" in world.github.said()[-1]


def test_a_model_is_benchmarked_once_a_day(world):
    assert world.do("gate", world.event()).go
    again = world.do("gate", world.event())
    assert again.reason == "model-limit"
    for comment in world.github.comments:
        comment["created_at"] = comment["updated_at"] = "2026-11-28T11:00:00Z"
    assert world.do("gate", world.event()).go


def test_ten_benchmarks_run_in_a_day(world):
    assert world.do("gate", world.event()).go
    mark = world.github.comments[-1]["body"]
    world.github.comments.pop()
    for i in range(10):
        body = mark.replace("toy-model", f"other-{i}").replace('"comment":3', '"comment":7')
        world.github.say(body, ROBOT, pull=100 + i)
    assert world.do("gate", world.event()).reason == "day-limit"


def test_marks_that_others_write_count_for_nothing(world):
    assert world.do("gate", world.event()).go
    mark = world.github.comments.pop()["body"]
    world.github.say(mark, OUTSIDER)
    world.github.say(mark, {**ROBOT, "id": 5})
    world.github.say(mark, {**ROBOT, "type": "User"})
    world.github.say("> " + mark, ROBOT)
    world.github.say("hello\n" + mark, ROBOT)
    world.github.say(mark, ROBOT, edited=True)
    assert world.do("gate", world.event()).go


def test_a_person_sends_three_submissions_a_day(world):
    repo = world.github.repo
    for i in range(3):
        other = {f"models/submissions/other-{i}.yaml": SENT}
        world.github.send_pull(
            repo.add(world.main, other), number=20 + i, at="2026-11-29T08:00:00Z"
        )
    assert world.do("gate", world.event()).reason == "submitter-limit"
    world.github.pulls[20]["created_at"] = "2026-11-28T08:00:00Z"
    assert world.do("gate", world.event()).go


def test_a_day_that_cannot_be_counted_is_full(world):
    for number in range(1, 1001):
        world.github.say("chat", OUTSIDER, pull=99, number=10**6 + number)
    with pytest.raises(AssayError, match="longer than 1000 entries"):
        world.do("gate", world.event())
    assert "could not be checked" in world.github.said()[-1]


def test_the_same_comment_is_followed_once(world):
    event = world.event()
    assert world.do("gate", event).go
    assert world.do("gate", event).reason == "said-before"


def test_a_token_that_cannot_comment_fails_loudly(world):
    world.github.writes = False
    with pytest.raises(AssayError, match="the token may not do this"):
        world.do("gate", world.event())
    assert (world.tmp / "outputs").read_text() == "go=no\n"


def test_what_is_ordered_is_pinned_to_the_commit(world):
    done = world.do("gate", world.event())
    order = json.loads((world.out / "order.json").read_text())
    assert order == done.facts["order"]
    assert order["head"] == world.head
    assert (world.out / "submission.yaml").read_bytes() == SENT
    moved = world.github.repo.add(world.head, {PATH: OTHER})
    world.github.pulls[12]["head"]["sha"] = moved
    assert json.loads((world.out / "order.json").read_text())["head"] == world.head
