"""Which prompts of a bench its mapper learnt from: on these it is not being tested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay import Run

SPLITS = ("calibration", "test")


def learnt_from(mapper: Path | None, made: Run, system: str) -> Mapping[str, int]:
    """Count the prompts of calibration and test that a mapper in a folder noted as learnt.

    Casing, spacing and numbers make no difference.  Nothing is counted where the backend was trained
    in the run itself: a run gives its systems no such prompt.  Raises ``PluginError`` A403 for a
    folder that is no mapper.
    """
    if mapper is None:
        return dict.fromkeys(SPLITS, 0)
    import numpy as np

    from ..heads.weights import load
    from ..likeness.canonical import marks

    seen = load(mapper).seen
    found = {}
    for split in SPLITS:
        asked = [str(sample.input) for sample, _ in made.read(system, split=split)]
        found[split] = int(np.isin(marks(asked), seen).sum())
    return found
