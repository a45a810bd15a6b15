"""``assay query``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from .failures import usage
from .page import Line, Page, Span, columns, faint

WIDE = 60
"""Characters of a cell that are shown; --json and --output have all of them."""


def query(run: Path, sql: str, /, *, limit: int = 50, output: Path | None = None) -> Page:
    """Ask a sealed run in SQL: one SELECT over the tables records, samples and timing.

    Args:
        run: A run's folder.
        sql: One SELECT; "group" is written in quotes.
        limit: Show at most this many rows.
        output: Write every row to this file instead, as .csv or .parquet.
    """
    from ..publish.query import SUFFIXES, query_to
    from ..publish.query import query as ask
    from ..publish.run import Run
    from ..store.outputs import check_output

    if limit < 1:
        raise usage(f"--limit {limit} is no number of rows", "for example --limit 50")
    if output is not None and output.suffix not in SUFFIXES:
        raise usage(
            f"--output is written as .csv or .parquet, not as {output.suffix or 'no suffix'!r}",
            "end the file's name in one of them",
        )
    check_output("--output", output)
    loaded = Run.load(run)
    if output is not None:
        n = query_to(loaded, sql, output)
        return Page(
            lines=[f"Wrote {_rows(n)} to {output}"], facts={"output": str(output), "rows": n}
        )
    found = ask(loaded, sql, limit=limit)
    table: list[tuple[str | Span, ...]] = [
        tuple(map(faint, found.columns)),
        *(tuple(map(_cell, row)) for row in found.rows),
    ]
    lines: list[Line] = [*columns(table)]
    if found.more:
        lines += ["", faint(f"The first {limit:,} rows; --limit N shows more, --output all.")]
    elif not found.rows:
        lines.append(faint("  no rows"))
    facts = {
        "run": str(run),
        "columns": list(found.columns),
        "rows": [[_plain(value) for value in row] for row in found.rows],
        "more": found.more,
    }
    return Page(lines=lines, facts=facts)


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"


def _plain(value: Any) -> Any:
    """Return what JSON can hold; numbers that it has no word for, dates and bytes become text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case list() | tuple():
            return [_plain(v) for v in value]
        case dict():
            return {str(k): _plain(v) for k, v in value.items()}
        case _:
            return str(value)
