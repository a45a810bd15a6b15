"""``lm.quantisation`` in reports: the table of precisions, where a plan compares models' predictions."""

from __future__ import annotations

from assay import Run
from assay.sections import Block, Para, Row, Section, Span, Table

from .rows import KL, RUNTIMES, quantised
from .telling import LEGEND, ON_A_TASK, WHOLE, blanks, facts, on_task, whole


def quantisation(run: Run) -> Section | None:
    """Return the table; None without two models of this family and a task that measures divergence.

    The reference is the plan's first model.
    """
    systems = [s for s in run.loaded.plan.systems if s.use in RUNTIMES]
    if len(systems) < 2 or not any(KL in case.metrics for case in run.results.cases.values()):
        return None
    found = quantised(run)
    blocks: list[Block] = [
        Para(f"Against {found.reference}, the first model of the plan."),
        Table(
            says="All tasks together.",
            header=WHOLE,
            rows=tuple(Row(_cells(whole(line))) for line in found.lines),
        ),
    ]
    for task in found.tasks:
        rows = tuple(Row(_cells((x.system, *on_task(x.tasks[task])))) for x in found.lines)
        metric = found.lines[0].tasks[task].metric
        blocks.append(Table(says=f"{task}: {metric}.", header=ON_A_TASK, rows=rows))
    blocks += [Para(said, "note") for said in (LEGEND, *found.says, *blanks(found))]
    return Section("quantisation", "What precision costs", tuple(blocks), facts(found))


def _cells(texts: tuple[str, ...]) -> tuple[Span, ...]:
    first, *others = texts
    return (Span(first, "name"), *(Span(text) for text in others))
