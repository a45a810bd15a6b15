"""A table as its file has it: CSV or JSON Lines, read once, strictly, a line at a time.

*Covered*: rows of another length than the header, columns with one name, bytes that are no UTF-8,
JSON that says a key twice, and sizes, each an error with its line; sizes before memory is taken.
*Not covered*: encodings other than UTF-8, separators other than the comma, compression but ``.gz``.
"""

from __future__ import annotations

import csv
import difflib
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from assay import DataError
from assay.lines import lines, wrong

MOST_ROWS = 1_000_000
MOST_COLUMNS = 2_000
MOST_CELLS = 20_000_000
MOST_FIELD = 1_000
"""Characters of one field."""

MISSING = ("", "na", "n/a", "nan", "null")
"""What stands where nothing was measured, in any casing; in JSON ``null``, too."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)

Cell: TypeAlias = str | float | None
"""Text, a number, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Every row of a file, and where it begins."""

    path: Path
    names: tuple[str, ...]
    lines: Sequence[int]
    rows: Sequence[Sequence[Cell]]

    def place(self, name: str) -> int:
        """Return where a column stands; ``DataError`` A200 when there is none, with the nearest."""
        if name in self.names:
            return self.names.index(name)
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "name a column that is there"
        if any(";" in column or "\t" in column for column in self.names):
            hint = "separate the columns with commas"
        listed = ", ".join(repr(column[:40]) for column in self.names[:12])
        raise DataError(
            f"no column is called {name!r} (there are {listed})", where=str(self.path), hint=hint
        )

    def places(self, name: str) -> list[int]:
        """Return where the columns of a name stand: one, or the parts of a JSON list, ``x[0]`` ..."""
        part = re.compile(rf"{re.escape(name)}\[[0-9]+\]")
        parts = [i for i, known in enumerate(self.names) if part.fullmatch(known)]
        return [self.place(name)] if name in self.names or not parts else parts

    def wrong(self, row: int, what: str, hint: str) -> DataError:
        """Return the error of a row."""
        return wrong(self.path, self.lines[row], what, hint)


def read_sheet(path: Path) -> Sheet:
    """Read a file: JSON Lines if its name ends in ``.jsonl``, else CSV with a header; or its ``.gz``.

    A list of numbers in JSON becomes a column for each, ``x[0]``, ``x[1]``.  Raises ``DataError``
    A200 with the line for what cannot be read, and for a file without rows.
    """
    kind = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    found = (_json if kind.suffix.lower() == ".jsonl" else _csv)(path)
    names: tuple[str, ...] = ()
    at: list[int] = []
    rows: list[list[Cell]] = []
    for line, fields in found:
        if not names:
            names = tuple(str(field) for field in fields)
            _check_names(path, line, names)
            continue
        if len(fields) != len(names):
            raise wrong(
                path,
                line,
                f"the row has {len(fields)} fields, the table {len(names)} columns",
                "give every row every column; leave a field empty where nothing was measured",
            )
        if len(rows) >= MOST_ROWS or len(rows) * len(names) >= MOST_CELLS:
            raise wrong(
                path,
                line,
                f"the table has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} fields",
                "take a random sample of it",
            )
        if any(isinstance(field, str) and len(field) > MOST_FIELD for field in fields):
            raise wrong(path, line, f"a field has more than {MOST_FIELD:,} characters")
        at.append(line)
        rows.append(fields)
    if not rows:
        raise DataError("the table has no rows", where=str(path), hint="give a header and rows")
    return Sheet(path=path, names=names, lines=at, rows=rows)


def read_cell(sheet: Sheet, row: int, column: int) -> Cell:
    """Return a field as a number where it is one, as nothing where it is missing, else as text.

    Raises ``DataError`` A200 with the line for a number that is not finite.

    >>> rows = [["1e3", " x ", "NA", 2]]
    >>> sheet = Sheet(path=Path("t.csv"), names=("a", "b", "c", "d"), lines=[2], rows=rows)
    >>> [read_cell(sheet, 0, column) for column in range(4)]
    [1000.0, 'x', None, 2.0]
    """
    found = sheet.rows[row][column]
    text = found.strip() if isinstance(found, str) else ""
    if found is None or (isinstance(found, str) and text.lower() in MISSING):
        return None
    if isinstance(found, str) and not _NUMBER.fullmatch(text) and not _INFINITE.fullmatch(text):
        return text
    try:
        number = float(found)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise sheet.wrong(
            row,
            f"{sheet.names[column]!r} is not finite: {str(found)[:40]}",
            "write the number, or leave the field empty where there is none",
        )
    return number


def _check_names(path: Path, line: int, names: Sequence[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise wrong(path, line, f"the table has more than {MOST_COLUMNS:,} columns")
    for place, name in enumerate(names):
        if not name:
            raise wrong(path, line, f"column {place + 1} has no name", "name it in the header")
        if name in names[:place]:
            raise wrong(path, line, f"two columns are called {name!r}", "rename one of them")
    if all(_NUMBER.fullmatch(name) for name in names):
        raise wrong(path, line, "the header is a row of numbers", "begin with the columns' names")


def _csv(path: Path) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader((text for _, text in lines(path)), strict=True)
    header = True
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise wrong(path, line, f"not CSV: {error}", "look for an unclosed quote") from None
        if fields is None:
            return
        if fields:
            yield line, [field.strip() for field in fields] if header else list(fields)
            header = False


def _json(path: Path) -> Iterator[tuple[int, list[Cell]]]:
    shape: list[tuple[str, int]] = []
    for line, text in lines(path):
        if not text.strip():
            continue
        found = _object(path, line, text)
        if not shape:
            # 0: one field; else a list of so many.
            shape = [(k, len(v) if isinstance(v, list) else 0) for k, v in found.items()]
            names: list[Cell] = []
            for key, width in shape:
                names += [f"{key}[{i}]" for i in range(width)] if width else [key]
            yield line, names
        yield line, _fields(path, line, found, shape)


def _fields(
    path: Path, line: int, found: dict[str, Any], shape: Sequence[tuple[str, int]]
) -> list[Cell]:
    known = {key for key, _ in shape}
    if other := known.symmetric_difference(found):
        raise wrong(
            path,
            line,
            f"{min(other)!r} stands in this row or in the first, not in both",
            "give every row every column; write null where nothing was measured",
        )
    made: list[Cell] = []
    for key, width in shape:
        value = found[key]
        several = value if width else [value]
        if not isinstance(several, list) or (width and len(several) != width):
            raise wrong(path, line, f"{key!r} is no list of {width}, as in the first row")
        for one in several:
            if isinstance(one, bool):
                made.append(str(one).lower())
            elif one is None or isinstance(one, str | int | float):
                made.append(one)
            else:
                raise wrong(path, line, f"{key!r} is neither a number nor text: {str(one)[:40]}")
    return made


def _object(path: Path, line: int, text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError("a key stands there twice")
        return made

    try:
        found = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise wrong(
            path, line, f"not JSON: {error}", "write one JSON object on each line"
        ) from None
    if not isinstance(found, dict) or not found:
        raise wrong(path, line, "the line is not a JSON object", 'write {"x": ..., "y": ...}')
    return found
