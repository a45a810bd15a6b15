"""Rows and columns of a cohort, and what stands where they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .card import Card, ColumnFacts, Measured, Number

TOTALS = ("aggregate", "renormalised")
BYTES = ColumnFacts(
    metric="bytes",
    label="file size",
    says="bytes of the files that it loads; what is made of them here does not count",
    unit="bytes",
    better="lower",
    bounds=(0.0, None),
    ratio=True,
    group="size",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system of one run, as it stands on the board."""

    id: str
    card: Card
    system: str
    label: str
    measured: Mapping[str, Measured]

    @property
    def control(self) -> bool:
        """Whether it knows nothing of the task."""
        return self.card.systems[self.system].control

    def number(self, column: Column) -> Number | str | None:
        """Return what stands in a column: a number, why there is none, or nothing."""
        if column.task is None:
            return next(
                (
                    s.cells.get(self.system)
                    for s in self.card.scores
                    if (s.source, s.column.metric) == (column.source, column.facts.metric)
                ),
                self._bytes() if column.facts is BYTES else None,
            )
        found = self.measured[column.task].numbers.get(column.facts.metric)
        return found if found is None or found.value is not None else _why(found)

    def _bytes(self) -> Number | None:
        files = [f for f in self.card.systems[self.system].files if not f.made]
        if not files:
            return None
        return Number(
            value=float(sum(f.size for f in files)),
            low=None,
            high=None,
            confidence=0.95,
            sides=2,
            n=len(files),
            n_groups=len(files),
            n_seeds=1,
            over=(),
            method=BYTES.says,
            origin=self.card.systems[self.system].origin,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a cohort."""

    facts: ColumnFacts
    task: str | None = None
    source: str | None = None

    @property
    def id(self) -> str:
        """What it is called."""
        where = self.task or self.source
        return self.facts.metric if where is None else f"{self.facts.metric}@{where}"

    @property
    def said(self) -> dict[str, Any]:
        """What the board says of it."""
        low, high = self.facts.bounds
        return {
            "id": self.id,
            "label": self.facts.label,
            "task": self.task,
            "metric": self.facts.metric,
            "group": self.facts.group,
            "unit": self.facts.unit,
            "better": self.facts.better,
            "bounds": None if low is None or high is None else [low, high],
            "says": self.facts.says,
        }


def columns_of(rows: Sequence[Row]) -> list[Column]:
    """Return the columns in which some row has a number, and every headline."""
    found: dict[str, Column] = {}
    for row in rows:
        made = [Column(facts=s.column, source=s.source) for s in row.card.scores]
        made += [
            Column(facts=facts, task=name)
            for name, task in sorted(row.card.tasks.items())
            for facts in task.columns
        ]
        for column in (*made, Column(facts=BYTES)):
            found.setdefault(column.id, column)
    headlines = {f"{t.headline}@{name}" for name, t in rows[0].card.tasks.items()}
    return [
        column
        for column in found.values()
        if column.id in headlines or any(isinstance(row.number(column), Number) for row in rows)
    ]


def headline_of(columns: Sequence[Column], rows: Sequence[Row]) -> Column:
    """Return the column that a cohort is ranked by: a score over several tasks, or the first task's headline."""
    for total in TOTALS:
        for column in columns:
            scored = column.facts.group == "score" and column.facts.metric == total
            if scored and any(isinstance(r.number(column), Number) for r in rows if not r.control):
                return column
    card = rows[0].card
    task = min(card.tasks)
    wanted = f"{card.tasks[task].headline}@{task}"
    return next(column for column in columns if column.id == wanted)


def _why(number: Number) -> str:
    return f"not measured: {number.method.removeprefix('undefined: ') or 'no records'}"
