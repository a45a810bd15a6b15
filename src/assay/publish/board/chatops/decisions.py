"""Whether a command may be followed: pure functions of what GitHub says.

Each returns None, or the first reason against.  What cannot be found out speaks against.

Covered: quoted, edited, prolonged and look-alike commands; people without write permission; pull
requests that are closed, moved, or touch anything but one submission; commands said again; more
benchmarks in a day than the board can bear.
Not covered: a collaborator who means harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .marks import PATH, Order, Started, Tested
from .payloads import Comment, CommentEvent, Entry, Permission, Pull, PullFile, Repository, User

SUBMISSIONS_A_DAY = 3
"""Pull requests with a submission that one person may open."""

BENCHMARKS_A_DAY = 1
"""Benchmarks of one model."""

BENCHMARKS_IN_ALL = 10
DAY = timedelta(days=1)
LARGEST = 64 << 10
"""Bytes of a submission."""

_SUBMISSION = re.compile(PATH.removeprefix("^").removesuffix("$"))


class Command(StrEnum):
    """What can be said; the value is the whole comment."""

    TEST = "/test-benchmark"
    PUSH = "/push-results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a command is not followed."""

    reason: str
    """One word for programs."""

    says: str
    """A sentence for people."""

    quiet: bool = False
    """Nothing was asked for, so that nothing is answered."""


def command_of(body: str | None) -> Command | None:
    r"""Return the command that a comment is, None where it is anything else.

    Only spaces and line ends may stand around it: not a quotation, not a fence, not another word.

    >>> command_of("/test-benchmark\r\n")
    <Command.TEST: '/test-benchmark'>
    >>> command_of("> /test-benchmark"), command_of("/test-benchmark now"), command_of(None)
    (None, None, None)
    """
    said = (body or "").strip(" \t\r\n")
    return next((command for command in Command if said == command.value), None)


def about_event(event: CommentEvent, wanted: Command | None = None) -> Refusal | None:
    """Say whether an event is a command at all, said just now on an open pull request."""
    command = command_of(event.comment.body)
    if event.action != "created" or event.comment.edited:
        return Refusal(
            reason="edited", says="Only a new comment is a command, as it was written.", quiet=True
        )
    if command is None or (wanted is not None and command is not wanted):
        return Refusal(
            reason="no-command",
            says="The comment is not a command: it must be the command and nothing else.",
            quiet=True,
        )
    if event.issue.pull_request is None:
        return Refusal(reason="no-pull", says="This is an issue, not a pull request.", quiet=True)
    if event.issue.state != "open":
        return Refusal(reason="closed", says="The pull request is closed.")
    user = event.comment.user
    if user is None or user.type != "User" or user.id != event.sender.id:
        return Refusal(reason="no-person", says="Only people give commands.", quiet=True)
    return None


def about_comment(event: CommentEvent, now: Comment) -> Refusal | None:
    """Say whether the comment still stands as the event shows it."""
    then = event.comment
    if (
        now.id != then.id
        or now.edited
        or now.body != then.body
        or now.user is None
        or now.user != then.user
        or not now.issue_url.endswith(f"/issues/{event.issue.number}")
    ):
        return Refusal(
            reason="edited", says="The comment is no longer what it was when it was written."
        )
    return None


def about_permission(user: User, found: Permission) -> Refusal | None:
    """Say whether somebody may give commands: who may write to the repository may.

    `maintain` is told as `write`, and `triage` as `read`, by the API.
    """
    if found.user is None or (found.user.id, found.user.login) != (user.id, user.login):
        return Refusal(
            reason="no-permission", says="The permission that was found is somebody else's."
        )
    if found.permission not in ("admin", "maintain", "write"):
        return Refusal(
            reason="no-permission",
            says="Only people with write permission in this repository give commands.",
        )
    return None


