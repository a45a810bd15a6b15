"""A sealed run as Parquet files: made once under ``cache/``, for SQL.

Covered: two processes at once, a process killed in the middle, a damaged file, a run that was
sealed again, a folder that may not be written.  Needs DuckDB (the extra ``query``).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from .around import stays_in
from .canon import digest_file, read_plain
from .columns import MEASURED
from .journal import pieces
from .line import Decided, Line, decode_unchecked
from .rundir import RunDir, cell_of
from .samples import read_samples, target_facts
from .seal import journals
from .timed import read_timing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VERSION = 3
"""Of the tables' columns; files of another one are made again."""

COUNTED = frozenset({"tokens_in", "tokens_cached", "tokens_out", "calls", "peak_bytes", "cut"})
TABLES: Mapping[str, Mapping[str, str]] = {
    "records": {
        "task": "VARCHAR",
        "system": "VARCHAR",
        "seed": "BIGINT",
        "split": "VARCHAR",
        "sample": "VARCHAR",
        "attempt": "BIGINT",
        "group": "VARCHAR",
        "kind": "VARCHAR",
        "outcome": "VARCHAR",
        "value": "VARCHAR",
        "confidence": "DOUBLE",
        "reason": "VARCHAR",
        "proposal": "VARCHAR",
        "scores": "VARCHAR",
        "checks": "VARCHAR",
        **{name: "BIGINT" if name in COUNTED else "DOUBLE" for name in MEASURED},
    },
    "samples": {
        "task": "VARCHAR",
        "split": "VARCHAR",
        "sample": "VARCHAR",
        "group": "VARCHAR",
        "input": "VARCHAR",
        "answer": "VARCHAR",
        "bottom": "VARCHAR",
        "tags": "VARCHAR",
    },
    "timing": {
        "task": "VARCHAR",
        "process": "BIGINT",
        "system": "VARCHAR",
        "block": "BIGINT",
        "sample": "VARCHAR",
        "said": "VARCHAR",
        "latency_s": "DOUBLE",
        "busy_s": "DOUBLE",
        "cpu_s": "DOUBLE",
        "tokens_in": "BIGINT",
        "tokens_cached": "BIGINT",
        "tokens_out": "BIGINT",
        "first_token_s": "DOUBLE",
        "billed_usd": "DOUBLE",
        "peak_bytes": "BIGINT",
    },
}
"""Tables and their columns.  Values that are no text are JSON; what was not measured is NULL."""

MEMORY = "400MB"
"""For DuckDB, while tables are made; Python's lines come a megabyte at a time beside it."""


@contextmanager
def tables(run: RunDir) -> Iterator[Mapping[str, Path]]:
    """Give the Parquet files of a sealed run by table, made now if they are not there or damaged.

    The caller has seen to it that the run is as it was sealed.
    """
    seal = digest_file(run.seal).removeprefix("sha256:")
    kept = run.work / "tables" / f"{seal}-{VERSION}"
    if not _is_whole(kept):
        with tempfile.TemporaryDirectory() as elsewhere:
            made = _folder_beside(run, kept, Path(elsewhere))
            try:
                _make(run, made)
                if made.parent != kept.parent or not _settle(made, kept):
                    yield _paths(made)
                    return
            finally:
                shutil.rmtree(made, ignore_errors=True)
    yield _paths(kept)


def _folder_beside(run: RunDir, kept: Path, elsewhere: Path) -> Path:
    """Return a new folder, on the disk of the run where that may be written and no link leads out of it."""
    if not stays_in(run.root, kept):
        return Path(tempfile.mkdtemp(dir=elsewhere))
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=kept.parent))
    except OSError:
        return Path(tempfile.mkdtemp(dir=elsewhere))
    made.chmod(0o755)  # as readable as the rest of the run
    return made


def _settle(made: Path, kept: Path) -> bool:
    """Give a folder its name; whoever comes second keeps what the first one made."""
    if kept.exists() and not _is_whole(kept):
        shutil.rmtree(kept, ignore_errors=True)
    try:
        made.rename(kept)
    except OSError:
        return _is_whole(kept)
    return True


def _paths(folder: Path) -> dict[str, Path]:
    return {name: folder / f"{name}.parquet" for name in TABLES}


def _digests(folder: Path) -> dict[str, str]:
    return {name: digest_file(path) for name, path in _paths(folder).items()}


