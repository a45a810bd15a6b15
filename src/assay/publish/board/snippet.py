"""What was measured of a model, as a part of its model card: Markdown, every number with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..hostile import safe_markdown
from .rows import Row
from .spelling import is_measured, spell_cell

INTRODUCTION = (
    "Each number stands with the interval that its samples support.  How each was computed, and each answer "
    "behind it, is in the sealed run that is named below it."
)


def model_card(model: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return a section for a model card.

    ``model`` is that of ``board.json``.  Texts are other people's: whatever they hold, they are shown as text.
    """
    runs = {run["seal"]: run for run in model["runs"]}
    return "\n".join(
        [
            "## Measured with assay",
            "",
            INTRODUCTION,
            *(line for row in rows for line in _row(row, runs.get(row.run, {}))),
            "",
        ]
    )


def _row(row: Row, run: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### {safe_markdown(row.label)}, {safe_markdown(row.system)}", "")
    yield "| task | measure | value and interval | n |"
    yield "|---|---|---|---|"
    missing = []
    for column in row.columns:
        cell = row.cells.get(column["id"])
        task = safe_markdown(str(column.get("task") or ""))
        name = safe_markdown(str(column["label"]))
        if cell is None or not is_measured(cell):
            missing.append(f"{name} ({task})" if task else name)
            continue
        yield f"| {task} | {name} | {safe_markdown(spell_cell(cell, column))} | {cell['n'] or ''} |"
    if missing:
        yield from ("", f"Not measured: {', '.join(missing)}.")
    yield from ("", f"Suite {safe_markdown(row.suite)}, on {safe_markdown(row.hardware)}.")
    if run:
        yield f"Run {safe_markdown(run['run'])} of {safe_markdown(run['date'][:10])}, {_vouched(run)}."
    yield f"Its seal: `sha256:{row.run}`."
    if run.get("archive"):
        yield f"To verify it: unpack `{_code(run['archive'])}` of the board, compare `sha256sum SEAL`"
        yield "with the seal, and run `assay board verify` in the board's folder."


def _vouched(run: Mapping[str, Any]) -> str:
    signed = run.get("signed")
    made = f"sealed by assay {safe_markdown(run['assay'])}"
    if not signed:
        return made
    return (
        f"{made}, signed by `{_code(signed['fingerprint'])}` ({safe_markdown(signed['algorithm'])})"
    )


def _code(text: str) -> str:
    return "".join(c for c in str(text) if c.isascii() and c.isprintable() and c != "`")
