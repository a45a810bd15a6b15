"""Publishing: only what was tested, as it was tested, once, and whole or not at all."""

from __future__ import annotations

import socket

import pytest

from assay.core.errors import AssayError

from .conftest import KEEPER, PATH, RUN, SENT
from .github import ROBOT, GoneError

OUTSIDER = {"login": "outsider", "id": 6001, "type": "User"}


def push(world, **more):
    return world.do("push", world.event("/push-results"), **more)


def refused(world, done, reason):
    """Whether nothing was published, and somebody was told why."""
    assert (done.go, done.reason) == (False, reason)
    assert f"`/push-results` is refused ({reason})" in world.github.said()[-1]
    assert not [path for method, path, _ in world.github.asked if method == "PATCH"]


def test_what_was_not_tested_is_not_published(world):
    before = world.main
    refused(world, push(world), "not-tested")
    assert world.main == before


def test_only_who_may_write_publishes(tested):
    done = tested.do("push", tested.event("/push-results", user=OUTSIDER))
    refused(tested, done, "no-permission")


def test_the_wrong_command_publishes_nothing(tested):
    for body in ("/test-benchmark", "/push-results!", "> /push-results"):
        assert tested.do("push", tested.event(body)).quiet


def test_the_gate_of_a_push_lets_pass_without_looking_further(world):
    done = world.do("gate", world.event("/push-results"))
    assert done.go
    assert not world.github.said()
    assert (world.tmp / "outputs").read_text() == "go=yes\n"


def test_a_head_that_moved_since_the_test_is_refused(tested):
    other = SENT.replace(b"10M", b"11M")
    tested.github.pulls[12]["head"]["sha"] = tested.github.repo.add(tested.head, {PATH: other})
    refused(tested, push(tested), "moved")


def test_the_same_bytes_in_another_commit_are_refused_too(tested):
    again = tested.github.repo.commit(
        tested.github.repo.tip(f"{tested.head}^{{tree}}"), [tested.head]
    )
    tested.github.pulls[12]["head"]["sha"] = again
    refused(tested, push(tested), "moved")


def test_a_pull_request_that_grew_since_the_test_is_refused(tested):
    more = tested.github.repo.add(tested.head, {".github/workflows/x.yml": b"on: push"})
    tested.github.pulls[12]["head"]["sha"] = more
    refused(tested, push(tested), "several-files")


def test_a_report_that_others_wrote_or_changed_speaks_for_nothing(tested):
    report = tested.github.comments.pop()["body"]
    tested.github.say(report, KEEPER)
    refused(tested, push(tested), "not-tested")
    tested.github.say(report, ROBOT, edited=True)
    refused(tested, push(tested), "not-tested")
    tested.github.say(report, ROBOT, pull=13)
    refused(tested, push(tested), "not-tested")


def test_a_report_of_another_pull_request_speaks_for_nothing_here(tested):
    report = tested.github.comments.pop()["body"]
    tested.github.say(report.replace('"pull":12', '"pull":13'), ROBOT)
    refused(tested, push(tested), "other-test")


RUNS = {
    "another workflow": {"path": ".github/workflows/board-validate.yml"},
    "another event": {"event": "pull_request"},
    "another branch": {"head_branch": "toy-model"},
    "still under way": {"status": "in_progress", "conclusion": None},
    "failed": {"conclusion": "failure"},
}


@pytest.mark.parametrize("how", RUNS)
def test_the_workflow_run_must_be_a_finished_benchmark_of_main(tested, how):
    tested.github.runs[RUN] |= RUNS[how]
    before = tested.main
    with pytest.raises(AssayError, match="no finished benchmark"):
        push(tested)
    assert tested.main == before
    assert "Nothing was published" in tested.github.said()[-1]


def test_an_artifact_that_was_exchanged_after_the_report_is_refused(tested, sealed):
    tested.github.artifacts.clear()
    tested.github.keep(RUN, sealed.read_bytes()[:-40] + bytes(40))
    with pytest.raises(AssayError):
        push(tested)
    assert "Nothing was published" in tested.github.said()[-1]


def test_a_run_is_published_once(tested):
    assert push(tested).go
    tip = tested.main
    done = push(tested)
    assert done.reason == "closed"
    assert tested.main == tip


def test_the_run_of_a_model_that_stands_on_the_board_cannot_be_sent_again(tested):
    report = tested.github.comments[-1]["body"]
    assert push(tested).go
    repo = tested.github.repo
    again = repo.add(tested.main, {PATH: SENT + b"# again\n"})
    tested.github.send_pull(again, number=13, at="2026-11-29T11:00:00Z")
    blob = repo.git("rev-parse", f"{again}:{PATH}").decode().strip()
    old = repo.git("rev-parse", f"{tested.head}:{PATH}").decode().strip()
    body = report.replace('"pull":12', '"pull":13').replace(tested.head, again).replace(old, blob)
    tested.github.say(body, ROBOT, pull=13)
    event = tested.event("/push-results", issue__number=13)
    tested.github.comments[-1]["issue_url"] += "/../13"
    tested.github.comments[-1]["issue_url"] = f"{tested.github.url}/repos/org/board/issues/13"
    tip = tested.main
    done = tested.do("push", event)
    assert done.reason == "published"
    assert tested.main == tip


def test_two_pushes_at_once_lose_nothing(tested):
    stale = tested.clone()
    moved = tested.github.repo.add(tested.main, {"README.md": b"Meanwhile\n"}, branch="main")
    done = push(tested, board=stale)
    refused(tested, done, "moved")
    assert tested.main == moved
    assert push(tested).go
    assert tested.github.repo.show("README.md") == b"Meanwhile\n"


def test_a_branch_that_moves_in_the_last_moment_is_not_overwritten(tested):
    repo = tested.github.repo

    def meanwhile(handler):
        repo.add(repo.tip(), {"README.md": b"Meanwhile\n"}, branch="main")
        handler._send(422, b'{"message": "Update is not a fast forward"}')

    tested.github.fail("/git/refs/", meanwhile, method="PATCH")
    assert push(tested).reason == "moved"
    assert repo.show("README.md") == b"Meanwhile\n"
    assert "nothing was changed" in tested.github.said()[-1]


def test_a_push_that_fails_halfway_changes_nothing_and_can_be_said_again(tested):
    before = tested.main
    for method, path in (("POST", "/git/trees$"), ("PATCH", "/git/refs/")):
        tested.github.fail(path, GoneError(500, "Server Error"), method=method)
        with pytest.raises(AssayError, match="HTTP 500"):
            push(tested)
        assert tested.main == before
        assert "Nothing was published" in tested.github.said()[-1]
    assert push(tested).go


def test_a_move_whose_answer_is_lost_counts_as_done(tested):
    def moved_and_silent(handler):
        tested.github.repo.git("update-ref", "refs/heads/main", tested.github.made)
        handler.connection.shutdown(socket.SHUT_RDWR)

    tested.github.fail("/git/refs/", moved_and_silent, method="PATCH")
    assert push(tested).go
    assert tested.github._pull(12)["merged"]


def test_a_submission_that_main_changed_meanwhile_is_a_conflict(tested):
    tested.github.repo.add(tested.main, {PATH: SENT + b"# mine\n"}, branch="main")
    refused(tested, push(tested), "conflict")


def test_a_checkout_with_something_else_in_it_publishes_nothing(tested):
    board = tested.clone()
    (board / "Makefile").write_text("all:\n")
    with pytest.raises(AssayError, match="no file of the board"):
        push(tested, board=board)
