"""Thresholds that a plan asks for and has too few calibration groups to find."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.reply import Answer
from ..core.sample import Sample
from ..stats.threshold import accepts_needed
from ..store.canon import canonical
from .resolve import Resolved
from .resolved import ResolvedSystem, ResolvedTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Starved:
    """A system that will decline everything, whatever it answers."""

    task: str
    system: str
    max_risk: float
    delta: float
    groups: int
    """Calibration groups that the task has; with a threshold for each class, that its largest has."""

    needed: int
    """Groups that have to be accepted, none of them wrong."""

    by_class: bool = False

    @property
    def says(self) -> str:
        """What follows from it."""
        return (
            f"{self.system} will decline everything on {self.task}: a risk of at most "
            f"{100 * self.max_risk:g} % with {100 * (1 - self.delta):g} % confidence takes "
            f"{self.needed} accepted calibration groups without an error, and "
            + (
                f"its largest class has {self.groups}"
                if self.by_class
                else f"there are {self.groups}"
            )
        )

    @property
    def remedy(self) -> str:
        """What would help."""
        of = " of each class" if self.by_class else ""
        return (
            f"give the calibration split at least {self.needed} groups{of} (twice that to be safe), or "
            f"ask for max_risk {least_risk(self.groups, self.delta):.2g} or more"
        )


def starved(resolved: Resolved) -> tuple[Starved, ...]:
    """Return every system and task whose threshold no answers could give."""
    return tuple(
        found
        for task in resolved.tasks.values()
        for system in resolved.systems.values()
        if (found := _starved(task, system)) is not None
    )


def _starved(task: ResolvedTask, system: ResolvedSystem) -> Starved | None:
    if system.abstain is None or system.abstain.max_risk is None:
        return None
    # Class by class, as many classes as are right for some tune sample: each at its share of delta.
    by_class = system.abstain.per == "class"
    classes = _classes(task) if by_class else 1
    delta = system.abstain.delta / max(classes, 1)
    samples: list[Sample] = task.asked("calibration", system.limit_of("calibration"))
    groups = _largest(samples) if by_class else len({s.cluster for s in samples})
    needed = accepts_needed(system.abstain.max_risk, delta=delta)
    if groups >= needed:
        return None
    return Starved(
        task=task.name,
        system=system.name,
        max_risk=system.abstain.max_risk,
        delta=delta,
        groups=groups,
        needed=needed,
        by_class=by_class,
    )


def _largest(samples: list[Sample]) -> int:
    """Return the most groups in which one class is right.

    No more than these can be accepted without an error, and each error asks for more than one
    group on top.
    """
    of: dict[bytes, set[str]] = {}
    for sample in samples:
        if isinstance(sample.target, Answer):
            of.setdefault(canonical(sample.target.value), set()).add(sample.cluster)
    return max(map(len, of.values()), default=0)


def _classes(task: ResolvedTask) -> int:
    targets = [s.target for s in task.splits["tune"]]
    return len({canonical(t.value) for t in targets if isinstance(t, Answer)})


def least_risk(groups: int, delta: float) -> float:
    """Return the smallest risk that so many groups without an error show.

    >>> round(least_risk(149, 0.05), 3)
    0.02
    """
    return 1.0 - delta ** (1 / groups) if groups else 1.0
