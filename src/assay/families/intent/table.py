"""Labelled prompts from a CSV or JSON Lines file, read once, strictly, a line at a time.

*Covered*: every row that cannot be used is an error with its line; sizes are bounded before
memory is: a row, a field, the number of rows and their total length, what a ``.gz`` unpacks to.
*Not covered*: encodings other than UTF-8, separators other than the comma, other compression.
"""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import DataError
from assay.lines import lines, wrong

from .likeness.normal import plain

MOST_ROWS = 1_000_000
MOST_FIELD = 100_000
"""Characters of one field."""

MOST_TEXT = 300_000_000
"""Characters of all prompts together: what fits into memory beside the rest."""

SPLIT_WORDS = {
    "train": ("train", "training"),
    "tune": ("tune", "validation", "valid", "val", "dev"),
    "calibration": ("calibration", "calib", "cal"),
    "test": ("test",),
}
"""What a data set calls its parts, in any casing."""

_SPLIT_OF = {word: split for split, words in SPLIT_WORDS.items() for word in words}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what."""

    prompt: str = "prompt"
    label: str = "label"
    group: str | None = None
    none: str = "none"
    """The label of prompts that have no answer, in any casing; an empty label says the same."""

    split: str | None = None
    """The column with the data set's own split."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled prompt, and the line where it begins."""

    line: int
    prompt: str
    label: str
    """Empty: the right answer is to decline."""

    group: str
    """Empty: not given."""

    split: str = ""
    """``train``, ``tune``, ``calibration`` or ``test``; empty: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The different rows of a file."""

    path: Path
    rows: tuple[Row, ...]
    duplicates: int
    """Rows left out because their prompt and label stand on an earlier line."""


def read_table(path: Path, columns: Columns) -> Table:
    """Read a file; its name ends in ``.jsonl`` or it is CSV, and either may be packed (``.gz``).

    Rows that say the same are one; in a data set with a split of its own only inside a part, for
    across parts they are a leak.  Raises ``DataError`` with the line for what ``read_rows`` refuses,
    and for two rows (of one part) with the same prompt and different labels.
    """
    rows: list[Row] = []
    seen: dict[tuple[str, str], Row] = {}
    clashes: list[tuple[Row, Row]] = []
    duplicates = 0
    for row in read_rows(path, columns):
        if (earlier := seen.setdefault((row.split, row.prompt), row)) is not row:
            if earlier.label != row.label:
                clashes.append((earlier, row))
            duplicates += 1
        else:
            rows.append(row)
    if clashes:
        earlier, row = clashes[0]
        more = f" (and {len(clashes) - 1} more such pairs)" if len(clashes) > 1 else ""
        raise wrong(
            path,
            row.line,
            f"line {earlier.line} has the same prompt with the label "
            f"{earlier.label or columns.none!r}, not {row.label or columns.none!r}{more}",
            "keep one of them; `assay intent audit` lists them all",
        )
    return Table(path=path, rows=tuple(rows), duplicates=duplicates)


def read_rows(path: Path, columns: Columns) -> Iterator[Row]:
    """Yield every row of a file, duplicates and contradictions included.

    Raises ``DataError`` with the line for a file that cannot be read, a missing column, a prompt
    that is empty or shows nothing, bytes that are not UTF-8, a NUL, a label that is not text, a
    split of another name than those of ``SPLIT_WORDS``, and sizes over the limits.
    """
    count = length = 0
    kind = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    read = _json_rows if kind.suffix.lower() == ".jsonl" else _csv_rows
    for row in read(path, columns):
        count, length = count + 1, length + len(row.prompt)
        if count > MOST_ROWS or length > MOST_TEXT:
            raise wrong(
                path,
                row.line,
                f"the file has more than {MOST_ROWS:,} rows or {MOST_TEXT:,} characters",
                "take a random sample of it",
            )
        yield row


