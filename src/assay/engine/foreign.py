"""Logs of other tools: what a reader of one gives, and how it is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from ..core.claim import Published
from ..core.errors import DataError, PluginError
from ..core.record import Cell
from ..core.reply import Reply
from ..core.sample import Sample
from ..core.verdict import Check
from .plugins import check_options, known, load

GROUP = "assay.imports"

Row: TypeAlias = tuple[Cell, Sample, Reply, Check | None]
"""Who was asked what, what was said, and what the other tool's check of it found."""

Number: TypeAlias = tuple[Cell, str, Published]
"""A number without records: whose, which metric, and what is said of it."""


@runtime_checkable
class Log(Protocol):
    """Another tool's log, opened."""

    @property
    def tool(self) -> str:
        """Who wrote it, with a version: ``lm-eval 0.4.13``."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """Every file that is read."""
        ...

    @property
    def where(self) -> str:
        """``file:line`` of the row that was yielded last."""
        ...

    @property
    def versions(self) -> Mapping[str, str]:
        """Task to its version, where the log states one."""
        ...

    @property
    def lower(self) -> frozenset[str | tuple[str, str]]:
        """The scores of which less is better; with a task before it, one that is so in that task."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and what does not fit together; asked for after the rows."""
        ...

    def rows(self) -> Iterator[Row]:
        """Yield every reply, once."""
        ...

    def numbers(self) -> Iterator[Number]:
        """Yield every aggregate for which there are no rows; asked for after the rows."""
        ...


@dataclass(slots=True, kw_only=True)
class RowsOnly:
    """The log of a reader that yields rows and nothing else."""

    tool: str
    files: tuple[Path, ...]
    given: Iterable[Row]
    where: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    lower: frozenset[str | tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterator[Row]:
        """Yield every reply."""
        for number, row in enumerate(self.given, 1):
            self.where = f"{self.files[0]}, row {number}"
            yield row

    def numbers(self) -> Iterator[Number]:
        """Yield nothing."""
        yield from ()


def open_log(kind: str, path: Path, options: Mapping[str, Any]) -> Log:
    """Open another tool's log with the reader of that name.

    Raises ``PlanError`` A103 for an unknown name, A101 / A102 for a wrong option, ``DataError``
    A200 when there is no such file, ``PluginError`` A400 when the reader returns something else.
    """
    reader = load(GROUP, kind)
    if not path.exists():
        raise DataError(
            "there is no such file or folder", where=str(path), hint="check the path of the log"
        )
    given = {"path": path, **options}
    opened = reader(**check_options(reader, kind, given, where=f"import {kind}", base=Path.cwd()))
    if isinstance(opened, Log):
        return opened
    if not isinstance(opened, Iterable):
        raise PluginError(
            f"the reader {kind!r} returned {type(opened).__name__}, neither a log nor rows",
            hint="see docs/plugins.md for what a reader of logs returns",
        )
    dist = known(GROUP)[kind].dist
    tool = f"{dist.name} {dist.version}" if dist else kind
    return RowsOnly(tool=tool, files=(path,), given=opened)
