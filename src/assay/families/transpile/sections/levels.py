"""``transpile.levels``: how far each system gets through the ten levels of Py2Rs, in every report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay import Estimate, Outcome, Run, Sample
from assay.estimates import facts
from assay.sections import Block, Fold, Para, Row, Section, Span, Table, cell

from ..levels import LEVELS, Level
from ..tasks.composite import COMPOSITE, RIGHT, tag_of

TASK = "transpile.py2rs"
ALL, SOME, NONE, EMPTY = "●", "◐", "○", "·"
LEGEND = (
    f"{ALL} every program of the level is right at the first turn, {SOME} some are, or only in a later "
    f"turn, {NONE} none is, {EMPTY} the level has no program."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one system does on one level."""

    level: Level
    right: Estimate
    later: int
    """Replies that were right only after others in earlier turns."""

    @property
    def mark(self) -> str:
        """One of four circles."""
        match self.right.value:
            case None:
                return EMPTY
            case 0.0:
                return NONE
            case 1.0 if not self.later:
                return ALL
            case _:
                return SOME


def levels(run: Run) -> Section | None:
    """Return what a run says of the levels; None where it has no such task.

    A share is the accuracy of the task on the programs of a level, with its interval; the composite
    score and the circles are explained in ``docs/families/transpile.md``.
    """
    tasks = [name for name, task in run.manifest.tasks.items() if task.use == TASK]
    if not tasks:
        return None
    found = {
        task: {system: standings(run, task, system) for system in _systems(run)} for task in tasks
    }
    blocks: list[Block] = []
    for task, systems in found.items():
        parts = _blocks(run, task, systems)
        blocks += (
            parts if len(tasks) == 1 else [Section(f"levels-{len(blocks)}", task, tuple(parts))]
        )
    return Section(
        "levels",
        "The ten levels of Py2Rs",
        tuple(blocks),
        {task: _facts(run, task, systems) for task, systems in found.items()},
    )


def standings(run: Run, task: str, system: str) -> tuple[Standing, ...]:
    """Return how a system does on each level that was asked, in their order."""
    later: dict[str, int] = {}
    tags: set[str] = set()
    for seed in run.manifest.systems[system].seeds:
        for sample, record in run.read(system, task=task, seed=seed):
            tags |= sample.tags
            if record.earlier and record.verdict.outcome is Outcome.CORRECT:
                later[_level(sample)] = later.get(_level(sample), 0) + 1
    return tuple(
        Standing(
            level=level,
            right=run.estimate(RIGHT.name, system, task=task, tag=tag_of(level)),
            later=later.get(tag_of(level), 0),
        )
        for level in LEVELS
        if tag_of(level) in tags
    )


def _level(sample: Sample) -> str:
    [tag] = sample.tags & {tag_of(level) for level in LEVELS}
    return tag


def _systems(run: Run) -> list[str]:
    """Return the systems in the plan's order, controls last."""
    named = [system.name for system in run.loaded.plan.systems]
    return [*named, *(system for system in run.manifest.systems if system not in named)]


def _circles(standing: Sequence[Standing]) -> str:
    marks = {each.level.number: each.mark for each in standing}
    return "".join(marks.get(level.number, EMPTY) for level in LEVELS)


def _blocks(run: Run, task: str, systems: Mapping[str, Sequence[Standing]]) -> list[Block]:
    controls = [system for system in systems if run.manifest.systems[system].control]
    rivals = [system for system in systems if system not in controls]
    asked = {each.level for system in rivals for each in systems[system]}
    weight = sum(level.weight for level in asked)
    rows = [
        Row(
            (
                Span(system, "name"),
                _circles(standing),
                cell(run.estimate(COMPOSITE.name, system, task=task)),
            ),
            "control" if system in controls else "",
        )
        for system, standing in systems.items()
    ]
    return [
        Para(
            "The composite score adds the share of each level that is right, by its weight, and is 100 where "
            f"everything is.  {len(asked)} levels with a weight of {weight:g} were asked."
        ),
        Table(says=LEGEND, header=("system", "levels 1-10", "composite"), rows=tuple(rows)),
        _table(systems, rivals),
        Fold("Controls, level by level", (_table(systems, controls),)),
    ]


def _table(systems: Mapping[str, Sequence[Standing]], shown: Sequence[str]) -> Table:
    right = {(system, each.level): each.right for system in shown for each in systems[system]}
    rows = [
        Row(
            (
                f"L{level.number} {level.name}",
                level.difficulty,
                f"{level.weight:g}",
                *(
                    cell(right[system, level]) if (system, level) in right else Span("-", "muted")
                    for system in shown
                ),
            )
        )
        for level in LEVELS
        if any((system, level) in right for system in shown)
    ]
    return Table(
        says="Programs that are translated right, of each level; intervals are two-sided 95 %, over programs of that level.",
        header=("level", "difficulty", "weight", *shown),
        rows=tuple(rows),
    )


def _facts(run: Run, task: str, systems: Mapping[str, Sequence[Standing]]) -> dict[str, Any]:
    return {
        system: {
            "control": run.manifest.systems[system].control,
            "levels_1_10": _circles(standing),
            "composite": facts(run.estimate(COMPOSITE.name, system, task=task)),
            "levels": [
                {
                    "level": each.level.number,
                    "name": each.level.name,
                    "difficulty": each.level.difficulty,
                    "weight": each.level.weight,
                    "mark": each.mark,
                    "right_in_a_later_turn": each.later,
                    "right": facts(each.right),
                }
                for each in standing
            ],
        }
        for system, standing in systems.items()
    }
