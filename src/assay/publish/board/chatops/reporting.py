"""The stage that says what a benchmark measured, once everything that it left is verified."""

from __future__ import annotations

from ....core.errors import AssayError, DataError
from ....store.canon import write_whole
from . import comments
from .admitting import Admitted, admit
from .api import Api
from .artifacts import MEMBER, fetch
from .bench import Bench, Done, empty, refused, say, told
from .decisions import Refusal
from .marks import Order, Started, Tested, marks_of
from .payloads import CommentEvent
from .pinning import bytes_of, comments_of
from .recorded import read_event


def report(bench: Bench) -> Done:
    """Verify what a benchmark left, with nothing of it believed, and say what it measured."""
    event = read_event(CommentEvent, bench.payload)
    api, run = bench.around.api(event.repository.full_name), bench.around.workflow_run()
    pull = event.issue.number
    started = [
        mark
        for _, mark in marks_of(Started, comments_of(api, pull))
        if (mark.run, mark.order.comment) == (run, event.comment.id)
    ]
    if len(started) != 1 or started[0].order.pull != pull:
        refusal = Refusal(
            reason="not-ordered",
            says="No benchmark of this workflow run was ordered on this pull request.",
        )
        return told(bench, refused("report", refusal))
    order, where = started[0].order, bench.where(api.repository, run)
    try:
        if bench.around.rechecked != "success":
            raise DataError(
                "it did not finish, or its answers do not come to the same again",
                where=f"workflow run {run}",
            )
        admitted = admitted_run(bench, api, order, fetch(api, run))
    except AssayError as error:
        say(api, pull, comments.failed(order, run, where, error.what))
        return told(bench, Done(stage="report", go=False, reason="not-verified", says=error.what))
    mark = Tested(order=order, run=run, seal=admitted.seal, archive=admitted.archive)
    body = comments.tested(mark, admitted.run, where)
    say(api, pull, body)
    return told(
        bench,
        Done(
            stage="report",
            go=True,
            reason="",
            says=body,
            facts={"seal": admitted.seal, "archive": admitted.archive, "run": run},
        ),
    )


def admitted_run(bench: Bench, api: Api, order: Order, packed: bytes) -> Admitted:
    """Return the run in an archive, held against the submission at its commit; raises what ``admit`` raises."""
    file = bench.out / order.path.rpartition("/")[2]
    write_whole(file, bytes_of(api, order.blob))
    made = bench.desk.make(file, order.suite)
    path = bench.out / MEMBER
    write_whole(path, packed)
    return admit(path, made.plan, made.source, empty(bench.out / "unpacked"))
