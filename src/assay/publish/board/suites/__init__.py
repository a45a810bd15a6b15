"""What a board asks every model: named, versioned lists of tasks."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ....core.errors import PlanError
from ....engine.document import parse_document
from ....engine.overrides import nearest


class Takes(BaseModel):
    """What a task takes of a model, on average."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: int
    tokens_in: float
    tokens_out: float


class Suite(BaseModel):
    """What a board asks, of every model alike; a change of any of it is another version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    says: str
    needs: tuple[str, ...]
    """Variables that have to be set."""

    tasks: tuple[dict[str, Any], ...]
    """As a plan has them."""

    options: dict[str, Any]
    """Of every system."""

    timing: dict[str, Any]
    takes: dict[str, Takes]
    """By task; a task that is not in it has no estimate."""


def suites() -> tuple[str, ...]:
    """Return the names of the suites.

    >>> suites()
    ('academic', 'open')
    """
    files = resources.files(__package__).iterdir()
    return tuple(sorted(Path(file.name).stem for file in files if file.name.endswith(".yaml")))


@cache
def suite_of(name: str) -> Suite:
    """Return a suite.

    Raises ``PlanError`` A106 for a name that is none.

    >>> suite_of("open").version
    '1'
    """
    if name not in suites():
        raise PlanError(
            f"no suite is called {name!r}",
            where="--suite",
            hint=nearest(name, list(suites())),
            code="A106",
        )
    file = resources.files(__package__) / f"{name}.yaml"
    read = parse_document(file.read_text("utf-8"), Path(f"{name}.yaml"))
    return Suite.model_validate(read.value)
