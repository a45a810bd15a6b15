"""The facts of a pull request, as the API shows them at one moment, and its one submission as bytes.

Nothing of a pull request is ever checked out: its submission is fetched by git's name of its bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ....store.canon import write_whole
from ..checking import check
from ..notes import Note
from ..sent import Submission
from .api import PAGE, Api, UnansweredError
from .decisions import (
    BENCHMARKS_IN_ALL,
    DAY,
    LARGEST,
    Command,
    Refusal,
    about_comment,
    about_entry,
    about_event,
    about_files,
    about_load,
    about_permission,
    about_pull,
    about_repeat,
    about_submitter,
)
from .marks import Order, Started, marks_of
from .payloads import Blob, Comment, CommentEvent, Entry, Permission, Pull, PullFile, Tree

COMMENTS_PAGES = 10
Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A pull request at one commit, and the submission that it brings."""

    pull: Pull
    path: str
    blob: str
    data: bytes = field(repr=False)
    submission: Submission
    notes: tuple[Note, ...]

    def order(self, event: CommentEvent, suite: str) -> Order:
        """Return what a command orders."""
        assert event.comment.user is not None
        return Order(
            repository=event.repository.full_name,
            pull=self.pull.number,
            head=self.pull.head.sha,
            path=self.path,
            blob=self.blob,
            model=self.submission.id,
            suite=suite,
            comment=event.comment.id,
            by=event.comment.user.login,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A submission with errors: nothing can be made of it."""

    path: str
    notes: tuple[Note, ...]


def permitted(api: Api, event: CommentEvent, command: Command) -> Refusal | None:
    """Say whether a comment is this command, by somebody who may give it.  Silence speaks against."""
    if refusal := about_event(event, command):
        return refusal
    user = event.comment.user
    assert user is not None
    try:
        comment = api.get(f"/issues/comments/{event.comment.id}", Comment)
        if refusal := about_comment(event, comment):
            return refusal
        found = api.get(f"/collaborators/{user.login}/permission", Permission)
    except UnansweredError as error:
        if error.status == 404:
            return Refusal(
                reason="no-permission",
                says="The comment is gone, or its author has no permission in this repository.",
            )
        return Refusal(
            reason="not-checked",
            says="Whether you may give commands could not be checked: say it again in some minutes.",
        )
    return about_permission(user, found)


def pulled(api: Api, event: CommentEvent) -> Pull | Refusal:
    """Return the pull request as it is now, or why it is not one for commands."""
    pull = api.get(f"/pulls/{event.issue.number}", Pull)
    return about_pull(pull, event.issue.number, event.repository) or pull


def pinned(api: Api, pull: Pull, board: Path) -> Pinned | Faulty | Refusal:
    """Fetch the submission of a pull request at its commit, write it where it belongs in the board, and check it.

    No source is asked.  The board is a checkout of the default branch that is thrown away.  Raises ``UnansweredError`` A405 where the API does not say, ``DataError`` A200 where it lies.
    """
    # Two tell that there are more than one, however many there are.
    files: list[PullFile] = api.get(f"/pulls/{pull.number}/files", list[PullFile], per_page=2)
    if refusal := about_files(pull, files):
        return refusal
    path = files[0].filename
    entry = entry_of(api, pull.head.sha, path)
    if refusal := about_entry(entry):
        return refusal
    assert entry is not None
    data = bytes_of(api, entry.sha)
    file = board / path
    write_whole(file, data)
    checked = check(file, board=board, offline=True)
    if checked.submission is None or not checked.is_valid:
        return Faulty(path=path, notes=checked.notes)
    return Pinned(
        pull=pull,
        path=path,
        blob=entry.sha,
        data=data,
        submission=checked.submission,
        notes=checked.notes,
    )


def entry_of(api: Api, commit: str, path: str) -> Entry | None:
    """Walk from a commit to a file, folder by folder: a link in the place of a folder leads nowhere."""
    at = commit
    *folders, name = path.split("/")
    for folder in folders:
        inside = _listed(api, at, folder)
        if inside is None or (inside.type, inside.mode) != ("tree", "040000"):
            return None
        at = inside.sha
    return _listed(api, at, name)


def _listed(api: Api, tree: str, name: str) -> Entry | None:
    found = [e for e in api.get(f"/git/trees/{tree}", Tree).tree if e.path == name]
    return found[0] if len(found) == 1 else None


def bytes_of(api: Api, blob: str) -> bytes:
    """Return the bytes that git calls by this name: whoever sends others is found out."""
    sent = api.get(f"/git/blobs/{blob}", Blob)
    try:
        data = base64.b64decode(sent.content.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) > LARGEST or git_name(data) != blob:
        raise UnansweredError(
            "the API sent other bytes than git names",
            status=200,
            where=f"{api.base}/repos/{api.repository}/git/blobs/{blob}",
            hint="say the command again",
        )
    return data


def git_name(data: bytes) -> str:
    """Return git's name of some bytes.

    >>> git_name(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def comments_of(api: Api, pull: int) -> list[Comment]:
    """Return the comments of a pull request, oldest first."""
    return api.pages(f"/issues/{pull}/comments", Comment, most=COMMENTS_PAGES)


def within_limits(
    api: Api, event: CommentEvent, found: Pinned, clock: Clock = now
) -> Refusal | None:
    """Say whether a benchmark may start today, from the comments and pull requests of the day.

    Raises ``UnansweredError`` where the day cannot be looked at whole.
    """
    here = marks_of(Started, comments_of(api, found.pull.number))
    if refusal := about_repeat(event, (mark for _, mark in here)):
        return refusal
    time = clock()
    everywhere = api.pages(
        "/issues/comments",
        Comment,
        most=COMMENTS_PAGES,
        since=(time - DAY).strftime("%Y-%m-%dT%H:%M:%SZ"),
        sort="created",
        direction="asc",
    )
    started = list(marks_of(Started, everywhere))
    if refusal := about_load(found.submission.id, started, time):
        return refusal
    theirs = _sent_by(api, found.pull, time - DAY)
    return about_submitter(found.pull, theirs, time)


def _sent_by(api: Api, pull: Pull, since: datetime) -> list[datetime]:
    """Return when the author of a pull request opened theirs with submissions, up to this one.

    Raises ``UnansweredError`` where so many pull requests came that not all of the day are seen.
    """
    if pull.user is None:
        return []
    newest: list[Pull] = api.get(
        "/pulls", list[Pull], state="all", sort="created", direction="desc", per_page=PAGE
    )
    if len(newest) == PAGE and newest[-1].created_at > since:
        raise UnansweredError(
            f"more than {PAGE} pull requests were opened in a day",
            status=None,
            where=f"{api.base}/repos/{api.repository}/pulls",
            hint="try again tomorrow",
        )
    theirs = [
        p
        for p in newest
        if p.user is not None
        and p.user.id == pull.user.id
        and since < p.created_at <= pull.created_at
    ]
    if len(theirs) > BENCHMARKS_IN_ALL:
        return [p.created_at for p in theirs]  # whatever they hold, that is too many
    return [
        p.created_at
        for p in theirs
        if any(
            f.filename.startswith("models/submissions/")
            for f in api.pages(f"/pulls/{p.number}/files", PullFile, most=3)
        )
    ]
