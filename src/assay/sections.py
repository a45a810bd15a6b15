"""What a section of a report is made of, for plugins that add one (``assay.sections``).

A section is words, tables and figures (``assay.figures``), never markup: reports turn it into
Markdown and into a page, and make safe whatever texts it holds.
"""

from __future__ import annotations

from .publish import drawing
from .publish.document import (
    Block,
    Figure,
    Fold,
    Inline,
    Items,
    Para,
    Row,
    Section,
    Span,
    Table,
    cell,
)
from .publish.pairwise import Difference, pairwise
from .publish.run import Run
from .publish.shipped import shipped
from .publish.words import Scale

__all__ = [
    "Block",
    "Difference",
    "Figure",
    "Fold",
    "Inline",
    "Items",
    "Para",
    "Row",
    "Scale",
    "Section",
    "Span",
    "Table",
    "cell",
    "colours",
    "pairwise",
    "shipped",
]


def colours(run: Run) -> dict[str, str]:
    """Return the colour of each system, as in every other figure of the report.

    Systems stand in the plan's order; controls come last, and are grey.
    """
    named = [system.name for system in run.loaded.plan.systems]
    controls = [name for name in run.manifest.systems if name not in named]
    return drawing.colours(named) | dict.fromkeys(controls, drawing.QUIET)