def about_pull(pull: Pull, number: int, repository: Repository) -> Refusal | None:
    """Say whether a pull request is one that commands are for."""
    if pull.number != number or pull.state != "open" or pull.merged:
        return Refusal(reason="closed", says="The pull request is not open.")
    if pull.draft:
        return Refusal(reason="draft", says="The pull request is a draft: mark it as ready first.")
    base = pull.base.repo.full_name if pull.base.repo else ""
    if (base, pull.base.ref) != (repository.full_name, repository.default_branch):
        return Refusal(
            reason="other-branch",
            says="The pull request is not for the default branch of this repository.",
        )
    if pull.head.repo is None:
        return Refusal(
            reason="no-fork", says="The repository that the pull request comes from is gone."
        )
    return None


def about_files(pull: Pull, files: Sequence[PullFile]) -> Refusal | None:
    """Say whether a pull request brings one submission and touches nothing else."""
    if pull.changed_files not in (None, len(files)) or len(files) != 1:
        return Refusal(
            reason="several-files",
            says="The pull request must change exactly one file, a submission in"
            " models/submissions/.",
        )
    (file,) = files
    if _SUBMISSION.fullmatch(file.filename) is None:
        return Refusal(
            reason="other-file",
            says="The one file that the pull request changes is no submission: it must be"
            " models/submissions/NAME.yaml, with a name of letters, digits, dots, dashes.",
        )
    if file.status not in ("added", "modified") or file.previous_filename is not None:
        return Refusal(
            reason="renamed", says="The submission must be added or changed, not moved or removed."
        )
    return None


def about_entry(entry: Entry | None) -> Refusal | None:
    """Say whether what stands at the submission's path is a plain file of a sensible size."""
    if entry is None:
        return Refusal(reason="moved", says="The submission is not in the pull request's commit.")
    if entry.type != "blob" or entry.mode != "100644":
        return Refusal(
            reason="no-plain-file",
            says="The submission must be a plain file: no link, no folder, nothing executable.",
        )
    if entry.size is None or entry.size > LARGEST:
        return Refusal(
            reason="too-large", says=f"The submission is larger than {LARGEST >> 10} KiB."
        )
    return None


def about_repeat(event: CommentEvent, started: Iterable[Started]) -> Refusal | None:
    """Say whether this very comment was followed before: a workflow can be run again by hand."""
    if any(mark.order.comment == event.comment.id for mark in started):
        return Refusal(
            reason="said-before",
            says="This comment was followed already: say the command in a new comment.",
        )
    return None


def about_load(
    model: str, started: Iterable[tuple[datetime, Started]], now: datetime
) -> Refusal | None:
    """Say whether the day's benchmarks are used up: one of a model, ten in all."""
    today = [mark for when, mark in started if now - when < DAY]
    if sum(mark.order.model == model for mark in today) >= BENCHMARKS_A_DAY:
        return Refusal(
            reason="model-limit",
            says=f"A model is benchmarked at most {BENCHMARKS_A_DAY} time a day.",
        )
    if len(today) >= BENCHMARKS_IN_ALL:
        return Refusal(
            reason="day-limit", says=f"At most {BENCHMARKS_IN_ALL} benchmarks run in a day."
        )
    return None


def about_submitter(pull: Pull, theirs: Iterable[datetime], now: datetime) -> Refusal | None:
    """Say whether this is more than the third submission of a person in a day; tomorrow it is not.

    ``theirs`` are the times at which their pull requests with submissions were opened.
    """
    if sum(now - DAY < when <= pull.created_at for when in theirs) > SUBMISSIONS_A_DAY:
        return Refusal(
            reason="submitter-limit",
            says=f"A person may send at most {SUBMISSIONS_A_DAY} submissions a day.",
        )
    return None


def about_test(tested: Tested | None, order: Order) -> Refusal | None:
    """Say whether a test speaks for what is to be published."""
    if tested is None:
        return Refusal(
            reason="not-tested",
            says="No verified benchmark stands on this pull request: say /test-benchmark first.",
        )
    then = tested.order
    if (then.head, then.blob, then.path) != (order.head, order.blob, order.path):
        return Refusal(
            reason="moved",
            says="The pull request has changed since it was tested: say /test-benchmark again.",
        )
    if (then.repository, then.pull, then.model) != (order.repository, order.pull, order.model):
        return Refusal(reason="other-test", says="The test is of another pull request.")
    if then.suite != order.suite:
        return Refusal(
            reason="other-suite",
            says="The board asks other questions now: say /test-benchmark again.",
        )
    return None
