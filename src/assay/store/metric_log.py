"""Metric logs: what training and results came to, one JSON line per record, with a version.

Covered: a process killed at any byte, and a disk that fills up (a line is there whole or, at the end
of the file, cut off; whoever appends cuts it off for good), lines of other schema versions, numbers
that are none.  Not covered: two loggers that open one file at the same moment; edits that leave a line
well formed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, get_args

import msgspec

from ..core.errors import DataError, SealError
from .canon import canonical, disk_errors, sync
from .metric_record import Direction, MetricRecord, Phase

SCHEMA_NAME: Final = "assay.metric-log"
SCHEMA_VERSION: Final = 1
"""Bump it when a reader of the older version would misread a line."""

MOST_LINE = 1_000_000
"""Bytes of one line."""

BEGINNINGS = (b'{"better":', b'{"context":')
"""How a line begins: its keys are sorted."""


class JsonlLogger:
    """Appends records to a log; each is with the operating system when the call returns.

    ``better`` says of metrics whether higher or lower is better; reports then name the best step.
    A line that an earlier process left unfinished is cut off.  Raises ``DataError`` A200 where
    ``better`` says something else, and where the file is there and is no log, ``SealError`` A302 where it is one of another schema version, and
    ``RunError`` A500 when the disk says no.

    >>> import tempfile
    >>> from assay.logs import metric_log_record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "log.jsonl"
    ...     with JsonlLogger(path, better={"loss": "lower"}) as log:
    ...         log(metric_log_record({"loss": 0.5}, phase="train", step=1))
    ...     [record.metrics["loss"] for record in read_metric_log(path)]
    [0.5]
    """

    def __init__(self, path: Path | str, *, better: Mapping[str, Direction] | None = None) -> None:
        self._path, self._better = Path(path), dict(better or {})
        for name, way in self._better.items():
            if way not in get_args(Direction):
                raise DataError(
                    f"`better` says {way!r} of {name!r}", hint="say 'higher' or 'lower'"
                )
        with disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _mend(self._path)
            self._file = self._path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, record: MetricRecord) -> None:
        """Append a record.  Raises ``DataError`` A200 for anything else."""
        if not isinstance(record, MetricRecord):
            raise DataError(
                f"a {type(record).__name__} is no record of a log",
                hint="make one with `metric_log_record(metrics, phase=...)`",
            )
        line = line_of(record, self._better)
        with disk_errors(self._path):
            before = os.fstat(self._file.fileno()).st_size
            try:
                left = memoryview(line)
                while left:  # as a rule once: a kill meets the line before it or behind it
                    left = left[os.write(self._file.fileno(), left) :]
            except OSError:
                os.ftruncate(self._file.fileno(), before)
                raise

    def close(self) -> None:
        """Wait until the disk has everything, and close the file."""
        if self._file.closed:
            return
        with disk_errors(self._path):
            try:
                sync(self._file.fileno())
            finally:
                self._file.close()


def line_of(record: MetricRecord, better: Mapping[str, Direction] | None = None) -> bytes:
    """Return a record as a line of a log; equal records are equal bytes."""
    ways = {name: way for name, way in (better or {}).items() if name in record.metrics}
    ways |= record.better
    told = {
        "schema_name": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "phase": record.phase,
        "record_type": record.record_type,
        "step": record.step,
        "context": dict(record.context),
        "metrics": dict(record.metrics),
        **({"better": ways} if ways else {}),
    }
    return canonical(told) + b"\n"


def read_metric_log(path: Path | str) -> Iterator[MetricRecord]:
    """Yield the records of a log, in their order.

    Raises ``DataError`` A200 with ``file:line`` for a line that is damaged, cut off or of another kind
    of file, and for a file that is empty or cannot be read; ``SealError`` A302 for a line of another
    schema version.
    """
    where, number = Path(path), 0
    try:
        with where.open("rb") as file:
            while line := file.readline(MOST_LINE + 1):
                number += 1
                yield record_of(line, f"{path}:{number}", first=number == 1)
    except OSError as error:
        raise DataError(
            f"the log cannot be read: {error.strerror or error}",
            where=str(path),
            hint="name a .jsonl file that `assay.logs.JsonlLogger` wrote",
        ) from None
    if not number:
        raise DataError("the log is empty", where=str(path), hint="log a record first")


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    schema_name: str
    schema_version: int
    phase: Phase
    record_type: str
    step: int | None
    context: dict[str, str | int | float | bool | None]
    metrics: dict[str, int | float | None]
    better: dict[str, Direction] = {}


def record_of(line: bytes, where: str, *, first: bool = False) -> MetricRecord:
    """Return the record of one line; the ``first`` tells what is no log.  Raises as ``read_metric_log``."""
    if not line.endswith(b"\n"):
        long = len(line) > MOST_LINE
        raise DataError(
            f"the line is longer than {MOST_LINE:,} bytes" if long else "the line is cut off",
            where=where,
            hint="log less in one record" if long else "remove it: the process ended inside of it",
        )
    try:
        raw: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(
            f"the line is not JSON: {error}",
            where=where,
            hint="name a .jsonl file that `assay.logs.JsonlLogger` wrote"
            if first
            else "remove the line",
        ) from None
    name = raw.get("schema_name") if isinstance(raw, dict) else None
    if name != SCHEMA_NAME:
        raise DataError(
            f"the line is no record of a metric log: its schema_name is {name!r}",
            where=where,
            hint=f"lines begin with {SCHEMA_NAME!r}; `assay.logs.JsonlLogger` writes them",
        )
    version = raw.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise SealError(
            f"schema version {version!r}, but this assay reads version {SCHEMA_VERSION} of a log",
            where=where,
            hint="read it with the assay that wrote it",
            code="A302",
        )
    try:
        found = msgspec.convert(raw, _Line)
        return MetricRecord(
            metrics=found.metrics,
            phase=found.phase,
            step=found.step,
            context=found.context,
            record_type=found.record_type,
            better=found.better,
        )
    except msgspec.ValidationError as error:
        raise DataError(f"the line is damaged: {error}", where=where, hint="remove it") from None


def _mend(path: Path) -> None:
    """Cut off a line that is not whole; refuse a file that is no log."""
    if not path.exists() or not (size := path.stat().st_size):
        return
    with path.open("r+b") as file:
        first = file.readline(MOST_LINE + 1)
        if not first.endswith(b"\n"):
            begun = any(first[: len(b)] == b[: len(first)] for b in BEGINNINGS)
            if not begun or len(first) > MOST_LINE:
                record_of(
                    first, f"{path}:1", first=True
                )  # raises: this is no log, and nothing is cut off
            file.truncate(0)
            return
        record_of(first, f"{path}:1", first=True)
        file.seek(max(0, size - MOST_LINE))
        tail = file.read()
        if not tail.endswith(b"\n"):
            file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
