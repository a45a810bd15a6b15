"""How many rows each class of a data set has, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..table import Row
from ..tasks.own_split import SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The classes of one part of the data."""

    part: str
    """A split, or ``all``."""

    rows: int
    counts: Mapping[str, int]
    """Label to rows, most frequent first."""

    missing: tuple[str, ...]
    """Labels of the data that this part lacks."""

    @property
    def alone(self) -> tuple[str, ...]:
        """Labels with one row."""
        return tuple(label for label, count in self.counts.items() if count == 1)


def balance(rows: Sequence[Row]) -> list[Balance]:
    """Return the classes of all rows, then of each part."""
    every = {row.label for row in rows}
    parts = [s for s in SPLITS if any(row.split == s for row in rows)]
    found = []
    for part in ("all", *parts):
        counts = Counter(row.label for row in rows if part in ("all", row.split))
        found.append(
            Balance(
                part=part,
                rows=counts.total(),
                counts=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
                missing=tuple(sorted(every - set(counts))),
            )
        )
    return found
