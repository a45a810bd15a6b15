"""What the rows of a labelled source look like, before a task reads them whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from assay.lines import lines

FEW = 50
"""So many different labels are still a closed set, if rows share them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of some rows; what is wrong with them, the task says."""

    members: list[str]
    """Of the first row."""

    rows: int = 0
    labels: int = 0
    """Different ones."""

    lists: bool = False
    """Whether a label is a list of texts."""

    @property
    def closed(self) -> bool:
        """Whether the labels look like a closed set: few, and shared."""
        return not self.lists and self.labels <= min(FEW, self.rows / 2)


def look(path: Path, label: str) -> Seen:
    """Look at the rows of a file; raises ``DataError`` A200 where it cannot be read."""
    members: list[str] = []
    labels: set[str] = set()
    rows, lists = 0, False
    for _, text in lines(path):
        try:
            row = json.loads(text) if text.strip() else None
        except (ValueError, RecursionError):
            break
        if not isinstance(row, dict):
            continue
        members = members or list(row)
        rows, lists = rows + 1, lists or isinstance(row.get(label), list)
        labels.add(json.dumps(row.get(label)))
    return Seen(members=members, rows=rows, labels=len(labels), lists=lists)
