"""A run at a glance, as a notebook shows it: decision, claims, one table; a few kilobytes, no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .decisions import decision_sentence
from .hostile import visible
from .html import fill
from .words import claim_scale, label, value_and_ends

if TYPE_CHECKING:
    from ..analysis.case import Case
    from .run import Run

NUMBERS = ("coverage", "risk", "usd_per_1k", "latency_p50")
TIMED = ("usd_per_1k", "latency_p50")
MARKS = {"supported": "✓", "refuted": "✕", "undecided": "?"}
MOST_ROWS = 30
"""Systems and claims that are shown; the report has all."""


MOST_TEXT = 2_000
"""Characters of a name or a sentence that are shown in HTML; of a name and a path in a line."""


def line_of(run: Run) -> str:
    """Return a run as a line for a terminal; nothing in a name of somebody else drives it."""
    name, path = (
        visible(text, MOST_TEXT).replace("\n", "\\n").replace("\t", "\\t")
        for text in (run.manifest.name, str(run.path))
    )
    return f"<Run {name} at {path}: {len(run.manifest.systems)} systems>"


def glimpse(run: Run) -> str:
    """Return a run as a small piece of HTML; whatever a plan or a model says in it is text."""
    results = run.results
    findings = [
        {
            "mark": MARKS[finding.status.value],
            "status": finding.status.value,
            "says": visible(finding.claim.says, MOST_TEXT),
            "found": value_and_ends(
                finding.estimate,
                claim_scale(
                    finding.claim,
                    results.cases[finding.claim.task].contrast(finding.claim.metric),
                ),
            ),
        }
        for finding in results.findings
    ]
    return fill(
        "glimpse.html",
        name=visible(run.manifest.name, MOST_TEXT),
        run=run.path.name,
        decisions=[visible(decision_sentence(d), MOST_TEXT) for d in results.decisions.values()],
        findings=findings[:MOST_ROWS],
        more=max(len(findings) - MOST_ROWS, 0),
        tables=[_table(run, case) for case in results.cases.values()],
    )


def _table(run: Run, case: Case) -> dict[str, object]:
    names = dict.fromkeys([next(iter(case.metrics)), *NUMBERS])
    shown = [m for m in names if m in case.metrics or (m in TIMED and case.timed)]
    planned = [ref.name for ref in run.loaded.plan.systems]
    order = [*planned, *(system for system in case.tables if system not in planned)]
    rows = [
        {
            "system": system,
            "control": system in case.controls,
            "cells": [_cell(case, system, metric) for metric in shown],
        }
        for system in order
        if system in case.tables
    ]
    return {
        "task": case.task,
        "head": [visible(label(metric), MOST_TEXT) for metric in shown],
        "rows": rows[:MOST_ROWS],
        "more": max(len(rows) - MOST_ROWS, 0),
    }


def _cell(case: Case, system: str, metric: str) -> str:
    if metric in TIMED and system not in case.timed:
        return "-"
    estimate = case.estimate(system, metric)
    return "-" if estimate.value is None else value_and_ends(estimate)
