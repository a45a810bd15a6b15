"""``science.rf`` in reports: responses along the sweep of a filter, and what becomes of its peak."""

from __future__ import annotations

from assay.sections import Block, Figure, Fold

from .reading import Evidence
from .rf_bode import bode
from .rf_peaks import denominators, packs, peaks
from .rf_sweeps import sweeps_of


def rf(evidence: Evidence) -> list[Block]:
    """Return Bode plots, peaks, denominators along the sweep, and the worst filters."""
    sweeps = sweeps_of(evidence)
    shown = evidence.pick(6)
    blocks: list[Block] = [Figure(drawing) for drawing in bode(evidence, sweeps, evidence.pick(4))]
    blocks.append(Figure(peaks(evidence, sweeps, shown)))
    blocks.append(denominators(evidence, sweeps))
    blocks.append(
        Fold("Washed out and invented peaks: the worst filters", tuple(packs(evidence, sweeps)))
    )
    return blocks
