"""Public score tables, CSV or JSON Lines, read into what a board quotes.

Covered: a number that is none, a column that is not there, a file without end, text that hides.  Not
covered: a table whose numbers are wrong.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from pydantic import ValidationError

from ...core.errors import DataError, PlanError
from ...engine.overrides import nearest
from ...store.canon import digest_file
from ...store.manifest import first_fault
from ..hostile import visible
from ..interop.reading import read_jsonl, reading, wrong
from .naming import model_id
from .reported import MAX_COLUMNS, MAX_ROWS, Reported

MAX_FILE = 64 << 20
MOST_PARAMETERS = 10**15

Unit: TypeAlias = Literal["", "share", "points", "usd", "s", "bytes", "count", "rate"]
Line: TypeAlias = tuple[int, Mapping[str, str]]
"""The line of the file, and what it says under each head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a table is taken, and what its numbers are."""

    model: str = "model"
    """The column that names the model; case does not matter."""

    columns: Sequence[str] = ()
    """Columns of numbers; empty: every column that has nothing but numbers."""

    lower: Collection[str] = ()
    """Of these, the ones of which less is better."""

    unit: Unit = ""
    parameters: tuple[str, float] | None = None
    """A column with the size of a model, and how many parameters one unit of it is."""

    most: int | None = None
    """Models of at most so many parameters; of unknown size none."""

    where: Sequence[tuple[str, str]] = ()
    """Rows that say exactly this in a column."""

    keep: Sequence[str] = ()
    """Patterns of names, as ``org/*``; empty: every row."""


def read_table(path: Path, name: str, source: Mapping[str, str], wanted: Wanted) -> Reported:
    """Return a public table, strictly: a cell is a finite number, or empty for *not reported*.

    ``source`` has title, url, date, licence and notice.  Raises ``DataError`` A200 with the line for a
    file that is no such table, ``PlanError`` A103 for a column that is not there, A106 for an option that
    cannot be.
    """
    lines = _lines(path)
    heads = list(lines[0][1])
    model = _column(heads, wanted.model)
    size = _column(heads, wanted.parameters[0]) if wanted.parameters else None
    filters = [(_column(heads, column), value) for column, value in wanted.where]
    lower = {_column(heads, column) for column in wanted.lower}
    aside = {model, size, *(column for column, _ in filters)}
    unit = wanted.parameters[1] if wanted.parameters else 1.0
    kept = [
        (line, cells)
        for line, cells in lines
        if all(cells[column] == value for column, value in filters)
        and (not wanted.keep or any(fnmatchcase(cells[model], p) for p in wanted.keep))
    ]
    if size and wanted.most is not None:
        kept = [
            (line, cells)
            for line, cells in kept
            if (found := _size(path, line, cells[size], unit)) and found <= wanted.most
        ]
    if not kept:
        raise PlanError(
            f"no row of {path.name} is wanted",
            where=str(path),
            hint="look at --where, --keep and --most; the first row says "
            + ", ".join(f"{head}={lines[0][1][head]}" for head, _ in [*filters, (model, "")]),
            code="A106",
        )
    if wanted.columns:
        columns = [_column(heads, column) for column in wanted.columns]
    else:
        columns = [h for h in heads if h not in aside and _has_numbers(kept, h)]
    if not columns or len(columns) > MAX_COLUMNS:
        what = f"{len(columns)} columns of numbers: a table has 1 to {MAX_COLUMNS}"
        raise PlanError(what, where=str(path), hint="name them with --column", code="A106")
    return _made(
        {
            "name": name,
            "source": {**source, "file": path.name, "digest": digest_file(path)},
            "columns": [
                {
                    "id": model_id(head),
                    "label": head,
                    "unit": wanted.unit,
                    "better": "lower" if head in lower else "higher",
                }
                for head in columns
            ],
            "rows": [
                _row(path, line, cells, model=model, columns=columns)
                | ({"parameters": _size(path, line, cells[size], unit)} if size else {})
                for line, cells in kept
            ],
        },
        path,
    )


def check_unit(text: str) -> Unit:
    """Return a unit; raise ``PlanError`` A106 for any other word."""
    for unit in get_args(Unit):
        if unit == text:
            found: Unit = unit
            return found
    known = ", ".join(filter(None, get_args(Unit)))
    raise PlanError(f"{text!r} is no unit", where="--unit", hint=f"one of {known}", code="A106")


def _row(
    path: Path, line: int, cells: Mapping[str, str], *, model: str, columns: Sequence[str]
) -> dict[str, Any]:
    label = cells[model]
    if not label or visible(label) != label:
        what = f"the name of a model is {visible(label)!r}"
        raise wrong(what, f"{path}:{line}", "every row names its model, in letters that show")
    numbers = {model_id(h): _number(cells[h], h, f"{path}:{line}") for h in columns if cells[h]}
    return {"label": label, "hf_repo": _repo(label), "line": line, "cells": numbers}


def _repo(label: str) -> str | None:
    org, slash, name = label.partition("/")
    plain = all(
        part
        and part[0].isalnum()
        and part.isascii()
        and all(c.isalnum() or c in "._-" for c in part)
        for part in (org, name)
    )
    return label if slash and plain and max(len(org), len(name)) <= 96 else None


def _size(path: Path, line: int, text: str, unit: float) -> int | None:
    """Return how many parameters; None where the table says nothing or nought."""
    if not text:
        return None
    found = _number(text, "the size", f"{path}:{line}") * unit
    if not 0 <= found < MOST_PARAMETERS:
        raise wrong(f"a model of {found:g} parameters", f"{path}:{line}", "see --parameters")
    return round(found) or None


def _made(facts: Mapping[str, Any], path: Path) -> Reported:
    try:
        return Reported.model_validate(facts)
    except ValidationError as error:
        place, message = first_fault(error)
        said = message.removeprefix("Value error, ")
        raise PlanError(
            f"{place or 'the table'}: {said[0].lower()}{said[1:]}",
            where=str(path),
            hint="see docs/board.md for what a reported table has",
            code="A106",
        ) from None


def _column(heads: Sequence[str], name: str) -> str:
    found = next((h for h in heads if h == name), None)
    found = found or next((h for h in heads if h.lower() == name.lower()), None)
    if found is None:
        what = f"the table has no column {name!r}"
        raise PlanError(what, hint=nearest(name, list(heads)), code="A103")
    return found


def _has_numbers(rows: Sequence[Line], head: str) -> bool:
    """Whether a column that was not named has numbers; raises where only some of it has."""
    wordy = [line for line, cells in rows if cells[head] and _parsed(cells[head]) is None]
    filled = sum(bool(cells[head]) for _, cells in rows)
    if wordy and len(wordy) < filled:
        what = f"the column {head!r} has numbers, and text on line {wordy[0]}"
        raise PlanError(what, hint="name the columns you want with --column", code="A106")
    return bool(filled) and not wordy


def _number(text: str, name: str, where: str) -> float:
    found = _parsed(text)
    if found is None:
        hint = "write a number with a point; leave the cell empty where nothing was reported"
        raise wrong(f"{name} is {visible(text, 40)!r}, which is no finite number", where, hint)
    return found


def _parsed(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in text and text.isascii() else None


def _lines(path: Path) -> list[Line]:
    """Return every line of a table; all have the same columns."""
    with reading(path):
        too_large = path.stat().st_size > MAX_FILE
    if too_large:
        raise wrong(f"the table is larger than {MAX_FILE >> 20} MB", str(path), "take a part of it")
    made = list(_json_lines(path) if path.suffix == ".jsonl" else _csv_lines(path))
    if not made:
        raise wrong("the table is empty", str(path), "the first line names the columns")
    if len(made) > MAX_ROWS:
        raise wrong(f"the table has more than {MAX_ROWS:,} rows", str(path), "take a part of it")
    return made


def _json_lines(path: Path) -> Iterator[Line]:
    heads: list[str] | None = None
    for where, value in read_jsonl(path):
        line = int(where.rpartition(":")[2])
        heads = heads or list(value)
        if list(value) != heads:
            raise wrong("this line has other keys than the first", where, "mend the line")
        yield line, {name: _text(one, where) for name, one in value.items()}


def _text(value: Any, where: str) -> str:
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool() | list() | dict():
            raise wrong(f"a cell is {value!r:.40}", where, "a cell is a text or a number")
        case _:
            return str(value)


def _csv_lines(path: Path) -> Iterator[Line]:
    with reading(path):
        raw = path.read_bytes()
    try:
        lines = csv.reader(StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        heads = [head.strip() for head in next(lines, [])]
        if len(set(heads)) != len(heads):
            raise wrong("two columns have the same name", f"{path}:1", "keep one of them")
        line = lines.line_num + 1
        for cells in lines:
            if cells and len(cells) != len(heads):
                what = f"{len(cells)} cells where the head has {len(heads)}"
                hint = "put texts with a comma into quotes"
                raise wrong(what, f"{path}:{line}", hint)
            if cells:
                yield line, dict(zip(heads, map(str.strip, cells), strict=True))
            line = lines.line_num + 1
    except (csv.Error, UnicodeDecodeError) as error:
        hint = "save the table as CSV in UTF-8, with commas"
        raise DataError(f"this is not CSV: {error}", where=str(path), hint=hint) from None