def _is_whole(folder: Path) -> bool:
    try:
        return bool(json.loads(read_plain(folder / "digests.json")) == _digests(folder))
    except (OSError, ValueError, RecursionError):
        return False


def _make(run: RunDir, folder: Path) -> None:
    from importlib import import_module

    connection: DuckDBPyConnection = import_module("duckdb").connect(str(folder / "staged"))
    try:
        connection.execute(f"SET memory_limit='{MEMORY}'")
        connection.execute("SET threads=1")
        for name, columns in TABLES.items():
            declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            connection.execute(f"CREATE TABLE {name} (cell INTEGER, {declared})")
        for number, path in enumerate(journals(run)):
            _put_cell(connection, run, path, number)
        _put(connection, "samples", _samples(run), 0)
        _put(connection, "timing", _timing(run), 0)
        for name, path in _paths(folder).items():
            connection.table(name).project("* EXCLUDE (cell)").write_parquet(
                str(path), compression="zstd"
            )
    finally:
        connection.close()
    (folder / "staged").unlink()
    (folder / "digests.json").write_text(json.dumps(_digests(folder)), "utf-8")


def _put_cell(connection: DuckDBPyConnection, run: RunDir, path: Path, number: int) -> None:
    cell = cell_of(run.root, path)
    where = (cell.task, cell.system, cell.seed, cell.split)
    crashed = False
    for piece in pieces(path):
        lines = [decode_unchecked(raw) for raw in piece.splitlines()]
        crashed = crashed or any(line.crashed for line in lines)
        _put(connection, "records", [(*where, *_record(line)) for line in lines], number)
    if crashed:
        # A later line supersedes an earlier crash.
        connection.execute(
            "DELETE FROM records WHERE cell = $1 AND rowid NOT IN "
            "(SELECT max(rowid) FROM records WHERE cell = $1 GROUP BY sample, attempt)",
            [number],
        )


def _put(
    connection: DuckDBPyConnection, table: str, rows: Iterable[tuple[Any, ...]], cell: int
) -> None:
    by_column = list(zip(*rows, strict=True))
    if not by_column:
        return
    arrays = {
        column: _array(values, kind)
        for (column, kind), values in zip(TABLES[table].items(), by_column, strict=True)
    }
    connection.register("piece", arrays)
    connection.execute(f"INSERT INTO {table} SELECT {cell}, * FROM piece")  # noqa: S608
    connection.unregister("piece")


def _array(values: Iterable[Any], kind: str) -> Any:
    if kind not in ("DOUBLE", "BIGINT"):
        return np.array(values, dtype=object)
    found = np.array(values, dtype=np.float64)
    if kind == "BIGINT":  # a journal may hold a count of any size; a table has no word for it
        found[np.abs(found) >= 2.0**63] = np.nan
    return found


def _record(line: Line) -> tuple[Any, ...]:
    d: Decided = line.decided
    proposal, sure = None, d.confidence
    if d.proposal is not None:
        proposal, sure = _text(d.proposal.value), d.proposal.confidence
    return (
        d.sample,
        d.attempt,
        d.group,
        d.kind,
        d.outcome,
        _text(d.value) if d.kind == "answer" else None,
        sure,
        d.reason or None,
        proposal,
        _text(d.scores) if d.scores else None,
        _text(d.checks) if d.checks else None,
        *(getattr(line.usage, name) for name in MEASURED),
    )


def _samples(run: RunDir) -> Iterator[tuple[Any, ...]]:
    for path in sorted((run.root / "samples").glob("*/*.jsonl")):
        for sample in read_samples(path):
            target = target_facts(sample.target) or {}
            answer = _text(target["answer"]) if "answer" in target else None
            yield (
                path.parent.name,
                path.stem,
                sample.id,
                sample.cluster,
                _text(sample.input),
                answer,
                target.get("bottom"),
                _text(sorted(sample.tags)),
            )


def _timing(run: RunDir) -> Iterator[tuple[Any, ...]]:
    names = tuple(TABLES["timing"])[2:]
    for path in sorted((run.root / "timing").glob("*/*.jsonl")):
        for line in read_timing(path):
            yield (path.parent.name, int(path.stem), *(getattr(line, name) for name in names))


def _text(value: Any) -> str:
    """Return text as it is, and anything else as JSON."""
    found = value if isinstance(value, str) else msgspec.json.encode(value).decode("utf-8")
    # A half of a surrogate pair is no text that a table can hold.
    return found.encode("utf-8", "replace").decode("utf-8")
