"""Who did what to the board, when, from which run: lines that are only ever added."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationError

from ...core.errors import DataError
from ...store.canon import canonical, parsed
from ...store.manifest import Stored, first_fault
from .card import HEX64
from .files import read_file, write_file

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def _is_moment(text: str) -> str:
    if _MOMENT.fullmatch(text):
        datetime.fromisoformat(text)  # which says of a 45th day that there is none
        return text
    raise ValueError("a moment is written 2026-11-29T08:00:00Z")


Action: TypeAlias = Literal["submit", "test", "publish", "withdraw"]


class Event(Stored):
    """One thing that was done."""

    at: Annotated[str, AfterValidator(_is_moment)]
    by: str = Field(min_length=1, max_length=200)
    action: Action
    model: str | None = None
    run: str | None = Field(default=None, pattern=HEX64)
    why: str = Field(default="", max_length=2_000)
    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{7,64}$")


def read_events(path: Path) -> tuple[Event, ...]:
    """Read every event, oldest first; none where there is no file.

    Raises ``DataError`` A200 with the line that is no event.
    """
    if not path.is_file():
        return ()
    found = []
    for number, line in enumerate(read_file(path).splitlines(), 1):
        where = f"{path}:{number}"
        hint = "restore the file from a copy: lines are only ever added"
        try:
            found.append(Event.model_validate(parsed(line)))
        except ValidationError as error:
            place, said = first_fault(error)
            raise DataError(
                f"this is no event: {place or 'it'}: {said}", where=where, hint=hint
            ) from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"this is no event: {error}", where=where, hint=hint) from None
    return tuple(found)


def append_event(path: Path, *events: Event) -> None:
    """Add events at the end, all of them or none; those that are there stay byte for byte.

    Raises ``DataError`` A200 where the file is damaged: nothing is added to it then.
    """
    read_events(path)
    before = read_file(path) if path.is_file() else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    more = b"".join(canonical(event.model_dump(mode="json")) + b"\n" for event in events)
    write_file(path.parents[1], path, before + more)
