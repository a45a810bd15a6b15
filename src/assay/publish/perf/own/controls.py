"""The suite ``control``: work that is none of assay's, timed beside every other suite.

Where the control takes longer than it did, the machine does: what assay took longer by as much may be the hour.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..suite import Benchmark, Suite, Work

COUNT, ROWS = 20_000, 200_000


def control() -> Suite:
    """Return the suite."""
    return Suite(
        version="1",
        says="work that is none of assay's: where it takes longer, the machine does",
        benchmarks=(
            Benchmark(
                name="python", says=f"{COUNT:,} steps of plain Python", n=COUNT, make=_python
            ),
            Benchmark(
                name="arrays",
                says=f"{ROWS:,} numbers drawn, sorted, added up and compared",
                n=ROWS,
                make=_arrays,
            ),
        ),
    )


def _python(_folder: Path) -> Work:
    def work() -> int:
        seen: dict[int, int] = {}
        for k in range(COUNT):
            seen[k % 97] = seen.get(k % 97, 0) + k
        return sum(seen.values())

    return work


def _arrays(_folder: Path) -> Work:
    rng = np.random.Generator(np.random.PCG64(0))

    def work() -> float:
        drawn = rng.random(ROWS)
        drawn.sort()
        return float((np.cumsum(drawn) > drawn * ROWS / 2).mean())

    return work
