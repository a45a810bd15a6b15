"""SQL over a sealed run, which reads its records and nothing else.

Covered: statements that write, attach, install or set; files and addresses named in a query; a
question that needs more memory than it may have.  Not covered: a query that takes for ever.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import PlanError, PluginError
from ..store.canon import disk_errors, final, is_special, part_of, pour
from ..store.parquet import TABLES, tables
from .run import Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "700MB"
"""For one query; what needs more is refused, or put into a folder that is deleted afterwards."""

SUFFIXES = (".csv", ".parquet")

_FORMULA = r"^[\s\x00]*[=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
"""What a spreadsheet takes for the beginning of a formula, as DuckDB spells it."""

_NUMBERS = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$")
"""Of the other types, bytes, unions and enumerations among them, a value may be written as any text."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a query found."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    """Whether there are rows beyond the limit."""


def query(run: Run, sql: str, *, limit: int) -> Answered:
    """Ask a sealed run in SQL; see ``TABLES`` for what there is.

    Raises ``PluginError`` A401 without DuckDB, ``PlanError`` A106 for what is no single question.
    """
    with _asked(run, sql) as connection, _sql_errors(sql):
        found = connection.execute(sql)
        columns = tuple(column[0] for column in found.description or ())
        rows = found.fetchmany(limit + 1)
        return Answered(columns, tuple(rows[:limit]), len(rows) > limit)


def query_to(run: Run, sql: str, output: Path) -> int:
    """Ask a sealed run in SQL, write every row as .csv or .parquet, and return how many.

    Raises as ``query`` does, and ``RunError`` A500 when the disk says no.
    """
    with disk_errors(output):
        special, target = is_special(output), final(output)
    if special:
        # DuckDB writes files: a pipe or a device is given what one holds.
        with tempfile.TemporaryDirectory() as folder:
            n = query_to(run, sql, made := Path(folder) / output.name)
            with disk_errors(output):
                pour(made.read_bytes(), output)
        return n
    part = part_of(target)
    try:
        with _asked(run, sql, part.absolute()) as connection, _sql_errors(sql):
            found: Any = connection.sql(sql)
            if output.suffix == ".csv":
                harmless = found.project(", ".join(_cells(connection, found)))
                harmless.write_csv(str(part.absolute()), use_tmp_file=False)
            else:
                found.write_parquet(str(part.absolute()))
            n = _count(part, output.suffix)
        with disk_errors(output):
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return n


@contextmanager
def _asked(run: Run, sql: str, *writes: Path) -> Iterator[DuckDBPyConnection]:
    """Give a locked connection, once the query is known to be one SELECT."""
    if find_spec("duckdb") is None:
        raise PluginError(
            "duckdb is not installed",
            where=str(run.path),
            hint="run pip install 'assay-eval[query]'",
            code="A401",
        )
    with tables(run.dir) as paths, tempfile.TemporaryDirectory() as spill:
        connection: DuckDBPyConnection = import_module("duckdb").connect()
        try:
            _lock(connection, paths, spill, writes)
            with _sql_errors(sql):
                _require_question(connection, sql)
            yield connection
        finally:
            connection.close()


def _lock(connection: DuckDBPyConnection, paths: Any, spill: str, writes: tuple[Path, ...]) -> None:
    """Leave a connection able to read these files, to write those, and nothing else."""
    allowed = [*(p.absolute() for p in paths.values())]
    for path in writes:
        allowed += [path, path.with_name(f"tmp_{path.name}")]
    said = ", ".join(_quoted(str(path)) for path in allowed)
    for setting in (
        f"memory_limit='{MEMORY}'",
        f"temp_directory={_quoted(spill)}",
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
        "python_enable_replacements=false",
        f"allowed_paths=[{said}]",
        "enable_external_access=false",
    ):
        connection.execute(f"SET {setting}")
    for name, path in paths.items():
        source = _quoted(_literal(path.absolute()))
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({source})")  # noqa: S608
    connection.execute("SET lock_configuration=true")


def _require_question(connection: DuckDBPyConnection, sql: str) -> None:
    duckdb = import_module("duckdb")
    asked = connection.extract_statements(sql)
    if len(asked) != 1 or asked[0].type != duckdb.StatementType.SELECT:
        raise PlanError(
            "a query is one SELECT: nothing is written, attached or set",
            where=_short(sql),
            hint=f"ask about {', '.join(TABLES)}; --output FILE.csv or FILE.parquet keeps the rows",
            code="A106",
        )


@contextmanager
def _sql_errors(sql: str) -> Iterator[None]:
    """Raise A106 for what DuckDB refuses."""
    try:
        yield
    except import_module("duckdb").Error as error:
        what = str(error).partition("\n")[0].strip() or type(error).__name__
        raise PlanError(
            f"the query cannot be answered: {what}",
            where=_short(sql),
            hint="tables are " + ", ".join(TABLES) + '; write "group" in quotes: SQL has the word',
            code="A106",
        ) from error


def _count(path: Path, suffix: str) -> int:
    duckdb = import_module("duckdb")
    reader = "read_csv" if suffix == ".csv" else "read_parquet"
    with duckdb.connect() as connection:
        source = _quoted(_literal(path.absolute()))
        options = ", header=true, all_varchar=true" if suffix == ".csv" else ""
        found = connection.execute(f"SELECT count(*) FROM {reader}({source}{options})")  # noqa: S608
        return int(found.fetchall()[0][0])


def _cells(connection: DuckDBPyConnection, found: Any) -> Iterator[str]:
    """Yield the columns of a CSV file of which no spreadsheet runs a cell, names of columns among them."""
    for i, (name, kind) in enumerate(zip(found.columns, found.types, strict=True), 1):
        text = f"#{i}" if str(kind) == "VARCHAR" else f"CAST(#{i} AS VARCHAR)"
        column = f"#{i}" if _NUMBERS.match(str(kind)) else _harmless(text)
        [[head]] = connection.execute(f"SELECT {_harmless(_quoted(name))}").fetchall()
        yield column + ' AS "{}"'.format(head.replace('"', '""'))


def _harmless(text: str) -> str:
    """Return ``assay.visible.cell`` of a text, said in SQL; what is a number stays as it is."""
    runs = f"regexp_matches({text}, {_quoted(_FORMULA)}) AND TRY_CAST({text} AS DOUBLE) IS NULL"
    return f"CASE WHEN {runs} THEN chr(39) || {text} ELSE {text} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal(path: Path) -> str:
    """Return a path in which nothing is a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def _short(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
