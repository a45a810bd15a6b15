"""The part of a plan that a person adds to a log: a name, claims, fronts, prices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ...core.errors import PlanError
from ...engine.document import Document, read_document
from ...engine.keys import Plan
from ...engine.overrides import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of a log is taken, and what is said of it."""

    tasks: Collection[str] = ()
    systems: Collection[str] = ()
    """Empty: all."""

    controls: Collection[str] = ()
    """Systems of the log that know nothing of the task."""

    settings: Document | None = None


KEYS = ("name", "says", "claims", "fronts", "ship", "prices")


def read_settings(path: Path | None) -> Document | None:
    """Read the keys of a plan that an import takes, with their lines.

    Raises ``PlanError`` A101 for any other key: tasks, systems and seeds come from the log.
    """
    if path is None:
        return None
    document = read_document(path)
    if not isinstance(document.value, dict):
        raise PlanError(
            "this is a mapping of keys to values", where=f"{path}:1", hint="begin with `claims:`"
        )
    for key in document.value:
        if key in KEYS:
            continue
        known = f"an import takes {', '.join(KEYS)}"
        of_the_log = key in Plan.model_fields
        hint = (
            f"tasks and systems come from the log; {known}" if of_the_log else nearest(key, [*KEYS])
        )
        raise PlanError(
            f"unknown key {key!r}", where=document.where((key,)), hint=hint, code="A101"
        )
    return document


def explain(error: ValidationError, document: Document) -> PlanError:
    """Return what is wrong with the keys that a person wrote."""
    first = error.errors()[0]
    place = tuple(p for p in first["loc"] if "[" not in str(p))
    message = first["msg"].removeprefix("Value error, ")
    return PlanError(
        f"{'.'.join(map(str, place)) or 'the plan'}: {message[0].lower()}{message[1:]}",
        where=document.where(place),
        hint="see docs/plan.md for every key and its type",
        code="A101" if first["type"] == "extra_forbidden" else "A102",
    )
