"""``science.evidence``: what reports say of every task whose values may not be there."""

from __future__ import annotations

from typing import Any

from assay import Run
from assay.sections import Block, Para, Section, colours

from .borderline import borderline
from .confusion import confusion
from .dose import dose
from .ik import ik
from .reading import Evidence, read_task
from .rf import rf
from .rivals import fronts, pairs
from .thresholds import sweeps

OF_A_DOMAIN = {
    "dose": ("Along the IC50", dose),
    "rf": ("Along the frequency", rf),
    "ik": ("Across the workspace", ik),
}
"""What a domain has of its own: a title, and what it shows."""


def evidence(run: Run) -> Section | None:
    """Return what a run says of its science tasks; None where it has none.

    Figures are of test records, with thresholds of the plan applied, and choose nothing.
    """
    tasks = [name for name, task in run.manifest.tasks.items() if task.use.startswith("science.")]
    tasks = [name for name in tasks if run.manifest.tasks[name].redistributable]
    if not tasks or not run.loaded.plan.systems:
        return None
    palette = colours(run)
    found = [(task, read_task(run, task, palette)) for task in tasks]
    facts = {task: _facts(one) for task, one in found}
    if len(found) == 1:
        return Section(
            "evidence", "Values that may not be there", tuple(_blocks(found[0][1], "")), facts
        )
    parts = tuple(
        Section(f"evidence-{i}", task, tuple(_blocks(one, f"-{i}")))
        for i, (task, one) in enumerate(found)
    )
    return Section("evidence", "Values that may not be there", parts, facts)


def _blocks(one: Evidence, tail: str) -> list[Block]:
    made = [
        ("said", "What was said of what is there", confusion(one)),
        ("sweep", "Where to draw the line", [*sweeps(one), *borderline(one)]),
        ("planes", "What pulls apart", [*fronts(one), *pairs(one)]),
    ]
    domain = one.use.removeprefix("science.").removesuffix("-classic")
    if domain in OF_A_DOMAIN:
        title, of = OF_A_DOMAIN[domain]
        made.append((domain, title, of(one)))
    blocks: list[Block] = [Para(one.unread, "note")] if one.unread else []
    return blocks + [
        Section(f"evidence-{name}{tail}", title, tuple(parts))
        for name, title, parts in made
        if parts
    ]


def _facts(one: Evidence) -> dict[str, Any]:
    """Return counts of what was said, by system."""
    asked = one.asked
    return {
        system: {
            f"{true} said {word}": n
            for true in ("value", *asked.reasons)
            for word in ("value", *asked.reasons, "no reason", "failed")
            if (
                n := sum(
                    int(((asked.truth == true) & (s.word == word) & s.asked).sum()) for s in seeds
                )
            )
        }
        for system, seeds in one.said.items()
    }
