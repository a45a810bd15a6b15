"""The measured rows of one model on a board, for what is taken elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import PlanError

MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of ``board.json`` with the columns of its cohort."""

    id: str
    label: str
    system: str
    run: str
    """The digest of its run's seal, 64 hexadecimal digits."""

    suite: str
    headline: str
    """The column that stands first."""

    hardware: str
    columns: Sequence[Mapping[str, Any]]
    cells: Mapping[str, Mapping[str, Any]]

    def column(self, name: str) -> Mapping[str, Any] | None:
        """Return a column by its id; None where the cohort has no such column."""
        return next((c for c in self.columns if c["id"] == name), None)


def model_named(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a model of ``board.json`` by its id; raise ``PlanError`` A103 where there is none."""
    ids = [str(model["id"]) for model in document["models"]]
    for model in document["models"]:
        if model["id"] == name:
            found: Mapping[str, Any] = model
            return found
    hint = f"it has {', '.join(ids[:20])}" if ids else "it has no model yet: `assay board add RUN`"
    raise PlanError(f"the board has no model {name!r}", hint=hint, code="A103")


def rows_of(document: Mapping[str, Any], model: str, *, named: str | None = None) -> list[Row]:
    """Return the measured rows of a model, in the order of the board; with ``named`` that row only.

    Reported numbers have no rows, and a row of any other origin than *measured* is left out.  Raises
    ``PlanError`` A103 for an unknown model or row, and for a model of which nothing was measured.
    """
    about = model_named(document, model)
    found = [
        _row(cohort, row)
        for cohort in document["cohorts"]
        for row in cohort["rows"]
        if row["model"] == model and row["origin"] == MEASURED
    ]
    if not found:
        raise PlanError(
            f"nothing was measured of {about['name']}",
            hint="add a sealed run: `assay board add RUN`; reported numbers are never taken elsewhere",
            code="A103",
        )
    if named is None:
        return found
    one = [row for row in found if row.id == named]
    if not one:
        hint = f"it has {', '.join(row.id for row in found)}"
        raise PlanError(f"{model} has no row {named!r}", hint=hint, code="A103")
    return one


def _row(cohort: Mapping[str, Any], row: Mapping[str, Any]) -> Row:
    return Row(
        id=row["id"],
        label=row["label"],
        system=row["system"],
        run=row["run"],
        suite=cohort["suite"]["name"],
        headline=cohort["headline"],
        hardware=cohort["hardware"]["says"],
        columns=cohort["columns"],
        cells=row["cells"],
    )
