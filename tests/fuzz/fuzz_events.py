"""Feed the readers of what GitHub sends, and of what the board remembers in comments: see driver.py."""

from __future__ import annotations

import json
from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish.board.chatops"):
    from assay.publish.board.chatops.marks import Order, mark_of
    from assay.publish.board.chatops.payloads import (
        Artifacts,
        Blob,
        Comment,
        CommentEvent,
        Compared,
        Permission,
        Pull,
        PullEvent,
        PullFile,
        Tree,
        WorkflowRunEvent,
    )
    from assay.publish.board.chatops.recorded import parse, read_event

PAYLOADS = Path(__file__).parents[1] / "chatops" / "payloads"
FILE = driver.new_folder() / "event.json"
EVENTS = {
    "issue_comment": CommentEvent,
    "pull_request": PullEvent,
    "workflow_run": WorkflowRunEvent,
}
ANSWERS = {
    kind.__name__: kind
    for kind in (Artifacts, Blob, Comment, Compared, Order, Permission, Pull, PullFile, Tree)
}


def seeds() -> list[bytes]:
    """Return every recorded payload, and an answer of each kind."""
    made = [
        driver.bundle({path.name.partition(".")[0]: json.loads(path.read_bytes())})
        for path in sorted(PAYLOADS.glob("*.json"))
    ]
    comment = json.loads((PAYLOADS / "issue_comment.created.json").read_bytes())["comment"]
    pull = json.loads((PAYLOADS / "pull_request.opened.json").read_bytes())["pull_request"]
    sha, digest = "a" * 40, "b" * 64
    order = {"schema_version": 1, "repository": "o/r", "pull": 1, "head": sha, "path": "models/submissions/a.yaml", "blob": sha, "model": "m",
             "suite": "open", "comment": 2, "by": "x"}  # fmt: skip
    mark = {"kind": "tested", "order": order, "run": 3, "seal": digest, "archive": digest}
    robot = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
    answers = {
        "Comment": {**comment, "user": robot, "body": f"<!-- assay-board {json.dumps(mark)} -->\nhello", "updated_at": comment["created_at"]},
        "Pull": pull,
        "Order": order,
        "Tree": {"sha": sha, "tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": sha, "size": 1}], "truncated": False},
        "Blob": {"sha": sha, "size": 1, "content": "YQ==", "encoding": "base64"},
        "Artifacts": {"total_count": 1, "artifacts": [{"id": 1, "name": "run", "size_in_bytes": 1, "expired": False, "digest": None, "workflow_run": {"id": 3}}]},
        "Permission": {"permission": "write", "user": robot},
        "PullFile": {"filename": "a", "status": "added", "previous_filename": None},
        "Compared": {"merge_base_commit": {"sha": sha}},
    }  # fmt: skip
    return [*made, *(driver.bundle({name: value}) for name, value in answers.items())]


def read(data: bytes) -> None:
    """Read what an input is called, as events from a file and answers from the line."""
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        given = {"issue_comment": data.decode("utf-8", "surrogateescape")}
    for name, value in given.items() if isinstance(given, dict) else ():
        raw = driver.file_bytes("event", value)
        if name in EVENTS:
            FILE.write_bytes(raw)
            read_event(EVENTS[name], FILE)
        elif name in ANSWERS:
            found = parse(ANSWERS[name], raw, where="answer")
            if isinstance(found, Comment):
                mark_of(found)


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
