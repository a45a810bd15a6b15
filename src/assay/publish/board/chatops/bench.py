"""What every stage is given, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ....core.errors import DataError
from ....store.canon import write_whole
from .api import Api
from .decisions import Refusal
from .making import Desk
from .payloads import Comment
from .surroundings import Surroundings

Stage: TypeAlias = Literal["validate", "comment", "gate", "evaluate", "recheck", "report", "push"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a stage came to."""

    stage: Stage
    go: bool
    """Whether the next stage may begin."""

    reason: str
    says: str
    quiet: bool = False
    """Nothing was asked for: this is no failure."""

    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every stage is given."""

    payload: Path
    board: Path
    """A checkout of the default branch: the code and the board that it has."""

    out: Path
    """Where files are written."""

    artifact: Path | None
    """What earlier stages left, for the stages that hold no token."""

    around: Surroundings
    desk: Desk = field(default_factory=Desk)

    def where(self, repository: str, run: int) -> str:
        """Return the address of a workflow run."""
        return f"{self.around.server}/{repository}/actions/runs/{run}"


def empty(folder: Path) -> Path:
    """Return a folder that is there and empty; raise ``DataError`` A200 where it is not."""
    if folder.exists() and any(folder.iterdir()):
        raise DataError("this folder is not empty", where=str(folder), hint="name another --out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def refused(stage: Stage, refusal: Refusal) -> Done:
    """Return what a stage came to that was refused."""
    return Done(
        stage=stage, go=False, reason=refusal.reason, says=refusal.says, quiet=refusal.quiet
    )


def say(api: Api, pull: int, body: str) -> None:
    """Comment on a pull request."""
    api.send("POST", f"/issues/{pull}/comments", {"body": body}, Comment)


def told(bench: Bench, done: Done) -> Done:
    """Write down what a stage came to: on the page of the workflow run, and in ``<stage>.json``."""
    bench.around.show(done.says)
    facts = {"stage": done.stage, "go": done.go, "reason": done.reason, **done.facts}
    write_whole(bench.out / f"{done.stage}.json", json.dumps(facts, indent=2).encode() + b"\n")
    return done
