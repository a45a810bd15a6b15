"""What each system says of what is there."""

from __future__ import annotations

from collections import Counter

import numpy as np

from assay.figures import plot_confusion_matrix
from assay.sections import Block, Figure, Fold, Para, Row, Span, Table

from .reading import Evidence
from .said import FAILED, NO_REASON, VALUE

MOST = 12
"""Matrices in a figure."""


def confusion(evidence: Evidence) -> list[Block]:
    """Return a matrix for each system, and how often it names the right reason."""
    asked = evidence.asked
    shown = evidence.pick(MOST, own=False)
    truth: list[str] = []
    words: list[str] = []
    panel: list[str] = []
    for system in shown:
        for said in evidence.said[system]:
            truth += asked.truth[said.asked].tolist()
            words += said.word[said.asked].tolist()
            panel += [system] * int(said.asked.sum())
    if not truth:
        return [Para("No reply was observed: crashes are all there is.", "note")]
    drawn = plot_confusion_matrix(
        truth,
        words,
        panel=panel,
        order=(VALUE, *asked.reasons, NO_REASON, FAILED),
        file=evidence.file("confusion"),
    )
    note = (
        "The first row says what became of values that are there: a value that was given may "
        "still be wrong. Percent of each row, thresholds of the plan applied, seeds pooled."
        f"{evidence.some(shown, list(evidence.said))}"
    )
    blocks: list[Block] = [Figure(drawn), Para(note, "note")]
    if len(asked.reasons) > 1:
        blocks.append(
            Fold("Which reason was given, where declining was right", (_reasons(evidence),))
        )
    return blocks


def _reasons(evidence: Evidence) -> Table:
    asked = evidence.asked
    pairs = [(true, told) for true in asked.reasons for told in (*asked.reasons, NO_REASON)]
    rows = []
    for system, seeds in evidence.said.items():
        counts: Counter[tuple[str, str]] = Counter()
        for said in seeds:
            at = np.flatnonzero(said.declined & ~asked.there)
            counts.update(zip(asked.truth[at].tolist(), said.word[at].tolist(), strict=True))
        cells = (Span(f"{counts[pair]:,}", "number") for pair in pairs)
        rows.append(Row((Span(system, "name"), *cells)))
    return Table(
        says="Right declines by the reason that is true and the one that was given; seeds pooled. "
        "The direction accuracy is the share of those that agree.",
        header=("system", *(f"{true}, said {told}" for true, told in pairs)),
        rows=tuple(rows),
    )
