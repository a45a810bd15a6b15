"""A gate as Markdown: a job's summary, and the comment on a pull request.

Covered: every word that comes from a plan, a run or a path is text and nothing else (mentions, links,
HTML, table cells, the end of the marker).  Not covered: a name that lies.
"""

from __future__ import annotations

import re

from ..gate import Check
from ..hostile import safe_markdown
from ..words import value_and_ends
from .judged import Judged

MOST_ROWS = 100
LONGEST = 60_000
"""Characters: GitHub takes 65,536 in a comment."""


def summary(judged: Judged) -> str:
    """Return the Markdown of a job's summary, ending with a line break: summaries are appended to."""
    gate = judged.gate
    ordered = sorted(gate.checks, key=lambda check: check.passes)
    lines = [
        f"### assay gate: {safe_markdown(judged.plan, 120)}",
        "",
        f"**{gate.verdict}**",
        "",
        "| | kind | check | estimate | why |",
        "|---|---|---|---|---|",
        *map(_row, ordered[:MOST_ROWS]),
    ]
    if len(ordered) > MOST_ROWS:
        lines += ["", f"{len(ordered) - MOST_ROWS} more checks are not shown."]
    if judged.read_with:
        lines += ["", *(f"* {safe_markdown(one, 600)}." for one in judged.read_with)]
    if gate.alarms_told:
        lines += ["", safe_markdown(gate.alarms_told, 600)]
    lines += ["", f"{judged.sealed}: `{judged.seal}`"]
    text = "\n".join(lines)
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition("\n")[0] + "\n\n(cut)"
    return text + "\n"


def comment(judged: Judged) -> str:
    """Return the comment's body; its first line is a hidden marker by which it is found again."""
    return f"{marker(judged.plan)}\n{summary(judged)}"


def marker(plan: str) -> str:
    """Return the hidden line of a plan's comment.

    >>> marker("smoke"), marker("a--> b")
    ('<!-- assay-gate smoke -->', '<!-- assay-gate a-b -->')
    """
    return f"<!-- assay-gate {re.sub('[^A-Za-z0-9._]+', '-', plan)} -->"


def _row(check: Check) -> str:
    shown = value_and_ends(check.estimate, check.scale) if check.estimate else ""
    name = f"{check.name}: {check.says}" if check.says else check.name
    cells = (
        "pass" if check.passes else "**fail**",
        check.source.value,
        safe_markdown(name, 300),
        safe_markdown(shown, 60),
        safe_markdown(check.why, 400),
    )
    return f"| {' | '.join(cells)} |"
