"""What changed since a baseline run, as a section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.metric import Better
from . import figures
from .compare import Diff, compare
from .document import Block, Figure, Para, Row, Section, Span, Table, cell
from .words import Scale

if TYPE_CHECKING:
    from .run import Run


def changes(run: Run, baseline: Run) -> Section:
    """Return every paired difference between a run and its baseline.

    Raises ``DataError`` A203 when they have nothing in common.
    """
    compared = compare(run, baseline)
    says = f"Changes since {', '.join(compared.baselines)}, paired question by question."
    blocks: list[Block] = [Para(says)]
    drawn = [
        {
            "name": f"{diff.system} · {diff.metric}",
            "value": e.value,
            "low": e.low,
            "high": e.high,
            "kind": kind(diff),
        }
        for diff in compared.diffs
        if (e := diff.estimate).value is not None and e.low is not None and e.high is not None
    ]
    if drawn:
        file = "figures/baseline_delta.svg"
        blocks.append(Figure(figures.deltas(drawn, file=file, says=says)))
    blocks.append(
        Table(
            says="This run minus the baseline. Intervals are 95 %, one by one; p is two-sided, "
            "after Benjamini-Hochberg over all rows: of those called better or worse, about one in "
            "twenty may be neither. No difference shown is not the same as no difference.",
            header=("system", "metric", "change", "p", "shown"),
            rows=tuple(map(_row, compared.diffs)),
        )
    )
    return Section("changes", "Since the baseline", tuple(blocks))


def kind(diff: Diff) -> str:
    """Return what a difference shows."""
    if not diff.changed:
        return "no difference shown"
    if diff.better is Better.NONE:
        return "changed"
    return "worse" if diff.worse else "better"


def _which(better: Better) -> str:
    return "neither way is better" if better is Better.NONE else f"{better.value} is better"


def _row(diff: Diff) -> Row:
    notes = ["" if diff.same_test else "common questions only"]
    notes += [] if diff.complete else ["replies are missing"]
    return Row(
        (
            Span(diff.system, "name", note=diff.task),
            Span(diff.metric, "code", note=_which(diff.better)),
            cell(diff.estimate, scale=Scale.CHANGE),
            Span("none" if diff.adjusted is None else f"{diff.adjusted:.3g}", "number"),
            Span(kind(diff), kind(diff).partition(" ")[0], note=", ".join(filter(None, notes))),
        )
    )
