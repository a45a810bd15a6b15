"""The columns of a table as numbers: measured ones as they are, text as one column a category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay import DataError

from .drawn import Floats
from .sheet import Sheet, read_cell

MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What systems see."""

    names: tuple[str, ...]
    x: Floats
    """Shape [rows, features]; NaN where nothing was measured."""


def read_features(
    sheet: Sheet, names: Sequence[str], *, kept: Sequence[str], categorical: Sequence[str]
) -> Features:
    """Return the features of every row.

    ``names`` are the columns to use; without any, all but ``kept``.  Text, and what ``categorical``
    names, becomes a column of zeros and ones for each category, in alphabetical order.  Raises
    ``DataError`` A200 for a column that is not there, one with more than ``MOST_CATEGORIES``
    categories, and one of numbers in which some row has text.
    """
    forced = {place for name in categorical for place in sheet.places(name)}
    if names:
        chosen = list(dict.fromkeys(place for name in names for place in sheet.places(name)))
    else:
        out = {place for name in kept for place in sheet.places(name)}
        chosen = [place for place in range(len(sheet.names)) if place not in out]
    if not chosen:
        raise DataError(
            "no column is left to learn from",
            where=str(sheet.path),
            hint="give the table a column beside the target",
        )
    made: list[Floats] = []
    said: list[str] = []
    for place in chosen:
        cells = [read_cell(sheet, row, place) for row in range(len(sheet.rows))]
        texts = [row for row, cell in enumerate(cells) if isinstance(cell, str)]
        if place not in forced and not texts:
            made.append(np.array([np.nan if c is None else c for c in cells], dtype=np.float64))
            said.append(sheet.names[place])
            continue
        there = sum(cell is not None for cell in cells)
        if place not in forced and len(texts) < there:
            raise sheet.wrong(
                texts[0],
                f"{sheet.names[place]!r} has numbers in {there - len(texts)} rows, and here "
                f"{str(cells[texts[0]])[:40]!r}",
                "mend it, leave the field empty, or name the column in `categorical`",
            )
        # As written: "007" is another category than "7".
        words = [
            None if cell is None else str(sheet.rows[row][place]).strip()
            for row, cell in enumerate(cells)
        ]
        found = sorted({word for word in words if word is not None})
        if len(found) > MOST_CATEGORIES:
            common = ", ".join(repr(w[:20]) for w, _ in Counter(filter(None, words)).most_common(3))
            raise DataError(
                f"{sheet.names[place]!r} is text with {len(found)} different values ({common}, ...), "
                f"more than {MOST_CATEGORIES}",
                where=str(sheet.path),
                hint="name the columns to learn from in `features`, without it",
            )
        for word in found:
            made.append(np.array([np.nan if w is None else float(w == word) for w in words]))
            said.append(f"{sheet.names[place]}={word}")
    return Features(names=tuple(said), x=np.stack(made, axis=1))
