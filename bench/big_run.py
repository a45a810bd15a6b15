"""A sealed run of any size: what `columns.py` reads.  The package has the writer."""

from __future__ import annotations

import sys
from pathlib import Path

from contest import SOURCE

sys.path.insert(0, str(SOURCE))

from assay.publish.perf.own.big_run import TASK
from assay.publish.perf.own.big_run import write_run as write

__all__ = ["SHAPES", "TASK", "write_run"]

SHAPES = {10_000: 2, 100_000: 4, 1_000_000: 10, 10_000_000: 20}
"""Records to systems; each system is asked the same samples under five seeds."""


def write_run(root: Path, records: int) -> None:
    """Write and seal a run of that many records."""
    write(root, records, systems=SHAPES[records])