def _csv_rows(path: Path, columns: Columns) -> Iterator[Row]:
    reader = csv.reader((text for _, text in lines(path)), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise wrong(path, line, f"not CSV: {error}", "look for an unclosed quote") from None
        if fields is None:
            break
        if not fields:
            continue
        if header is None:
            header = [name.strip() for name in fields]
            _check_header(path, line, header, columns)
            continue
        if len(fields) != len(header):
            raise wrong(
                path,
                line,
                f"the row has {len(fields)} fields, the header has {len(header)}",
                "put quotes around text that has commas or line ends",
            )
        yield _row(path, line, dict(zip(header, fields, strict=True)), columns)
    if header is None:
        raise DataError(
            "the file is empty", where=str(path), hint="begin with a header: prompt,label"
        )


def _check_header(path: Path, line: int, header: Sequence[str], columns: Columns) -> None:
    for name in _wanted(columns):
        if name not in header:
            raise _no_column(path, line, name, header)
        if header.count(name) > 1:
            raise wrong(path, line, f"two columns are called {name!r}", "rename one of them")


def _json_rows(path: Path, columns: Columns) -> Iterator[Row]:
    for line, text in lines(path):
        if not text.strip():
            continue
        try:
            found = json.loads(text, object_pairs_hook=_each_once)
        except (ValueError, RecursionError) as error:
            raise wrong(
                path, line, f"not JSON: {error}", "write one JSON object on each line"
            ) from None
        if not isinstance(found, dict):
            raise wrong(
                path, line, "the line is not a JSON object", 'write {"prompt": ..., "label": ...}'
            )
        for name in _wanted(columns):
            if name not in found:
                raise _no_column(path, line, name, list(found))
        yield _row(path, line, found, columns)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _wanted(columns: Columns) -> list[str]:
    others = [name for name in (columns.group, columns.split) if name]
    return [columns.prompt, columns.label, *others]


def _row(path: Path, line: int, found: Mapping[str, Any], columns: Columns) -> Row:
    prompt = found[columns.prompt]
    if not isinstance(prompt, str):
        raise wrong(path, line, f"the {columns.prompt} is not text: {str(prompt)[:60]!r}")
    if not prompt.strip():
        raise wrong(path, line, f"the {columns.prompt} is empty", "leave the row out")
    if not plain(prompt):
        raise wrong(
            path, line, f"the {columns.prompt} shows nothing: {prompt[:20]!r}", "leave it out"
        )
    label = _name(path, line, columns.label, found[columns.label])
    group = _name(path, line, columns.group, found[columns.group]) if columns.group else ""
    for text in (prompt, label, group):
        if len(text) > MOST_FIELD:
            raise wrong(
                path, line, f"a field has {len(text):,} characters, more than {MOST_FIELD:,}"
            )
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            raise wrong(path, line, "a field has half of a surrogate pair", "mend the escape")
        if "\0" in text:
            raise wrong(path, line, "a field has a NUL", "leave it out")
    if label.casefold() == columns.none.strip().casefold():
        label = ""
    split = _split(path, line, columns.split, found[columns.split]) if columns.split else ""
    return Row(line, prompt, label, group, split)


def _split(path: Path, line: int, column: str, value: object) -> str:
    said = _name(path, line, column, value)
    if (split := _SPLIT_OF.get(said.casefold())) is None:
        known = ", ".join(_SPLIT_OF)
        near = difflib.get_close_matches(said.casefold(), _SPLIT_OF, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"write one of {known}"
        raise wrong(path, line, f"the {column} {said[:40]!r} is none that is known", hint)
    return split


def _name(path: Path, line: int, column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise wrong(
            path, line, f"the {column} is not text: {str(value)[:60]!r}", "write it as a string"
        )
    return str(value).strip()


def _no_column(path: Path, line: int, name: str, present: Sequence[str]) -> DataError:
    near = difflib.get_close_matches(name, present, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "name a column that is there"
    if any(";" in column or "\t" in column for column in present):
        hint = "separate the columns with commas"
    listed = ", ".join(repr(column[:40]) for column in present[:12])
    return wrong(path, line, f"no column is called {name!r} (there are {listed})", hint)
