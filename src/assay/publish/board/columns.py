"""What a family adds to the board: numbers over several tasks of a run, such as a score by categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from ...core.metric import Better, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardColumn:
    """One number of every system of a run, as an entry point of ``assay.board`` returns it.

    >>> BoardColumn(metric="reasoning", label="reasoning", says="three tasks", cells={"a": "not asked"}).group
    'score'
    """

    metric: str
    label: str
    says: str
    """One sentence: of what it is made."""

    cells: Mapping[str, Estimate | str]
    """System to its estimate, or to why it has none."""

    better: Better = Better.HIGHER
    bounds: tuple[float, float] = (-inf, inf)
    unit: str = "points"
    group: str = "score"
    """``quality``, ``safety``, ``cost``, ``speed``, ``size`` or ``score``."""
