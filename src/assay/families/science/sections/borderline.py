"""The rows on which a system nearly decided otherwise."""

from __future__ import annotations

import numpy as np

from assay.sections import Block, Fold, Para, Row, Span, Table

from .reading import Evidence
from .said import VALUE
from .thresholds import gates

EACH = 3
"""Rows above the threshold, and below it, of each system."""
NUMBERS = 6
"""Of an input that are shown."""


def borderline(evidence: Evidence) -> list[Block]:
    """Return the rows nearest to the confidence below which each system declines."""
    asked = evidence.asked
    rows: list[Row] = []
    without = []
    for system in evidence.said:
        found = gates(evidence, system)
        if not found:
            without.append(system)
            continue
        said, gate = found[0]
        rows.append(Row((f"{system} declines below {gate:.4g}",), "group"))
        held = np.flatnonzero(said.proposes)
        # Equal confidences stay in the order of their ids.
        order = held[np.argsort(np.abs(said.sure[held] - gate), kind="stable")]
        near = [*order[said.sure[order] >= gate][:EACH], *order[said.sure[order] < gate][:EACH]]
        for i in sorted(near, key=lambda i: -said.sure[i]):
            true = _numbers(asked.y[i]) if asked.truth[i] == VALUE else str(asked.truth[i])
            told = "" if said.word[i] == VALUE else f"{said.word[i]}; had ready "
            rows.append(
                Row(
                    (
                        Span(asked.ids[i], "code"),
                        Span(_numbers(np.array(asked.x[i])), "number"),
                        Span(true, "number"),
                        Span(f"{told}{_numbers(said.value[i])}", "number"),
                        Span(f"{said.sure[i]:.4g}", "number"),
                        Span(str(said.outcome[i]), "muted"),
                    )
                )
            )
    if not rows:
        return []
    table = Table(
        says=f"The {EACH} rows on each side that are nearest to it, of the first seed. Inputs: the first {NUMBERS} numbers.",
        header=("sample", "input", "there", "said", "confidence", "outcome"),
        rows=tuple(rows),
    )
    blocks: list[Block] = [table]
    if without:
        says = (
            f"Never declining, or declining by another rule than a threshold: {', '.join(without)}."
        )
        blocks.append(Para(says, "note"))
    return [Fold("Borderline rows", tuple(blocks))]


def _numbers(values: np.ndarray) -> str:
    shown = ", ".join(f"{v:.4g}" for v in values[:NUMBERS].tolist())
    return f"{shown}, ..." if len(values) > NUMBERS else shown
