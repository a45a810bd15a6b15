"""What the board says on pull requests.  Every word of a stranger in it is text and nothing else.

Covered: mentions, links, images, HTML, code fences, table cells and marks in names, paths and notes.
Not covered: a name that lies.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...hostile import safe_markdown
from ...run import Run
from ...words import asked, label, value_and_ends
from ..notes import Note
from .decisions import Refusal
from .marks import Order, Published, Started, Tested, line_of

ARTIFACT = "sealed-run"
"""What the workflow calls the artifact with the archive."""

MOST_NOTES = 40
MOST_ROWS = 60
LONGEST = 60_000
"""Characters: GitHub takes 65,536."""

_LEVELS = {"error": "error", "warning": "warning", "publish": "before it is published"}


def refused(refusal: Refusal, command: str) -> str:
    """Return the answer to a command that is not followed."""
    return f"`{command}` is refused ({refusal.reason}).  {refusal.says}"


def checked(notes: Sequence[Note], path: str) -> str:
    """Return what a check of a submission found, as a table; nothing found is said too."""
    name = safe_markdown(path, 120)
    errors = sum(note.level == "error" for note in notes)
    if not notes:
        return f"**{name}**: nothing is wrong with it."
    verdict = f"{errors} error{'s' if errors != 1 else ''}" if errors else "no errors"
    lines = [
        f"**{name}**: {verdict}.",
        "",
        "| line | | where | what | try |",
        "|--:|---|---|---|---|",
    ]
    for note in notes[:MOST_NOTES]:
        cells = (note.key, note.says, note.suggests)
        told = " | ".join(safe_markdown(cell, 300) for cell in cells)
        lines.append(f"| {note.line} | {_LEVELS[note.level]} | {told} |")
    if len(notes) > MOST_NOTES:
        lines.append(f"\n{len(notes) - MOST_NOTES} more: run `assay board check` on it.")
    return _cut("\n".join(lines))


def started(mark: Started, where: str) -> str:
    """Return what is said when a benchmark begins."""
    order = mark.order
    return "\n".join(
        [
            line_of(mark),
            f"The benchmark of {_named(order)} has begun: workflow run [{mark.run}]({where}).",
            "",
            (
                f"It asks the suite `{order.suite}` of commit `{order.head}`.  Only the submission is read"
                " from it; the code is that of the default branch."
            ),
        ]
    )


def tested(mark: Tested, run: Run, where: str) -> str:
    """Return the table of a verified run."""
    rows = _rows(run)
    lines = [
        line_of(mark),
        (
            f"The benchmark of {_named(mark.order)} is done and verified: workflow run"
            f" [{mark.run}]({where})."
        ),
        "",
        "| task | system | metric | value | n |",
        "|---|---|---|---|--:|",
        *rows[:MOST_ROWS],
    ]
    if len(rows) > MOST_ROWS:
        lines.append(f"\n{len(rows) - MOST_ROWS} more rows stand in the run.")
    lines += [
        "",
        (
            "Every number was computed again from the records, and every answer verified again, apart from"
            " the machine that ran the model.  Intervals are at 95 %."
        ),
        "",
        f"* commit `{mark.order.head}`",
        f"* seal `{mark.seal}`",
        (
            f"* the sealed run is the artifact `{ARTIFACT}` of the workflow run; sha256 of the archive"
            f" `{mark.archive}`"
        ),
        "",
        "`/push-results` publishes it.",
    ]
    return _cut("\n".join(lines))


def failed(order: Order, run: int, where: str, why: str) -> str:
    """Return what is said when a benchmark came to nothing."""
    return (
        f"The benchmark of {_named(order)} came to nothing: {safe_markdown(why, 400)}."
        f"  Workflow run [{run}]({where})."
    )


def published(mark: Published, where: str) -> str:
    """Return what is said when a run stands on the board."""
    return "\n".join(
        [
            line_of(mark),
            (
                f"{_named(mark.order)} stands on the board: commit `{mark.commit}`, seal `{mark.seal}`,"
                f" workflow run [{mark.run}]({where})."
            ),
        ]
    )


def _rows(run: Run) -> list[str]:
    rows = []
    for task, case in run.results.cases.items():
        for system in case.tables:
            estimate = case.estimate(system, case.headline.name)
            cells = (task, system, label(case.headline.name), value_and_ends(estimate))
            told = " | ".join(safe_markdown(cell, 160) for cell in cells)
            rows.append(f"| {told} | {safe_markdown(asked(estimate), 40)} |")
    return rows


def _named(order: Order) -> str:
    return f"`{order.model}`"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition("\n")[0] + "\n\n(cut)"
