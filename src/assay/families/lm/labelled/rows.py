"""Labelled rows of a JSON Lines file, read strictly.

*Covered*: bytes that are no text, lines that are too long, rows that are no JSON or lack something,
labels that are none, numbers that JSON does not have, rows that say the same or contradict each other.
*Not covered*: questions that say the same in other words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from assay import DataError
from assay.documents import nearest
from assay.lines import lines, wrong

Kind: TypeAlias = Literal["label", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the file."""

    line: int
    fields: Mapping[str, Any]
    """Everything but label and group, as it stands there."""

    accepted: tuple[str, ...]
    """The label, or each text that is right."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which member of a row is what."""

    label: str
    group: str | None = None
    kind: Kind = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a file holds."""

    path: Path
    rows: tuple[Row, ...]
    duplicates: int
    """Rows left out because an earlier one says the same."""


def read_rows(path: Path, layout: Layout) -> Rows:
    """Return the rows of a file, each different question once.

    Raises ``DataError`` A200 with the line for the first row that cannot be used.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rows.jsonl"
    ...     _ = file.write_text('{"input": "so good", "label": "positive"}')
    ...     read_rows(file, Layout(label="label")).rows[0].accepted
    ('positive',)
    """
    found: dict[str, Row] = {}
    duplicates = 0
    for number, text in lines(path):
        if not text.strip():
            continue
        row = _row(path, number, _json(path, number, text), layout)
        asked = json.dumps(row.fields, sort_keys=True)
        earlier = found.setdefault(asked, row)
        if earlier is row:
            continue
        if earlier.accepted != row.accepted:
            raise wrong(
                path,
                number,
                f"the question of line {earlier.line} has another {layout.label} here",
                "keep the one that is right",
            )
        duplicates += 1
    if not found:
        raise DataError(
            "there is no row", where=str(path), hint="write one JSON object a line", code="A200"
        )
    return Rows(path=path, rows=tuple(found.values()), duplicates=duplicates)


def _json(path: Path, number: int, text: str) -> dict[str, Any]:
    def no_such_number(name: str) -> None:
        raise wrong(path, number, f"{name} is no JSON", "write null, or leave the row out")

    try:
        row = json.loads(text, parse_constant=no_such_number)
    except (ValueError, RecursionError) as error:
        raise wrong(path, number, f"not JSON: {error}", "write one JSON object a line") from None
    if not isinstance(row, dict):
        raise wrong(path, number, f"{type(row).__name__} is no object", "write one object a line")
    return row


def _row(path: Path, number: int, row: dict[str, Any], layout: Layout) -> Row:
    for name in filter(None, (layout.label, layout.group)):
        if name not in row:
            raise wrong(path, number, f"the row has no {name!r}", nearest(name, list(row)))
    group = row[layout.group] if layout.group else ""
    if layout.group and (isinstance(group, bool) or not isinstance(group, str | int)):
        raise wrong(path, number, f"{layout.group} is no name", "give a text or a whole number")
    fields = {k: v for k, v in row.items() if k not in (layout.label, layout.group)}
    if not fields:
        raise wrong(path, number, "the row asks nothing", f"give a member beside {layout.label}")
    return Row(
        line=number,
        fields=fields,
        accepted=_accepted(path, number, row[layout.label], layout),
        group=f"group/{group}" if layout.group else "",
    )


def _accepted(path: Path, number: int, label: Any, layout: Layout) -> tuple[str, ...]:
    several = isinstance(label, list)
    if several and (layout.kind == "label" or not label):
        hint = "give one label" if layout.kind == "label" else "list the texts that are right"
        raise wrong(path, number, f"{layout.label} is {json.dumps(label)[:60]}", hint)
    texts = [_text(one) for one in (label if several else [label])]
    if None in texts:
        raise wrong(
            path,
            number,
            f"{layout.label} is no text",
            "give text; numbers and truth values are read",
        )
    said = [text for text in texts if text is not None]
    if not all(text.strip() for text in said):
        raise wrong(path, number, f"{layout.label} is empty", "leave the row out")
    return tuple(dict.fromkeys(said))


def _text(value: Any) -> str | None:
    """Return a label as the text that it is, or that JSON writes for it."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None
