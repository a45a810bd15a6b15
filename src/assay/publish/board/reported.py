"""Published tables on a board: numbers without records, marked *reported*, never ranked with measured ones.

Covered: what a file of ``models/reported`` may hold, strictly, with the line of what is wrong.  Not
covered: whether a published number is true; nobody here can ask again.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from ...core.errors import PlanError
from ...engine.document import parse_document
from ...engine.plan import mistake
from ...store.canon import read_plain
from ...store.manifest import Stored
from ..hostile import visible
from .files import require_own, write_file

FOLDER = Path("models") / "reported"
MAX_BYTES = 4 << 20
MAX_ROWS = 10_000
MAX_COLUMNS = 40
PAGE = "docs/board.md"


def _shown(text: str) -> str:
    if visible(text) != text or text != text.strip():
        raise ValueError("a text with spaces at its ends or with characters that nobody sees")
    return text


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a number that is not finite")
    return value


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_shown)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,79}$")]
Repo = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$")]
Value = Annotated[float, AfterValidator(_finite)]


class Source(Stored):
    """Where the numbers stand, and what allows to quote them."""

    title: Text
    url: Annotated[str, Field(pattern=r"^https?://[!-~]{1,500}$")]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    """Of the table."""

    licence: Text
    notice: Annotated[str, Field(max_length=20_000)] = ""
    """What the licence wants beside a copy: its text, who wrote it."""

    file: Text
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Of the file that was read, which need not stand here."""


class ReportedColumn(Stored):
    """A column of a published table."""

    id: Slug
    label: Text
    unit: Literal["", "share", "points", "usd", "s", "bytes", "count", "rate"] = ""
    better: Literal["higher", "lower", "none"] = "higher"


class ReportedRow(Stored):
    """A row, and the line of the source where it stands."""

    label: Text
    hf_repo: Repo | None = None
    parameters: Annotated[int, Field(gt=0, lt=10**15)] | None = None
    line: Annotated[int, Field(gt=0)]
    cells: dict[Slug, Value]
    """Column to number; a column that is absent was not reported."""


class Reported(Stored):
    """A published table, or an excerpt of one."""

    schema_version: Literal[1] = 1
    kind: Literal["reported"] = "reported"
    name: Slug
    source: Source
    columns: Annotated[tuple[ReportedColumn, ...], Field(min_length=1, max_length=MAX_COLUMNS)]
    rows: Annotated[tuple[ReportedRow, ...], Field(min_length=1, max_length=MAX_ROWS)]

    @model_validator(mode="after")
    def _fits(self) -> Reported:
        ids = [column.id for column in self.columns]
        if len(set(ids)) != len(ids):
            raise ValueError("two columns have the same id")
        for number, row in enumerate(self.rows):
            if strange := next((name for name in row.cells if name not in ids), None):
                raise ValueError(f"row {number} has a cell for {strange!r}, which is no column")
        return self


class _Blocks(yaml.SafeDumper):
    """Writes a text of several lines as it is read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Blocks.add_representer(str, _text)


def read_reported(path: Path) -> Reported:
    """Read a file of ``models/reported``.

    Raises ``PlanError``: A100 when it cannot be read, A101 and A102 for a key or a value that may not
    stand there, A105 when it is too large or too clever; each with its line.
    """
    try:
        raw = read_plain(path, MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or str(error)
        raise PlanError(
            f"the table cannot be read: {why}", where=str(path), hint="check the path"
        ) from None
    except UnicodeDecodeError as error:
        what = f"byte {error.start} is not UTF-8"
        raise PlanError(what, where=str(path), hint="save the file as UTF-8") from None
    if len(raw) > MAX_BYTES:
        hint = "take an excerpt: `assay board reported FILE --keep 'org/*'`"
        what = f"the table is too large: at most {MAX_BYTES:,} bytes"
        raise PlanError(what, where=str(path), hint=hint, code="A105")
    document = parse_document(text, path)
    try:
        return Reported.model_validate(document.value)
    except ValidationError as error:
        raise mistake(
            error, document, keys=lambda _: [*Reported.model_fields], what="the table", page=PAGE
        ) from None


def write_reported(table: Reported, board: Path) -> Path:
    """Write a table into ``models/reported`` of a board, and return its file; equal tables, equal bytes."""
    path = board / FOLDER / f"{table.name}.yaml"
    facts = table.model_dump(mode="json", exclude={"rows"})
    head = yaml.dump(facts, Dumper=_Blocks, sort_keys=False, allow_unicode=True, width=100)
    rows = "".join(f"- {_flow(row)}" for row in table.rows)
    require_own(board, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(board, path, f"{head}rows:\n{rows}".encode())
    return path


def reported_facts(table: Reported) -> dict[str, Any]:
    """Return a table as it stands in ``board.json``."""
    source = table.source
    return {
        "name": table.name,
        "source": {
            "title": source.title,
            "url": source.url,
            "date": source.date,
            "licence": source.licence,
            "notice": source.notice,
            "digest": source.digest,
        },
        "columns": [column.model_dump(mode="json") for column in table.columns],
        "rows": [row.model_dump(mode="json") for row in table.rows],
    }


def _flow(row: ReportedRow) -> str:
    facts = row.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(
        facts, sort_keys=False, allow_unicode=True, default_flow_style=True, width=math.inf
    )
