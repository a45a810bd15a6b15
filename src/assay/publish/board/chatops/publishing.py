"""The stage that publishes: the only one that can write to the default branch.

It takes the sealed run that a verified benchmark left, verifies it once more with nothing believed, and makes
one commit that holds the result and merges the pull request.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ....core.errors import AssayError, DataError
from ..adding import Who, add
from ..building import build
from ..events import Event, append_event
from ..home import Board
from . import comments
from .admitting import Admitted
from .api import Api
from .artifacts import fetch
from .bench import Bench, Done, refused, say, told
from .decisions import Command, Refusal, about_test
from .landing import Landing, changes_of, head_of, land
from .marks import Order, Published, Tested, marks_of
from .payloads import Comment, CommentEvent, Compared, Pull, WorkflowRun
from .pinning import (
    Faulty,
    Pinned,
    comments_of,
    entry_of,
    permitted,
    pinned,
    pulled,
)
from .recorded import read_event
from .reporting import admitted_run

WORKFLOW = ".github/workflows/board-test.yml"


def push(bench: Bench) -> Done:
    """Publish the tested run of a pull request, or say why not.

    Raises ``AssayError`` where something failed; the default branch is as it was then.
    """
    event = read_event(CommentEvent, bench.payload)
    api = bench.around.api(event.repository.full_name)
    try:
        done = _push(bench, api, event)
    except AssayError as error:
        why = Refusal(reason="failed", says=f"Nothing was published: {error.what}.")
        say(api, event.issue.number, comments.refused(why, Command.PUSH))
        raise
    if not done.go and not done.quiet:
        why = Refusal(reason=done.reason, says=done.says)
        say(api, event.issue.number, comments.refused(why, Command.PUSH))
    return told(bench, done)


def _push(bench: Bench, api: Api, event: CommentEvent) -> Done:
    if refusal := permitted(api, event, Command.PUSH):
        return refused("push", refusal)
    pull = pulled(api, event)
    if isinstance(pull, Refusal):
        return refused("push", pull)
    base = head_of(bench.board)
    found = pinned(api, pull, bench.board)
    if isinstance(found, Refusal):
        return refused("push", found)
    if refusal := _about_base(api, pull, base, found.path):
        return refused("push", refusal)
    if isinstance(found, Faulty) or any(note.level == "publish" for note in found.notes):
        says = comments.checked(found.notes, found.path)
        return refused("push", Refusal(reason="not-publishable", says=says))
    order = found.order(event, bench.desk.suite)
    tested = _tested(comments_of(api, pull.number))
    if refusal := about_test(tested, order):
        return refused("push", refusal)
    assert tested is not None
    if Board(bench.board).card(tested.seal).exists():
        return refused(
            "push", Refusal(reason="published", says="This run is on the board already.")
        )
    admitted = _admitted(bench, api, event, tested)
    _write(bench, found, tested, admitted, event)
    landing = Landing(
        branch=event.repository.default_branch,
        base=base,
        head=pull.head.sha,
        message=_message(tested, order),
    )
    commit = land(api, landing, changes_of(bench.board))
    if isinstance(commit, Refusal):
        return refused("push", commit)
    mark = Published(order=order, run=tested.run, seal=tested.seal, commit=commit)
    where = bench.where(api.repository, tested.run)
    say(api, pull.number, comments.published(mark, where))
    facts = {"commit": commit, "seal": tested.seal, "run": tested.run}
    says = f"{order.model} is published in commit {commit}."
    return Done(stage="push", go=True, reason="", says=says, facts=facts)


def _about_base(api: Api, pull: Pull, base: str, path: str) -> Refusal | None:
    """Say whether the default branch changed the submission since the pull request left it."""
    since = api.get(f"/compare/{base}...{pull.head.sha}", Compared).merge_base_commit.sha
    then, now = entry_of(api, since, path), entry_of(api, base, path)
    if pull.mergeable is False or (then and then.sha) != (now and now.sha):
        return Refusal(
            reason="conflict",
            says="The default branch has another version of this submission: update the pull request.",
        )
    return None


def _tested(said: Sequence[Comment]) -> Tested | None:
    """Return the last verified benchmark on a pull request."""
    marks = [mark for _, mark in marks_of(Tested, said)]
    return marks[-1] if marks else None


def _admitted(bench: Bench, api: Api, event: CommentEvent, tested: Tested) -> Admitted:
    """Return the run that was tested, fetched and verified once more.

    Raises ``DataError`` A200 where the workflow run is none of ours, or left something else than was verified.
    """
    ran = api.get(f"/actions/runs/{tested.run}", WorkflowRun)
    ours = ran.id == tested.run and ran.path.partition("@")[0] == WORKFLOW
    came = (ran.event, ran.status, ran.conclusion, ran.head_branch)
    if not ours or came != (
        "issue_comment",
        "completed",
        "success",
        event.repository.default_branch,
    ):
        raise _other(tested, "it is no finished benchmark of this repository")
    admitted = admitted_run(bench, api, tested.order, fetch(api, tested.run))
    if (admitted.archive, admitted.seal) != (tested.archive, tested.seal):
        raise _other(tested, "its sealed run is not the one that was verified")
    return admitted


def _other(tested: Tested, what: str) -> DataError:
    return DataError(what, where=f"workflow run {tested.run}", hint="say /test-benchmark again")


def _write(
    bench: Bench, found: Pinned, tested: Tested, admitted: Admitted, event: CommentEvent
) -> None:
    """Write the result into the board: the history, the archive, the card, the registry, the page's data."""
    home, order = Board(bench.board), tested.order
    model, number = order.model, f"pull request {order.pull}"
    made = bench.desk.make(bench.board / found.path, order.suite)
    sent_by = found.pull.user.login if found.pull.user else "a deleted user"
    asked_by = event.comment.user.login if event.comment.user else "a deleted user"
    with home.writing():
        append_event(
            home.events,
            Event(
                at=_spelled(found.pull.created_at),
                by=sent_by,
                action="submit",
                model=model,
                why=number,
                commit=order.head,
            ),
            Event(
                at=_spelled(bench.desk.clock()),
                by=order.by,
                action="test",
                model=model,
                run=tested.seal,
                why=f"{number}, workflow run {tested.run}",
                commit=order.head,
            ),
        )
    add(
        bench.board,
        admitted.run.path,
        who=Who(
            by=asked_by,
            at=_spelled(bench.desk.clock()),
            why=f"{number}, workflow run {tested.run}",
            commit=order.head,
        ),
        action="publish",
        given=[f"{model}={system}" for system in made.systems],
    )
    with home.writing():
        build(bench.board)


def _spelled(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(tested: Tested, order: Order) -> str:
    return "\n".join(
        [
            f"Publish {order.model} (#{order.pull})",
            "",
            f"Merges pull request #{order.pull} at {order.head}.",
            f"Run {tested.seal}, measured in workflow run {tested.run}, suite {order.suite}.",
        ]
    )
