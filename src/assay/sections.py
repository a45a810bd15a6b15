"""What a section of a report is made of, for plugins that add one (``assay.sections``).

A section is words and tables, never markup: reports turn it into Markdown and into a page, and make
safe whatever texts it holds.
"""

from __future__ import annotations

from .publish.document import (
    Block,
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

__all__ = ["Block", "Fold", "Inline", "Items", "Para", "Row", "Section", "Span", "Table", "cell"]
