"""The front of a cohort: which rows nothing is shown to beat on every objective at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.front import Standing
from .measuring import objectives_of
from .sheet import Column, Row
from .standing import ALPHA, Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFront:
    """Where the rows of a cohort stand; empty where none has all objectives."""

    objectives: tuple[str, ...] = ()
    standing: Mapping[int, str] = field(default_factory=dict)

    def said(self, rows: Sequence[Row]) -> dict[str, Any] | None:
        """Return the front as plain values."""
        if not self.standing:
            return None
        on = [rows[i].id for i, word in sorted(self.standing.items()) if word == Standing.ON.value]
        return {"objectives": list(self.objectives), "on": on}


def front_of(
    rows: Sequence[Row],
    columns: Mapping[str, Column],
    rankings: Mapping[str, Ranking],
    headline: Column,
) -> BoardFront:
    """Return where every row under test stands that has the headline, dollars and latency.

    Rows of one run are compared as its own front was, time blocks paired; rows of two runs by the paired headline and
    by intervals of what was timed apart.  *Beaten* needs a p-value below 5 % over the number of ordered pairs on every
    objective (intersection-union, Bonferroni).

    *Not to be trusted when* two runs were timed while their machines were doing different things.
    """
    task = headline.task or min(rows[0].card.tasks)
    metric = rows[0].card.tasks[task].headline
    objectives = objectives_of(metric)
    ids = tuple(f"{name}@{task}" for name in objectives)
    sound = all(name in columns and columns[name].facts.better != "none" for name in ids)
    if not sound or priced_apart(rows):
        return BoardFront()
    values: dict[int, list[float]] = {}
    for i, row in enumerate(rows):
        cells = [row.measured[task].numbers.get(name) for name in objectives]
        found = [n.value for n in cells if n is not None and n.value is not None]
        if len(found) == len(objectives) and not row.control and not row.card.stopped:
            values[i] = [
                -v if columns[name].facts.better == "lower" else v
                for v, name in zip(found, ids, strict=True)
            ]
    level = ALPHA / max(len(values) * (len(values) - 1), 1)
    named = sorted(values)
    at = np.array([values[i] for i in named]).reshape(len(named), len(objectives))
    over = at[:, None, :] - at[None, :, :]
    behind = {named[k] for k in np.flatnonzero(((over >= 0).all(2) & (over > 0).any(2)).any(0))}
    beaten = set()
    for a, b in np.argwhere((over > 0).all(2)).tolist():
        one, other = named[a], named[b]
        if rows[one].card.seal == rows[other].card.seal:
            p = _within(rows, one, other, task)
        else:
            p = _across([rankings[name] for name in ids], one, other)
        if p is not None and p <= level:
            beaten.add(other)
    words = {
        i: Standing.BEATEN if i in beaten else Standing.UNRESOLVED if i in behind else Standing.ON
        for i in values
    }
    return BoardFront(objectives=ids, standing={i: word.value for i, word in words.items()})


def priced_apart(rows: Sequence[Row]) -> bool:
    """Whether dollars of some rows were reckoned with other prices than those of others: they compare prices then."""
    return len({row.card.prices for row in rows if not row.control}) > 1


def _within(rows: Sequence[Row], one: int, other: int, task: str) -> float | None:
    names = rows[one].system, rows[other].system
    for told in rows[one].card.beats:
        if told.task == task:
            return next((p for a, b, p in told.pairs if (a, b) == names), None)
    return None


def _across(rankings: Sequence[Ranking], one: int, other: int) -> float | None:
    found = [ranking.p_ahead(one, other) for ranking in rankings]
    known = [p for p in found if p is not None]
    return max(known) if len(known) == len(found) else None
