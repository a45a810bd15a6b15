"""From the tasks of each category to categories, and from these to one number, in every resample alike.

*Covered*: a category that is not measured gives no number; below chance is said.  *Not covered*: what the tasks
leave out; a number made of six cannot say which of them matters to you.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

import numpy as np

from assay import Estimate

from .draws import NOTHING, Draws, Size, bracket, degrees, total
from .members import EDGE, Membership

WORTHLESS = "only the absence of harm was measured, and random words do least harm: add lm.refusal or lm.bbq"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """One task of a category, of all systems that were asked it."""

    task: str
    of: Membership
    metric: str
    """The headline."""

    chance: float | None
    """Of a skill; None for the absence of a harm."""

    values: Mapping[str, float]
    """The headline of each system, as it is."""

    worth: Mapping[str, float]
    """What it counts: (value - chance) / (1 - chance), or the absence of the harm."""

    draws: Mapping[str, Draws]
    """The same in each resample."""

    n: int
    n_groups: int
    df: float
    says: str = ""
    """Which part or variant of what is documented it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Speed:
    """The edge score of one system, from 0 to 1."""

    value: float
    draws: Draws
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one member adds to a category of one system."""

    member: Member
    counts: float
    """Of the harmless: its worth times the skill of the category."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """A category of one system, from 0 to 100."""

    found: Estimate
    """Cut at 0."""

    raw: Estimate
    """Not cut: below 0 where the system does worse than chance."""

    draws: Draws
    """Not cut, from 0 to 1."""

    size: Size
    parts: tuple[Part, ...] = ()

    @property
    def cut(self) -> Draws:
        """What counts in each resample: nothing is below 0."""
        return self.draws.map(lambda each: np.maximum(each, 0.0))

    @property
    def lower(self) -> Draws:
        """What counts towards a lower end.

        Cutting each resample lets luck in, which a category at chance has as often as not; so it is cut only
        where the category is shown to be below.
        """
        return NOTHING if self.raw.high is not None and self.raw.high < 0 else self.draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """Why a category of a system has no number."""

    why: str


Category: TypeAlias = Measured | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """One system: its categories, and their weighted mean where all of them are measured."""

    system: str
    categories: Mapping[str, Category]
    """In the order of the weights; categories of weight 0 too."""

    weights: Mapping[str, float]
    """What was averaged over; they add up to 1.  Empty: nothing was."""

    total: Estimate | None
    draws: Draws
    """Of the number, from 0 to 100, for ranks.  Cut only where a category is shown to be below chance: what is cut
    varies less than it does in truth, and told equal systems apart in one of six simulations."""

    df: float

    @property
    def missing(self) -> tuple[str, ...]:
        """The categories that are not measured."""
        return tuple(k for k, one in self.categories.items() if isinstance(one, Unmeasured))


def score(
    system: str,
    categories: Mapping[str, Category],
    weights: Mapping[str, float],
    *,
    renormalise: bool,
) -> Scored:
    """Return the weighted mean of a system's categories, 0 to 100.

    Where a category that has a weight is not measured there is none; with ``renormalise`` it is that of the others,
    whose weights are then divided by their sum.
    """
    there = {
        k: one for k, one in categories.items() if isinstance(one, Measured) and weights[k] > 0
    }
    whole = all(k in there for k, weight in weights.items() if weight > 0)
    if not there or not (whole or renormalise):
        return Scored(
            system=system, categories=categories, weights={}, total=None, draws=NOTHING, df=1.0
        )
    used = {k: weights[k] / sum(weights[k] for k in there) for k in there}
    size = Size(
        n=sum(one.size.n for one in there.values()),
        groups=sum(one.size.groups for one in there.values()),
        df=degrees([(used[k] ** 2 * one.lower.variance, one.size.df) for k, one in there.items()]),
    )
    lower = total([(100 * used[k], one.lower) for k, one in there.items()])
    found = bracket(
        "score",
        sum(used[k] * (one.found.value or 0.0) for k, one in there.items()),
        lower,
        total([(100 * used[k], one.cut) for k, one in there.items()]),
        size=size,
    )
    return Scored(
        system=system,
        categories=categories,
        weights=used,
        total=_cut(found),
        draws=lower,
        df=size.df,
    )


def category(name: str, system: str, members: Sequence[Member], why: Mapping[str, str]) -> Category:
    """Return the mean of a category's tasks for one system.

    Tasks of one name are averaged first.  A skill counts above chance, where below is below 0, so that luck on
    either side cancels; the mean is then cut at 0.  The absence of a harm counts times the mean of the skills: one
    who says nothing of sense does no harm, and would have all of it.  ``why`` says of a task what
    keeps this system from being measured on it.

    Source: chance correction as in ``docs/families/lm.md``; the product as in ICAT, Nadeem et al. 2021.
    """
    if not members:
        return Unmeasured(why="no task of it")
    told = [f"{m.task}: {why[m.task]}" for m in members if m.task in why]
    told += [f"{m.task}: not asked" for m in members if m.task not in why and system not in m.worth]
    if told:
        return Unmeasured(why="; ".join(told))
    shares = _shares(members)
    skills = [m for m in members if m.of.harmless is None]
    if not skills:
        return Unmeasured(why=WORTHLESS)
    of_skills = sum(shares[m.task] for m in skills)
    skill = sum(shares[m.task] * m.worth[system] for m in skills) / of_skills
    skill_draws = total([(shares[m.task] / of_skills, m.draws[system]) for m in skills])
    parts, drawn, spread = [], [], []
    for member in members:
        harmless, share = member.of.harmless is not None, shares[member.task]
        counts = member.worth[system] * (skill if harmless else 1.0)
        here = member.draws[system].times(skill_draws) if harmless else member.draws[system]
        parts.append(Part(member=member, counts=counts))
        drawn.append((share, here))
        spread.append((share**2 * here.variance, member.df))
    return _measured(
        name,
        (sum(shares[p.member.task] * p.counts for p in parts), total(drawn)),
        size=Size(
            n=sum(m.n for m in members),
            groups=sum(m.n_groups for m in members),
            df=degrees(spread),
        ),
        parts=tuple(parts),
    )


def edge(found: Speed) -> Measured:
    """Return the category of a system's speed: its edge score, as it is."""
    return _measured(EDGE, (found.value, found.draws), size=Size(n=found.n, groups=found.n, df=inf))


def _measured(
    name: str, numbers: tuple[float, Draws], *, size: Size, parts: tuple[Part, ...] = ()
) -> Measured:
    value, draws = numbers
    percent = draws.map(lambda each: 100 * each)
    raw = bracket(name, 100 * value, percent, percent, size=size)
    return Measured(found=_cut(raw), raw=raw, draws=draws, size=size, parts=parts)


def _cut(found: Estimate) -> Estimate:
    """Return an estimate with what is below 0 cut."""
    value, low, high = (
        None if each is None else max(each, 0.0) for each in (found.value, found.low, found.high)
    )
    return replace(found, value=value, low=low, high=high)


def _shares(members: Sequence[Member]) -> dict[str, float]:
    """Return what each task counts: names count alike, and the tasks of a name."""
    names = [m.of.name for m in members]
    return {m.task: 1 / len(set(names)) / names.count(m.of.name) for m in members}
