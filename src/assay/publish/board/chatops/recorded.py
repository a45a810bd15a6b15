"""JSON of somebody else, parsed once: strict about what is used, blind to the rest."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ....core.errors import DataError

LARGEST = 4 << 20
"""Bytes of an event: GitHub caps payloads at 25 MB; those that are read here are far smaller."""


class Recorded(BaseModel):
    """A part of a payload.  What is not named here is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Event(Recorded):
    """What GitHub sends when something happens."""

    named: ClassVar[str]


Kind = TypeVar("Kind")


def parse(kind: type[Kind], raw: bytes, *, where: str) -> Kind:
    """Return some JSON as what it should be; raise ``DataError`` A200 where it is not."""
    try:
        return TypeAdapter(kind).validate_json(raw, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise DataError(
            f"{place}: {first['msg']}",
            where=where,
            hint="give what GitHub sent, unchanged",
        ) from None


Happened = TypeVar("Happened", bound=Event)


def read_event(kind: type[Happened], path: Path) -> Happened:
    """Read an event payload from a file.

    Raises ``DataError`` A200 for a file that is missing, too large, or of another shape.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(
            f"the payload cannot be read: {error.strerror}",
            where=str(path),
            hint="in a workflow it is the file that $GITHUB_EVENT_PATH names",
        ) from None
    if len(raw) > LARGEST:
        raise DataError(
            f"the payload is larger than {LARGEST >> 20} MiB",
            where=str(path),
            hint="give what GitHub sent, unchanged",
        )
    try:
        return parse(kind, raw, where=str(path))
    except DataError as error:
        what = f"this is no event {kind.named} of GitHub: {error.what}"
        raise DataError(what, where=error.where, hint=error.hint) from None
