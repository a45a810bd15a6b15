"""The records of a run as they are read by people: as columns, or one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import PlanError
from ..core.record import Cell, Record
from ..core.sample import Sample
from ..store.columns import OUTCOMES
from ..store.journal import read_lines
from ..store.kept import columns_of
from ..store.line import to_record
from ..store.rundir import RunDir, cell_of
from ..store.samples import read_samples
from ..store.seal import journals, read_seal


def frame_of(run: RunDir, *, keep: bool) -> dict[str, NDArray[Any]]:
    """Return every record as equally long columns.  ``keep`` as for ``Run``."""
    parts: dict[str, list[Any]] = {}
    names = [o.value for o in OUTCOMES]
    digests = read_seal(run).files if keep else {}
    for path in journals(run):
        cell = cell_of(run.root, path)
        columns = columns_of(run, path, digests.get(str(path.relative_to(run.root))))
        n = len(columns.samples)
        missing = np.full(n, np.nan)
        for name, values in {
            "task": np.repeat(cell.task, n),
            "system": np.repeat(cell.system, n),
            "seed": np.repeat(cell.seed, n),
            "split": np.repeat(cell.split, n),
            "sample": np.array(columns.samples),
            "attempt": columns.attempts,
            "group": np.array(columns.groups),
            "outcome": np.array(names)[columns.outcome],
            "confidence": columns.confidence,
            "busy_s": columns.measured.get("busy_s", missing),
            "latency_s": columns.measured.get("latency_s", missing),
        }.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def cell_records(run: RunDir, cell: Cell) -> Iterator[tuple[Sample, Record]]:
    """Yield every sample of a cell with its record, in the order of the journal.

    Raises ``PlanError`` A104 where the system was not asked that split under that seed.
    """
    journal = run.journal(cell)
    if not journal.is_file():
        raise PlanError(
            f"{cell.system} was not asked the {cell.split} questions of {cell.task} under "
            f"seed {cell.seed}",
            where=str(run.root),
            code="A104",
        )
    known = {sample.id: sample for sample in read_samples(run.samples(cell.task, cell.split))}
    for line in read_lines(journal):
        yield known[line.decided.sample], to_record(line, cell)
