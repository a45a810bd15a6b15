"""Numbers without records: shown as reported, and never in a front or a claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..store.manifest import PublishedNumbers, read_doc
from .document import Row, Section, Span, Table

if TYPE_CHECKING:
    from .run import Run


def published(run: Run) -> Iterator[Section]:
    """Yield the section of an imported run's published numbers, if it has any."""
    if not run.dir.published.is_file():
        return
    numbers = read_doc(PublishedNumbers, run.dir.published).numbers
    rows = tuple(
        Row(
            (
                Span(one.system, "name", note="reported"),
                one.task,
                one.metric,
                Span(f"{one.value:.6g}", "number"),
                one.source,
            )
        )
        for one in numbers
    )
    says = (
        "The log gives these numbers without the replies behind them: nobody can compute them "
        "again, and they stand in no front and no claim."
    )
    header = ("system", "task", "metric", "value", "who says so")
    table = Table(says=says, header=header, rows=rows)
    yield Section("published", "Published numbers", (table,))
