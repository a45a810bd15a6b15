"""What decides right or wrong in a log, and whether its records come to what it says itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import inf

from ...core.reply import Reply
from ...core.sample import Sample
from ...core.verdict import Check, Outcome, judge
from .reading import LARGEST

NEAR = 1e-6
"""Two means that differ by less are one, written with other digits."""


@dataclass(slots=True)
class Deciding:
    """What decides in each task, known from a first look at all of its rows.

    A task in which it is anything but 0 and 1 is *scored*, every reply of every system: the share
    of those that are just 1 is not what the log calls its number.
    """

    by: dict[str, str] = field(default_factory=dict)
    """Task to the metric that decides: one for all systems, which else could not be compared."""

    scored: set[str] = field(default_factory=set)

    def see(self, task: str, value: float) -> None:
        """Look at what was found of one reply."""
        if value not in (0.0, 1.0):
            self.scored.add(task)

    def check(self, task: str, value: float, others: Mapping[str, float]) -> Check:
        """Return what was found of one reply, as the whole task is read."""
        if task in self.scored:
            return Check(passed=None, scores={self.by[task]: value, **others})
        return Check(passed=value == 1.0, scores=others)


@dataclass(slots=True)
class Means:
    """What the records of each system and task come to, to be held against the log's own number.

    A mean of the means of parts: the repeats of a sample, where the log takes their mean first.
    """

    parts: dict[tuple[str, str], dict[str, tuple[float, int]]] = field(default_factory=dict)

    def add(self, task: str, system: str, value: float, part: str = "") -> None:
        """Count one reply that was observed."""
        parts = self.parts.setdefault((task, system), {})
        total, count = parts.get(part, (0.0, 0))
        parts[part] = (total + value, count + 1)

    def judge(
        self, task: str, system: str, sample: Sample, reply: Reply, check: Check | None
    ) -> None:
        """Count one reply as right or not, where that was observed."""
        outcome = judge(sample.target, reply.said, check).outcome
        if outcome not in (Outcome.CRASHED, Outcome.SCORED):
            self.add(task, system, float(outcome in (Outcome.CORRECT, Outcome.DECLINED)))

    def differs(self, task: str, system: str, name: str, told: object) -> Collection[str]:
        """Return a note where the log says another number than its records come to."""
        parts = self.parts.get((task, system), {})
        if isinstance(told, bool) or not isinstance(told, int | float) or not parts:
            return ()
        found = sum(total / count for total, count in parts.values()) / len(parts)
        said = float(told) if abs(told) < LARGEST else inf
        if abs(said - found) <= NEAR:
            return ()
        return (
            f"{task}, {system}: the results say {name} {said:.6g}, the samples come to {found:.6g}",
        )
