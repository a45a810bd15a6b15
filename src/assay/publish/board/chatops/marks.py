"""What the board remembers in its own comments: the audit trail that every stage reads.

A mark is the first line of a comment, invisible to readers.  It counts only where the workflow's own
identity wrote the comment and nobody has edited it.

Covered: a mark in anybody else's comment, further down in a comment, or in an edited one.
Not covered: a collaborator who deletes comments, and another workflow of the same repository that posts
what it is told to: it has the same identity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from ....store.manifest import Stored
from .payloads import Comment, FullName, Name, Number, Sha

ROBOT = ("github-actions[bot]", 41898282)
"""Who comments for workflows with their own token."""

PATH = r"^models/submissions/[A-Za-z0-9][A-Za-z0-9._-]{0,79}\.ya?ml$"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]


class Order(Stored):
    """One submission at one commit: what is tested, reported and published."""

    schema_version: Literal[1] = 1
    repository: FullName
    pull: Number
    head: Sha
    """The commit of the pull request, as it was when the command was read."""

    path: Annotated[str, Field(pattern=PATH)]
    blob: Sha
    """Git's name of the submission's bytes."""

    model: Slug
    suite: Slug
    comment: Number
    """The comment that asked."""

    by: Name


class Started(Stored):
    """A benchmark was allowed."""

    kind: Literal["started"] = "started"
    order: Order
    run: Number
    """The workflow run."""


class Tested(Stored):
    """A sealed run was verified."""

    kind: Literal["tested"] = "tested"
    order: Order
    run: Number
    seal: Digest
    """SHA-256 of the run's SEAL."""

    archive: Digest
    """SHA-256 of the archive that holds the run."""


class Published(Stored):
    """A run stands on the board."""

    kind: Literal["published"] = "published"
    order: Order
    run: Number
    seal: Digest
    commit: Sha
    """The commit on the default branch."""


Mark = Started | Tested | Published
_MARK: TypeAdapter[Mark] = TypeAdapter(Annotated[Mark, Field(discriminator="kind")])
_LINE = re.compile(r"\A<!-- assay-board (\{[^\n<>]{1,4000}\}) -->(?:\r?\n|\Z)")


def line_of(mark: Mark) -> str:
    """Return a mark as the first line of a comment.

    >>> line_of(Published.model_construct(kind="published", run=1, order=None, seal="", commit=""))
    '<!-- assay-board {"kind":"published","order":null,"run":1,"seal":"","commit":""} -->'
    """
    # Nothing in it can close the comment: every text in it has a pattern without < and >.
    text = json.dumps(mark.model_dump(mode="json", warnings=False), separators=(",", ":"))
    return f"<!-- assay-board {text} -->"


def mark_of(comment: Comment) -> Mark | None:
    """Return the mark that a comment carries, None where it carries none that counts."""
    user = comment.user
    if user is None or (user.login, user.id) != ROBOT or user.type != "Bot" or comment.edited:
        return None
    found = _LINE.match(comment.body or "")
    if found is None:
        return None
    try:
        return _MARK.validate_json(found[1], strict=True)
    except ValidationError:
        return None


M = TypeVar("M", Started, Tested, Published)


def marks_of(kind: type[M], comments: Iterable[Comment]) -> Iterator[tuple[datetime, M]]:
    """Yield the marks of one kind, with when they were written, in the order of the comments."""
    for comment in comments:
        mark = mark_of(comment)
        if isinstance(mark, kind):
            yield comment.created_at, mark
