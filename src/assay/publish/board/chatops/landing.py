"""One commit on the default branch that holds a result and merges its pull request.

Git's own objects are made through the API, and the branch moves last: before it has moved nothing has
happened, and it moves only from the commit that everything was computed on.  The commit has two
parents, the branch as it was and the pull request's commit, which is what a merge is; its tree is
the branch's with the files of the result.

Covered: a branch that moved meanwhile, a file outside the board, a link or a program among the files.
Not covered: rules of the repository that keep even this workflow from its branch; it is refused then.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....core.errors import DataError
from .api import Api, UnansweredError
from .decisions import Refusal
from .payloads import Commit, Named, Ref

ALLOWED = ("models/", "site/")
LOCK = "models/.lock"
LARGEST = 40 << 20
"""Bytes of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file as it shall be; None where it shall go."""

    path: str
    data: bytes | None


def head_of(board: Path) -> str:
    """Return the commit that a checkout is at."""
    return _git(board, "rev-parse", "HEAD").decode().strip()


def changes_of(board: Path) -> list[Change]:
    """Return what differs from the checkout's commit, sorted by path.

    Raises ``DataError`` A200 for a change outside ``models/`` and ``site/``, and for what is no plain file.
    """
    status = _git(board, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    found = []
    for row in sorted(filter(None, status.decode("utf-8", "surrogateescape").split("\0"))):
        path = row[3:]
        file = board / path
        if path == LOCK:
            continue
        if not path.startswith(ALLOWED):
            raise _odd(f"{path!r} changed, which is no file of the board")
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise _odd(f"{path!r} is no plain file")
        data = file.read_bytes() if file.exists() else None
        if data is not None and len(data) > LARGEST:
            raise _odd(f"{path!r} is larger than {LARGEST >> 20} MiB")
        found.append(Change(path=path, data=data))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where a commit shall go, and what it shall say."""

    branch: str
    base: str
    """The commit that everything was computed on."""

    head: str
    """The pull request's commit."""

    message: str


def land(api: Api, landing: Landing, changes: Sequence[Change]) -> str | Refusal:
    """Make the commit and move the branch to it; return its name, or why the branch did not move.

    Raises ``UnansweredError`` A405 where an object could not be made: the branch is as it was then.
    """
    if _tip(api, landing.branch) != landing.base:
        return _moved()
    tree = _tree(api, landing.base, changes)
    commit = api.send(
        "POST",
        "/git/commits",
        {"message": landing.message, "tree": tree, "parents": [landing.base, landing.head]},
        Named,
    )
    try:
        moved = api.send(
            "PATCH",
            f"/git/refs/heads/{landing.branch}",
            {"sha": commit.sha, "force": False},
            Ref,
        )
    except UnansweredError as error:
        return _after(api, landing, commit.sha, error)
    return moved.object.sha


def _after(api: Api, landing: Landing, commit: str, error: UnansweredError) -> str | Refusal:
    """Find out what became of a branch whose move was not confirmed."""
    tip = _tip(api, landing.branch)
    if tip == commit:
        return commit
    if tip != landing.base or error.status in (409, 422):
        return _moved()
    raise error


def _moved() -> Refusal:
    return Refusal(
        reason="moved",
        says="The default branch moved while the result was being published; nothing was changed:"
        " say /push-results again.",
    )


def _tip(api: Api, branch: str) -> str:
    return api.get(f"/git/ref/heads/{branch}", Ref).object.sha


def _tree(api: Api, base: str, changes: Sequence[Change]) -> str:
    rows: list[dict[str, str | None]] = []
    for change in changes:
        sha = None
        if change.data is not None:
            body = {"content": base64.b64encode(change.data).decode(), "encoding": "base64"}
            sha = api.send("POST", "/git/blobs", body, Named).sha
        rows.append({"path": change.path, "mode": "100644", "type": "blob", "sha": sha})
    under = api.get(f"/git/commits/{base}", Commit).tree.sha
    return api.send("POST", "/git/trees", {"base_tree": under, "tree": rows}, Named).sha


def _git(board: Path, *words: str) -> bytes:
    try:
        return subprocess.run(
            ["git", "-C", str(board), *words], capture_output=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DataError(
            f"the board is no checkout of git that can be read: {type(error).__name__}",
            where=str(board),
            hint="publish from a checkout of the default branch",
        ) from None


def _odd(what: str) -> DataError:
    return DataError(what, where="the board", hint="publish from a clean checkout")
