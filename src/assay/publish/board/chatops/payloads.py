"""What GitHub sends and answers: strict about what is used, blind to the rest.

The shapes are those of GitHub's documentation: webhook events `issue_comment`, `pull_request` and
`workflow_run`, and REST answers of version 2022-11-28.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from .recorded import Event, Recorded

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(\[bot\])?$")]
FullName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$")]
Number = Annotated[int, Field(ge=1, lt=2**53)]


class User(Recorded):
    """Who did something."""

    login: Name
    id: Number
    type: str


class Repository(Recorded):
    """The repository of the board."""

    full_name: FullName
    default_branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")]


class Comment(Recorded):
    """A comment on an issue or a pull request."""

    id: Number
    body: str | None
    user: User | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    issue_url: str = ""

    @property
    def edited(self) -> bool:
        """Whether it is not as it was first written."""
        return self.updated_at != self.created_at


class Marked(Recorded):
    """What makes an issue a pull request."""

    url: str


class Issue(Recorded):
    """What was commented on."""

    number: Number
    state: str
    pull_request: Marked | None = None


class CommentEvent(Event):
    """Somebody commented."""

    named = "issue_comment"

    action: str
    issue: Issue
    comment: Comment
    repository: Repository
    sender: User


class Source(Recorded):
    """Where a branch lives; None in its place when a fork was deleted."""

    full_name: FullName


class End(Recorded):
    """One end of a pull request: a branch at a commit."""

    ref: str
    sha: Sha
    repo: Source | None


class Pull(Recorded):
    """A pull request."""

    number: Number
    state: str
    draft: bool = False
    merged: bool = False
    mergeable: bool | None = None
    changed_files: int | None = None
    user: User | None
    created_at: AwareDatetime
    head: End
    base: End


class PullEvent(Event):
    """A pull request was opened or changed."""

    named = "pull_request"

    action: str
    number: Number
    pull_request: Pull
    repository: Repository


class Owner(Recorded):
    """Whose repository it is."""

    login: Name


class HeadRepository(Recorded):
    """Where the commits of a workflow run come from."""

    full_name: FullName
    owner: Owner


class WorkflowRun(Recorded):
    """A run of a workflow."""

    id: Number
    path: str
    event: str
    status: str | None
    conclusion: str | None
    head_branch: str | None
    head_sha: Sha
    head_repository: HeadRepository | None = None


class WorkflowRunEvent(Event):
    """A workflow has run."""

    named = "workflow_run"

    action: str
    workflow_run: WorkflowRun
    repository: Repository


class Permission(Recorded):
    """What somebody may do in the repository."""

    permission: str
    user: User | None


class PullFile(Recorded):
    """A file that a pull request touches."""

    filename: str
    status: str
    previous_filename: str | None = None


class Entry(Recorded):
    """An entry of a folder in git."""

    path: str
    mode: str
    type: str
    sha: Sha
    size: int | None = None


class Tree(Recorded):
    """A folder in git."""

    sha: Sha
    tree: list[Entry]
    truncated: bool


class Blob(Recorded):
    """A file in git."""

    sha: Sha
    size: int
    content: str
    encoding: Literal["base64"]


class Named(Recorded):
    """An object that git just made."""

    sha: Sha


class Ref(Recorded):
    """A branch."""

    ref: str
    object: Named


class Commit(Recorded):
    """A commit in git."""

    sha: Sha
    tree: Named


class Compared(Recorded):
    """Two commits, and where they parted."""

    merge_base_commit: Named


class MadeBy(Recorded):
    """The workflow run that an artifact is of."""

    id: Number


class Artifact(Recorded):
    """A file that a workflow run kept."""

    id: Number
    name: str
    size_in_bytes: int
    expired: bool
    digest: str | None = None
    workflow_run: MadeBy | None = None


class Artifacts(Recorded):
    """The artifacts of a workflow run."""

    total_count: int
    artifacts: list[Artifact]
