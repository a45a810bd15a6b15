"""``assay claims``: what a run says of claims, those of its plan and others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .page import Line, Page, faint, strong

if TYPE_CHECKING:
    from ..core.claim import Finding


def claims(run: Path, file: Path | None = None, /) -> Page:
    """Weigh claims that were not in the plan, apart from those that were.

    Nothing of the run changes.  Without a file, the plan's own claims are shown.

    Args:
        run: A run's folder.
        file: A YAML file with `claims:`, as in a plan.
    """
    from ..publish.derive import finding_facts
    from ..publish.explore import explore
    from ..publish.run import Run
    from .summary import finding_lines, rows_of

    loaded = Run.load(run)
    found: list[Finding] = [] if file is None else explore(loaded, file)
    results = loaded.results
    lines: list[Line] = finding_lines(results) or ["The plan makes no claims.", ""]
    if found:
        lines += [
            strong("Exploratory claims"),
            *rows_of(results, found),
            faint(
                "  Added after the run was sealed, and weighed apart from the plan's claims: of those"
            ),
            faint(
                "  called supported or refuted, about one in twenty may be wrong.  To confirm one, put"
            ),
            faint("  it into a plan, and ask other questions."),
        ]
    facts = {
        "run": str(run),
        "findings": [finding_facts(f) for f in results.findings],
        "exploratory": [finding_facts(f) for f in found],
    }
    return Page(lines=lines, facts=facts)
