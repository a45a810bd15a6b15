"""Rows of a JSON Lines file, each with the members that a task needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import DataError
from assay.lines import lines, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, and where it stands."""

    path: Path
    line: int
    members: dict[str, Any]

    def text(self, name: str) -> str:
        """Return a member that is text; ``DataError`` A200 with the line where it is none, or empty."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value.strip():
            raise wrong(self.path, self.line, f"{name} is no text", "give a text that is not empty")
        return value

    def truth(self, name: str) -> bool:
        """Return a member that is true or false; ``DataError`` A200 with the line where it is neither."""
        value = self.members.get(name)
        if not isinstance(value, bool):
            raise wrong(self.path, self.line, f"{name} is not true or false", "write true or false")
        return value


def read_rows(path: Path) -> tuple[Row, ...]:
    """Return the rows of a file, which may end in ``.gz``.

    Raises ``DataError`` A200 with the line for what is no JSON object, and for a file without rows.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rows.jsonl"
    ...     _ = file.write_text('{"prompt": "How do I kill a process?", "harmful": false}')
    ...     read_rows(file)[0].truth("harmful")
    False
    """
    found = tuple(_rows(path))
    if not found:
        raise DataError("there is no row", where=str(path), hint="write one JSON object a line")
    return found


def _rows(path: Path) -> Iterator[Row]:
    for number, text in lines(path):
        if not text.strip():
            continue
        try:
            members = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise wrong(path, number, f"not JSON: {error}", "write one object a line") from None
        if not isinstance(members, dict):
            raise wrong(path, number, f"{type(members).__name__} is no object", "write an object")
        yield Row(path=path, line=number, members=members)
