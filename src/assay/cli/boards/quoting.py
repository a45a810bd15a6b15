"""``assay board reported``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..failures import usage
from ..page import Line, Page, Span, Style

if TYPE_CHECKING:
    from ...publish.board.reported import Reported
    from ...publish.board.tables import Wanted

Several = Annotated[tuple[str, ...], Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where the numbers stand, and what allows to quote them."""

    source: str
    """The address where the table stands."""

    date: str
    """Of the table, as 2023-09-15."""

    licence: str
    """What allows to quote it, as MIT."""

    title: str = ""
    """What people call the table; without it the name."""

    notice: Path | None = None
    """A text file with what the licence wants beside a copy."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What of the table is taken."""

    model: str = "model"
    """The column that names the model."""

    column: Several = ()
    """A column of numbers; may be repeated. Without it every column that has only numbers."""

    lower: Several = ()
    """A column of which less is better; may be repeated."""

    unit: str = ""
    """Of the numbers: share, points, usd, s, bytes, count or rate."""

    parameters: str | None = None
    """The column with the model's size; COLUMN=UNIT where a 1 in it is UNIT parameters."""

    most: str | None = None
    """Take only models with at most so many parameters, as 3B."""

    where: Several = ()
    """Take only rows that say this, as COLUMN=VALUE; may be repeated."""

    keep: Several = ()
    """Take only models whose name matches, as 'org/*'; may be repeated."""


def reported(
    file: Path, /, *, name: str, told: Told, taken: Taken | None = None, board: Path | None = None
) -> Page:
    """Quote a published score table on a board.

    Its numbers are marked reported, each with its line, and never ranked with measured ones.

    Args:
        file: The table: .csv whose first line names the columns, or .jsonl.
        name: What the board calls the table, as open-llm-leaderboard-2023.
        told: Where the numbers stand.
        taken: What of the table is taken.
        board: The board's folder; without it the current one.
    """
    from ...publish.board.folder import board_folder
    from ...publish.board.reported import write_reported
    from ...publish.board.tables import read_table

    folder = board_folder(board)
    about = {
        "title": told.title or name,
        "url": told.source,
        "date": told.date,
        "licence": told.licence,
        "notice": _notice(told.notice),
    }
    table = read_table(file, name, about, _wanted(taken or Taken()))
    return _page(table, write_reported(table, folder))


def _page(table: Reported, path: Path) -> Page:
    labels = [row.label for row in table.rows]
    twice = len(labels) - len(set(labels))
    numbers = sum(len(row.cells) for row in table.rows)
    shown = ", ".join(column.label for column in table.columns)
    lines: list[Line] = [
        f"Written: {path}",
        f"  {len(table.rows):,} rows, {numbers:,} numbers: {shown}",
    ]
    if twice:
        rows = "row has" if twice == 1 else "rows have"
        lines.append(Span(f"  {twice:,} {rows} the name of an earlier one.", Style.UNSURE))
    lines.append("They are shown as reported; nothing is computed from them.")
    facts = {
        "file": str(path),
        "rows": len(table.rows),
        "numbers": numbers,
        "columns": [column.id for column in table.columns],
        "same_name": twice,
    }
    return Page(lines=lines, facts=facts)


def _wanted(taken: Taken) -> Wanted:
    from ...publish.board.tables import Wanted, check_unit

    return Wanted(
        model=taken.model,
        columns=taken.column,
        lower=taken.lower,
        unit=check_unit(taken.unit),
        parameters=_size(taken.parameters),
        most=_most(taken),
        where=tuple(_pair(word) for word in taken.where),
        keep=taken.keep,
    )


def _pair(word: str) -> tuple[str, str]:
    column, sign, value = word.partition("=")
    if not sign or not column:
        what = f"--where needs COLUMN=VALUE, not {word!r}"
        raise usage(what, "for example --where date=2023-09-15")
    return column, value


def _size(word: str | None) -> tuple[str, float] | None:
    if word is None:
        return None
    column, sign, text = word.partition("=")
    try:
        unit = float(text) if sign else 1.0
    except ValueError:
        unit = 0.0
    if not column or not 0 < unit < float("inf"):
        hint = "write COLUMN, or COLUMN=1e9 where the table counts billions"
        raise usage(f"--parameters {word!r}", hint)
    return column, unit


def _most(taken: Taken) -> int | None:
    from ...publish.board.parameters import parse_parameters

    if taken.most is None:
        return None
    if taken.parameters is None:
        hint = "name the column that has it with --parameters"
        raise usage("--most needs to know the size of a model", hint)
    try:
        return parse_parameters(taken.most)
    except ValueError as error:
        raise usage(f"--most {taken.most!r} is no number of parameters", str(error)) from None


def _notice(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"--notice cannot be read: {error}", "name a text file in UTF-8") from None
