"""What a run is going to ask, as its plan and manifest say: which cells, and how many questions each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from ...core.errors import AssayError
from ...core.record import Cell
from ...core.system import Draws
from ...engine.plan import LoadedPlan, load_plan
from ...engine.plugins import make_recipe
from ...store.canon import open_plain
from ...store.manifest import Manifest, SystemFacts
from ...store.rundir import NAME, RunDir

MOST_CELLS = 20_000
"""Cells that are looked at; a plan has tens."""


class _Member(msgspec.Struct, frozen=True, gc=False):
    group: str


_decode = msgspec.json.Decoder(_Member).decode_lines


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a task's test samples."""

    sizes: Mapping[str, int]
    """Of those with more than one sample."""

    most: int


def groups_of(samples: Path) -> Groups:
    """Count the samples of each group, a piece of the file at a time."""
    counts: Counter[str] = Counter()
    try:
        with open_plain(samples) as file:
            while piece := file.read(1 << 22):
                counts.update(row.group for row in _decode(piece + file.readline()))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Groups({}, 1)
    return Groups({name: n for name, n in counts.items() if n > 1}, max(counts.values(), default=1))


@dataclass
class Expected:
    """A run's plan and manifest, as far as they say what is asked."""

    run: RunDir
    manifest: Manifest
    unknown: list[str] = field(default_factory=list)
    """What could not be read, in words."""

    @cached_property
    def plan(self) -> LoadedPlan | None:
        """The plan; None where it cannot be read, and less is known beforehand."""
        if not self.run.plan.is_file():
            self.unknown.append("the plan cannot be read: it is no file")
            return None
        try:
            return load_plan(self.run.plan, self.manifest.overrides)
        except AssayError as error:
            self.unknown.append(f"the plan cannot be read: {error.what}")
            return None

    @cached_property
    def cells(self) -> Mapping[Cell, int]:
        """Every cell that is asked, and how many questions."""
        found: dict[Cell, int] = {}
        for task, facts in self.manifest.tasks.items():
            for system in self._in_order():
                how = self.manifest.systems[system]
                if how.of is not None or not _are_names(task, system):
                    continue
                for split in self._splits(system, how):
                    if split not in facts.splits:
                        continue
                    n = facts.splits[split].samples
                    if how.limit is not None and split in self._limited(system, how):
                        n = min(n, how.limit)
                    n *= self._attempts(task, how) if split == "test" else 1
                    for seed in how.seeds:
                        found[Cell(task=task, system=system, seed=seed, split=split)] = n
                        if len(found) == MOST_CELLS:
                            return found
        return found

    @property
    def timed(self) -> int:
        """Files that the serial pass writes when it is done."""
        return self.plan.plan.timing.processes * len(self.manifest.tasks) if self.plan else 0

    @property
    def may_stop(self) -> bool:
        """Whether the run ends once its claims are decided."""
        return self.plan is not None and self.plan.plan.stop is not None

    def groups(self, task: str) -> Groups:
        """Return the groups of a task's test samples."""
        return groups_of(self.run.samples(task, "test"))

    def _in_order(self) -> list[str]:
        """Return the systems as the plan has them, controls last."""
        named = [ref.name for ref in self.plan.plan.systems] if self.plan else []
        known = [name for name in named if name in self.manifest.systems]
        return list(dict.fromkeys((*known, *self.manifest.systems)))

    def _abstains(self, system: str, how: SystemFacts) -> bool:
        aims: tuple[Any, ...] = (how.max_risk, how.coverage, how.utility, how.metric)
        lends = any(other.of == system for other in self.manifest.systems.values())
        return lends or any(aim is not None for aim in aims)

    def _splits(self, system: str, how: SystemFacts) -> tuple[str, ...]:
        if self._abstains(system, how):
            return ("tune", "calibration", "test")
        cascades = self.plan.plan.cascades if self.plan else []
        if any(system in cascade.order for cascade in cascades):
            return ("calibration", "test")
        return ("test",)

    def _limited(self, system: str, how: SystemFacts) -> tuple[str, ...]:
        return ("test",) if self._abstains(system, how) else ("test", "calibration")

    def _attempts(self, task: str, how: SystemFacts) -> int:
        refs = self.plan.plan.tasks if self.plan else []
        attempts = next((ref.attempts for ref in refs if (ref.name or ref.use) == task), 1)
        if attempts == 1:
            return 1
        try:
            recipe = make_recipe(
                how.use, dict(how.options), where=str(self.run.plan), base=self.run.root
            )
        except AssayError:
            return 1  # more replies than expected are shown as they come
        return attempts if isinstance(recipe, Draws) and recipe.draws else 1


def _are_names(*names: str) -> bool:
    """Whether names that a manifest holds can be names of files: a stranger may have written it."""
    return all(NAME.fullmatch(name) for name in names)
