"""The report of a sealed run, as one value that Markdown and HTML render."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True)
class Report:
    """The report of a run."""

    run: Run
    baseline: Run | None = None

    def markdown(self) -> str:
        """Return the report as Markdown."""
        return ""

    def html(self) -> str:
        """Return the report as one self-contained page."""
        return ""

    def files(self) -> dict[str, bytes]:
        """Return every file of the report by its path below ``derived/``."""
        return {"report.md": self.markdown().encode()}
