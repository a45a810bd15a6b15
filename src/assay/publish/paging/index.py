"""What is known of every test sample of a task, as arrays on a shelf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...core.record import Cell
from ...store.columns import CODE
from ...store.places import reply_places, sample_places
from ...store.samples import each_sample
from ...store.shelf import Contents

if TYPE_CHECKING:
    from ..run import Run

VERSION = 1
"""Of the arrays' names and meaning; a shelf of another one is made again."""

RIGHT = (CODE["correct"], CODE["declined"])


def contents(run: Run, task: str) -> Contents:
    """Return the arrays of a task; samples are numbered by the order of their ids."""
    case = run.cases[task]
    path = run.dir.samples(task, "test")
    names, starts = sample_places(path)
    by_id = sorted(range(len(names)), key=names.__getitem__)
    row = {names[place]: number for number, place in enumerate(by_id)}
    arrays: dict[str, NDArray[Any]] = {"sample": starts[by_id]}
    files, systems = [path], []
    plan = [s.name for s in run.loaded.plan.systems]
    order = [s for s in (*plan, *run.manifest.systems) if s in case.tables]
    for number, system in enumerate(dict.fromkeys(order)):
        table = case.tables[system]
        at = _rows(table.samples, row)
        outcome = np.full((len(table.seeds), len(row)), -1, dtype=np.int8)
        outcome[:, at] = table.outcome
        sure = np.full(len(row), np.nan, dtype=np.float32)
        sure[at] = table.confidence[0]
        arrays |= {f"outcome-{number}": outcome, f"sure-{number}": sure}
        journals = [
            run.dir.journal(Cell(task=task, system=system, seed=seed, split="test"))
            for seed in table.seeds
        ]
        for k, journal in enumerate(journals):
            arrays[f"reply-{number}-{k}"] = reply_places(journal, row)
        files += journals
        systems.append(
            {"name": system, "control": system in case.controls, "seeds": list(table.seeds)}
        )
    tags, rows, codes = _tagged(run, task, row)
    facts = {"version": VERSION, "task": task, "systems": systems, "tags": tags}
    arrays |= {"tag-row": rows, "tag": codes, "apart": _apart(arrays, systems, len(row))}
    return Contents(files=files, arrays=arrays, facts=facts)


def _rows(samples: tuple[str, ...], row: dict[str, int]) -> NDArray[np.int64]:
    return np.fromiter((row[s] for s in samples), dtype=np.int64, count=len(samples))


def _tagged(
    run: Run, task: str, row: dict[str, int]
) -> tuple[list[str], NDArray[np.int32], NDArray[np.int32]]:
    """Return every tag, and pairs of a sample and a tag that it has."""
    tagged: dict[str, list[int]] = {}
    for sample in each_sample(run.dir.samples(task, "test")):
        for tag in sample.tags:
            tagged.setdefault(tag, []).append(row[sample.id])
    known = sorted(tagged)
    rows = [np.array(tagged[tag], dtype=np.int32) for tag in known]
    sizes = [len(some) for some in rows]
    none = np.zeros(0, dtype=np.int32)
    return (
        known,
        np.concatenate([none, *rows]),
        np.repeat(np.arange(len(known), dtype=np.int32), sizes),
    )


def _apart(arrays: dict[str, NDArray[Any]], systems: list[Any], n: int) -> NDArray[np.int32]:
    """Return the samples, those on which systems disagree most first: the order of the page."""
    asked, right = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    for number, system in enumerate(systems):
        if not system["control"]:
            first = arrays[f"outcome-{number}"][0]
            asked += first >= 0
            right += np.isin(first, RIGHT)
    return np.lexsort((right, -np.minimum(right, asked - right))).astype(np.int32)
