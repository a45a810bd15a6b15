"""Which rows of a table belong together, and which part of the data each stands in."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay import DataError

from .drawn import SPLITS, Floats
from .sheet import Sheet, read_cell

SPLIT_WORDS = {
    "train": ("train", "training"),
    "tune": ("tune", "validation", "valid", "val", "dev"),
    "calibration": ("calibration", "calib", "cal"),
    "test": ("test",),
}
"""What a data set calls its parts, in any casing."""

_SPLIT_OF = {word: split for split, words in SPLIT_WORDS.items() for word in words}
MOST_INDEX_BYTES = 50_000_000

Shares = tuple[float, float, float, float]
"""Of train, tune, calibration and test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Groups that stand in more than one part."""

    groups: frozenset[str]
    example: tuple[int, int] | None = None
    """Two rows of one, in different parts."""


def groups_of(sheet: Sheet, x: Floats, column: str | None) -> list[str]:
    """Return the group of each row: rows with equal features, or an equal word in ``column``.

    Rows that either connects are one group, named after its first line.

    >>> sheet = Sheet(path=Path("t.csv"), names=("a",), lines=[2, 3, 4], rows=[["1"], ["2"], ["1"]])
    >>> groups_of(sheet, np.array([[1.0], [2.0], [1.0]]), None)
    ['line/2', 'line/3', 'line/2']
    """
    head = list(range(len(sheet.rows)))

    def top(row: int) -> int:
        while head[row] != row:
            head[row] = head[head[row]]
            row = head[row]
        return row

    first: dict[object, int] = {}
    place = None if column is None else sheet.place(column)
    for row in range(len(head)):
        keys: list[object] = [(x[row] + 0.0).tobytes()]  # -0.0 is 0.0
        if place is not None and read_cell(sheet, row, place) is not None:
            keys.append(str(sheet.rows[row][place]).strip())
        for key in keys:
            one, other = top(row), top(first.setdefault(key, row))
            head[max(one, other)] = min(one, other)
    return [f"line/{sheet.lines[top(row)]}" for row in range(len(head))]


def given_by_column(sheet: Sheet, column: str) -> list[str]:
    """Return the part that a column gives each row; empty where it says nothing.

    Raises ``DataError`` A200 with the line for a word that is none of ``SPLIT_WORDS``.
    """
    place = sheet.place(column)
    found = []
    for row in range(len(sheet.rows)):
        cell = read_cell(sheet, row, place)
        said = "" if cell is None else str(cell)
        if said and said.casefold() not in _SPLIT_OF:
            near = difflib.get_close_matches(said.casefold(), _SPLIT_OF, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(_SPLIT_OF)}"
            raise sheet.wrong(row, f"the {column} {said[:40]!r} is none that is known", hint)
        found.append(_SPLIT_OF[said.casefold()] if said else "")
    return found


def given_by_file(path: Path, fold: int, rows: int) -> list[str]:
    """Return ``test`` for the rows that one list of a JSON file of lists numbers, from 0.

    Raises ``DataError`` A200 for a file that is none, a fold that is not in it, and numbers that no
    row has or that stand there twice.
    """
    try:
        if path.stat().st_size > MOST_INDEX_BYTES:
            raise DataError(f"the file has more than {MOST_INDEX_BYTES:,} bytes", where=str(path))
        folds = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror or error}",
            where=str(path),
            hint="check `test_rows`; a plan's paths are taken from the plan's folder",
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"not JSON: {error}", where=str(path), hint="write lists of row numbers"
        ) from None
    if not isinstance(folds, list) or not all(isinstance(one, list) for one in folds):
        raise DataError(
            "the file is no list of lists",
            where=str(path),
            hint="write [[0, 5], [1, 3]]: two folds",
        )
    if fold >= len(folds):
        raise DataError(
            f"there is no fold {fold}: the file has {len(folds)}",
            where=str(path),
            hint=f"say a `fold` from 0 to {len(folds) - 1}",
        )
    found = [""] * rows
    for number in folds[fold]:
        known = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < rows
        if not known or found[number]:
            why = "is no row of the table" if not known else "stands there twice"
            raise DataError(
                f"{str(number)[:20]} {why} ({rows:,} rows, from 0)",
                where=f"{path}, fold {fold}",
                hint="take the index file that belongs to this table",
            )
        found[number] = "test"
    return found


def divide(groups: Sequence[str], given: Sequence[str], *, shares: Shares, seed: int) -> list[str]:
    """Return the part of each row, with whole groups drawn for the parts that nobody gave.

    They are drawn among rows that are given no part, or are given train; those of a group that
    stands in another part too stay in train.  Nothing is drawn where all parts are given.  Raises
    ``DataError`` A200 for fewer groups than parts to draw.

    >>> divide(list("abcd"), [""] * 4, shares=(0.4, 0.1, 0.25, 0.25), seed=0)
    ['tune', 'calibration', 'train', 'test']
    """
    if set(SPLITS) <= set(given):
        return [part or "train" for part in given]
    lacking = [p for p in SPLITS if p == "train" or p not in given]
    pool: dict[str, bool] = {}
    for group, part in zip(groups, given, strict=True):
        pool[group] = pool.get(group, True) and part in ("", "train")
    free = sorted(group for group, whole in pool.items() if whole)
    if len(free) < len(lacking):
        raise DataError(
            f"there are {len(free)} independent groups for {', '.join(lacking)}",
            hint="give a table with more groups: each part needs at least one",
        )
    np.random.Generator(np.random.PCG64(seed)).shuffle(free)
    weights = {part: share for part, share in zip(SPLITS, shares, strict=True) if part in lacking}
    drawn: dict[str, str] = {}
    start = 0
    for part, count in apportion(len(free), weights).items():
        drawn |= dict.fromkeys(free[start : start + count], part)
        start += count
    return [
        part if part not in ("", "train") else drawn.get(group, "train")
        for group, part in zip(groups, given, strict=True)
    ]


def apportion(n: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Divide at least as many things as there are names: one for each, else the largest remainder.

    >>> apportion(10, {"train": 0.6, "test": 0.4}), apportion(2, {"train": 0.9, "test": 0.1})
    ({'train': 6, 'test': 4}, {'train': 1, 'test': 1})
    """
    whole = sum(weights.values())
    quotas = {name: n * weight / whole for name, weight in weights.items()}
    counts = {name: max(1, int(quota + 1e-9)) for name, quota in quotas.items()}
    while (gap := n - sum(counts.values())) != 0:
        step = 1 if gap > 0 else -1
        movable = [name for name in counts if step > 0 or counts[name] > 1]
        name = max(movable, key=lambda name: step * (quotas[name] - counts[name]))
        counts[name] += step
    return counts


def find_leaks(groups: Sequence[str], where: Sequence[str]) -> Leaks:
    """Return the groups that stand in several parts.

    >>> find_leaks(["a", "b", "a"], ["train", "test", "test"])
    Leaks(groups=frozenset({'a'}), example=(0, 2))
    """
    first: dict[str, int] = {}
    found: set[str] = set()
    example: tuple[int, int] | None = None
    for row, group in enumerate(groups):
        earlier = first.setdefault(group, row)
        if where[earlier] != where[row]:
            found.add(group)
            example = example or (earlier, row)
    return Leaks(groups=frozenset(found), example=example)
