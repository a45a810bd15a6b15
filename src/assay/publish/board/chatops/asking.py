"""The stages that decide: what is wrong with a submission, and whether a command is followed."""

from __future__ import annotations

from ....core.errors import AssayError
from ....store.canon import write_whole
from ..checking import check
from . import comments
from .api import Api
from .bench import Bench, Done, refused, say, told
from .decisions import Command, Refusal, about_pull, command_of
from .marks import Started
from .ordered import ORDER, SENT
from .payloads import CommentEvent, Pull, PullEvent, WorkflowRunEvent
from .pinning import Faulty, comments_of, permitted, pinned, pulled, within_limits
from .recorded import read_event


def validate(bench: Bench) -> Done:
    """Check the submission of a pull request, and say everything on the page of the workflow run.

    It runs with a token that can only read, in the workflow file of the pull request: nothing that it
    leaves is believed by a later stage.
    """
    event = read_event(PullEvent, bench.payload)
    api = bench.around.api(event.repository.full_name)
    refusal = about_pull(event.pull_request, event.number, event.repository)
    if refusal is not None and refusal.reason != "draft":
        return told(bench, refused("validate", refusal))
    found = pinned(api, event.pull_request, bench.board)
    if isinstance(found, Refusal):
        return told(bench, refused("validate", found))
    notes = check(bench.board / found.path, board=bench.board).notes
    errors = sum(note.level == "error" for note in notes)
    done = Done(
        stage="validate",
        go=not errors,
        reason="errors" if errors else "",
        says=comments.checked(notes, found.path),
        facts={"notes": [note.facts for note in notes]},
    )
    return told(bench, done)


def comment(bench: Bench) -> Done:
    """Say on a pull request what its submission's check finds; the check is done again, here.

    The workflow run that this one follows belongs to whoever sent the pull request: only which commit it
    was of is taken from it, and held against the pull request itself.
    """
    event = read_event(WorkflowRunEvent, bench.payload)
    api, ran = bench.around.api(event.repository.full_name), event.workflow_run
    pull = None
    if ran.event == "pull_request" and ran.head_repository is not None and ran.head_branch:
        open_ones: list[Pull] = api.get(
            "/pulls",
            list[Pull],
            state="open",
            head=f"{ran.head_repository.owner.login}:{ran.head_branch}",
        )
        pull = next((p for p in open_ones if p.head.sha == ran.head_sha), None)
    if pull is None:
        return Done(
            stage="comment",
            go=False,
            reason="no-pull",
            says="No open pull request is at the commit that was checked.",
            quiet=True,
        )
    found = pinned(api, pull, bench.board)
    if isinstance(found, Refusal):
        body = f"The submission cannot be tested ({found.reason}).  {found.says}"
    else:
        body = comments.checked(found.notes, found.path)
        there = bench.where(event.repository.full_name, ran.id)
        body += (
            f"\n\nCommit `{pull.head.sha}`; with a look at its source: workflow run"
            f" [{ran.id}]({there})."
        )
    said = [c.body for c in comments_of(api, pull.number)]
    if body not in said:
        say(api, pull.number, body)
    return told(bench, Done(stage="comment", go=True, reason="", says=body))


def gate(bench: Bench) -> Done:
    """Decide whether a comment is followed; where it asks for a benchmark, pin what is benchmarked."""
    event = read_event(CommentEvent, bench.payload)
    api = bench.around.api(event.repository.full_name)
    command = command_of(event.comment.body) or Command.TEST
    try:
        done = _gate(bench, api, event, command)
    except AssayError as error:
        refusal = Refusal(
            reason="not-checked",
            says=f"It could not be checked whether this may be done: {error.what}.",
        )
        done = refused("gate", refusal)
        bench.around.tell("go", "no")
        _answer(api, event, done, command)
        raise
    bench.around.tell("go", "yes" if done.go else "no")
    _answer(api, event, done, command)
    return told(bench, done)


def _gate(bench: Bench, api: Api, event: CommentEvent, command: Command) -> Done:
    if refusal := permitted(api, event, command):
        return refused("gate", refusal)
    pull = pulled(api, event)
    if isinstance(pull, Refusal):
        return refused("gate", pull)
    if command is Command.PUSH:
        return Done(stage="gate", go=True, reason="", says="The command may be followed.")
    found = pinned(api, pull, bench.board)
    if isinstance(found, Refusal):
        return refused("gate", found)
    if isinstance(found, Faulty) or any(note.level == "publish" for note in found.notes):
        says = comments.checked(found.notes, found.path)
        return refused("gate", Refusal(reason="not-publishable", says=says))
    if refusal := within_limits(api, event, found, bench.desk.clock):
        return refused("gate", refusal)
    mark = Started(order=found.order(event, bench.desk.suite), run=bench.around.workflow_run())
    write_whole(bench.out / SENT, found.data)
    write_whole(bench.out / ORDER, mark.order.model_dump_json().encode())
    say(api, pull.number, comments.started(mark, bench.where(api.repository, mark.run)))
    return Done(
        stage="gate",
        go=True,
        reason="",
        says=f"The benchmark of {mark.order.model} may begin.",
        facts={"order": mark.order.model_dump(mode="json")},
    )


def _answer(api: Api, event: CommentEvent, done: Done, command: Command) -> None:
    if not done.go and not done.quiet:
        refusal = Refusal(reason=done.reason, says=done.says)
        say(api, event.issue.number, comments.refused(refusal, command))
