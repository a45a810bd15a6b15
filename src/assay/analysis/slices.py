"""A task on some of its samples alone: those with a tag."""

from __future__ import annotations

from dataclasses import replace

from ..core.errors import PlanError
from .case import Case
from .table import Table


def among(case: Case, tag: str) -> Case:
    """Return a case on the samples with a tag; the serial pass is left out, which asked others too.

    Raises ``PlanError`` A103 for a tag that no sample has.
    """
    known = {one for table in case.tables.values() for tags in table.tags for one in tags}
    if tag not in known:
        raise PlanError(
            f"no sample of {case.task} has the tag {tag!r}",
            hint=f"known: {', '.join(sorted(known)) or 'none'}",
            code="A103",
        )
    tables, raw = (
        {system: _among(table, tag) for system, table in each.items()}
        for each in (case.tables, case.raw)
    )
    return replace(case, tables=tables, raw=raw, timed={})


def _among(table: Table, tag: str) -> Table:
    has = table.tagged(tag)
    return table.only([name for name, one in zip(table.samples, has, strict=True) if one])
