"""Which systems nothing else is shown to beat.  Dominance is a claim like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .metric import Better, Estimate


class Standing(StrEnum):
    """Where a system stands."""

    ON = "on"
    """On the front of the point estimates, and nothing is shown to beat it."""
    BEATEN = "beaten"
    """Another system is shown to be better on every objective at once."""
    UNRESOLVED = "unresolved"
    """Behind on the point estimates, but not shown to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What sends some questions to one system and the rest to another, and does better."""

    left: str
    """The cheaper system."""

    right: str
    """The dearer one; the same as ``left`` where one system alone is enough."""

    share_right: float
    """Share of the questions to send to ``right``: the cost is then the same."""

    gain: float
    """Benefit of the mixture minus the system's, at the system's cost."""

    saving: float
    """Share of the system's cost that the hull saves at the system's own benefit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One system on a front."""

    system: str
    at: Mapping[str, Estimate]
    standing: Standing
    beaten_by: tuple[str, ...] = ()
    """Systems that are shown to be better on every objective."""

    behind: tuple[str, ...] = ()
    """Systems that dominate it on the point estimates, shown or not."""

    frequency: float | None = None
    """Resampling frequency of standing on the front; not a probability of truth."""

    gap: Estimate | None = None
    """Expected distance below the front, on the first objective, over the resamples."""

    hull_gap: Estimate | None = None
    """Expected distance below the hull, in the front's benefit at the system's own cost."""

    on_hull: bool = False
    """Whether no mixture of two other systems does better (benefit against cost)."""

    mixture: Mixture | None = None
    """The mixture that beats it; None on the hull, and where nothing mixes linearly."""

    mixture_beats: bool | None = None
    """With three objectives or more: whether some mixture of all systems is nowhere worse and
    somewhere better.  None: not applicable, the front's notes say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff:
    """What a system gives up and saves, against the best one on the front's benefit."""

    system: str
    against: str
    gap: Estimate | None
    """Benefit minus that of the best, on common samples; None for the best itself."""

    cost_ratio: Estimate | None
    """Dollars over those of the best: 0.04 is a twenty-fifth."""

    latency_ratio: Estimate | None
    """Mean seconds over those of the best."""

    p50: Estimate
    p99: Estimate
    usd_per_million_tokens: Estimate
    """In and out together, on this machine or at this price list."""

    right_per_usd: Estimate
    """Right answers, and right declines, for one dollar."""

    leads: float | None = None
    """Resampling frequency of giving the most right answers per dollar."""

    value_score: float | None = None
    """Legacy: a product of ratios without a unit or a bound.  Infinite where a cost is zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """For which value of a right answer a system is the best one to ask."""

    system: str
    start: Estimate
    """Dollars per right answer from which it is best."""

    end: Estimate | None = None
    """Dollars from which the next system is better; None for the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What mixtures reach at one cost."""

    cost: float
    benefit: float
    low: float | None = None
    """With ``high``: the 95 % interval over the resamples, at this cost alone."""

    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The systems of one task on a few objectives."""

    task: str
    objectives: tuple[tuple[str, Better], ...]
    points: tuple[Point, ...]
    benefit: str | None = None
    """The objective to raise that the hull is drawn in; None: there is no hull."""

    cost: str | None = None
    """The objective to lower that the hull is drawn in."""

    hull: tuple[Reach, ...] = ()
    """The hull from its cheapest vertex to the dearest system, finely enough to be drawn."""

    hypervolume: Estimate | None = None
    """Share of the box between ``reference`` and the best value of each objective that lies
    below the front."""

    reference: Mapping[str, float] = field(default_factory=dict)
    tradeoffs: tuple[Tradeoff, ...] = ()
    worth: tuple[Worth, ...] = ()
    """In order of the value, the vertices of the hull that are worth more than asking nobody."""

    notes: tuple[str, ...] = ()
    """What does not apply, and why."""

    def __str__(self) -> str:
        """Return a line for each system, as a console or a notebook prints it.

        >>> at = {"risk": Estimate(metric="risk", value=0.25, low=0.1, high=0.4, n=90)}
        >>> point = Point(system="votes", at=at, standing=Standing.ON)
        >>> print(Front(task="errands", objectives=(("risk", Better.LOWER),), points=(point,)))
        errands: lower risk
          on          votes  risk 0.25 [0.1, 0.4] at 95 %, n=90
        """
        lines = [
            f"{self.task}: " + ", ".join(f"{better} {name}" for name, better in self.objectives)
        ]
        wide = max((len(point.system) for point in self.points), default=0)
        for point in self.points:
            values = "; ".join(str(point.at[name]) for name, _ in self.objectives)
            others = f"; beaten by {', '.join(point.beaten_by)}" if point.beaten_by else ""
            if not others and point.behind:
                others = f"; behind {', '.join(point.behind)}"
            lines.append(f"  {point.standing:<10}  {point.system:<{wide}}  {values}{others}")
        return "\n".join(lines)
