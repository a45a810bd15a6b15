"""The tables of a run: the cells of each system, joined with what is known of its samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..analysis.table import Table, make_table
from ..core.errors import SealError
from ..core.reply import Bottom
from ..store.columns import CellColumns
from ..store.manifest import Manifest
from ..store.rundir import RunDir
from ..store.samples import each_sample


@dataclass(frozen=True, slots=True)
class Known:
    """What tables have to know of the samples of a split, by id."""

    no_answer: Mapping[str, bool]
    tags: Mapping[str, frozenset[str]]


CHANGED = "the run was changed after it was asked: restore it from a copy, or ask again"


def known_of(run: RunDir, task: str) -> dict[str, Known]:
    """Return what tables have to know of the samples of a task, by split.

    Raises ``SealError`` A300 for a sample that stands twice in a split.
    """
    found = {}
    alike: dict[frozenset[str], frozenset[str]] = {}
    for split in ("tune", "calibration", "test"):
        no_answer: dict[str, bool] = {}
        tags: dict[str, frozenset[str]] = {}
        for sample in each_sample(run.samples(task, split)):
            if sample.id in no_answer:
                raise SealError(
                    f"the sample {sample.id!r} stands twice",
                    where=str(run.samples(task, split)),
                    hint=CHANGED,
                )
            no_answer[sample.id] = isinstance(sample.target, Bottom)
            # A tag has many samples: one set is enough for all of them.
            tags[sample.id] = alike.setdefault(sample.tags, sample.tags)
        found[split] = Known(no_answer, tags)
    return found


def tables_of(
    manifest: Manifest,
    system: str,
    by_split: Mapping[str, Mapping[int, CellColumns]],
    known: Mapping[str, Known],
    said: Mapping[tuple[str, str, int], NDArray[np.object_]],
) -> dict[str, Table]:
    """Return a system's table of each split that it was asked; ``said`` holds cells of one task."""
    found = {}
    for split, cells in by_split.items():
        asked = next(iter(cells.values())).samples  # all seeds have the same
        of_split = known.get(split, Known({}, {}))
        strange = next((s for s in asked if s not in of_split.no_answer), None)
        if strange is not None:
            raise SealError(
                f"{system} was asked {strange!r}, which is no {split} sample of the run",
                where=f"the records of {system}, {split}",
                hint=CHANGED,
            )
        table = make_table(system, cells, of_split.no_answer, split=split, tags=of_split.tags)
        if manifest.systems[system].per == "class":
            answers = np.stack([said[system, split, seed] for seed in table.seeds])
            table = replace(table, answers=answers)
        found[split] = table
    return found
