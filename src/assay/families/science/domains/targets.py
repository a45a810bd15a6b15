"""What is asked of a row: a value, an interval that holds it, or a limit that it lies beyond."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from assay import Answer, Bottom

from .sheet import Cell, Sheet, read_cell

BELOW, ABOVE = "below", "above"
Censored: TypeAlias = Literal["none", "below", "above", "both"]
Limits: TypeAlias = tuple[float | None, float | None]
"""The lowest and the highest value that can be told, if there are such."""

_MARKED = re.compile(r"([<>])=?\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Told:
    """What a row says of its value."""

    value: float
    """The value; of an interval its middle; where there is a reason, the limit."""

    reason: str = ""
    """Why there is no value; empty where there is one."""

    ends: tuple[float, float] | None = None
    """Of an interval."""

    def target(self) -> Answer | Bottom:
        """Return it as a sample's target: ends are the scores, a limit is the proposal.

        >>> Told(5.0, "below").target()
        Bottom(reason='below', proposal=Answer(value=5.0, confidence=None, scores={}))
        """
        if self.reason:
            return Bottom(self.reason, Answer(self.value))
        if self.ends is None:
            return Answer(self.value)
        return Answer(self.value, scores={"lower": self.ends[0], "upper": self.ends[1]})


def limited(told: Told, limits: Limits) -> Told:
    """Return what is left of a value when one at or beyond a limit cannot be told.

    >>> limited(Told(3.0), (3.0, None)), limited(Told(4.0), (3.0, None))
    (Told(value=3.0, reason='below', ends=None), Told(value=4.0, reason='', ends=None))
    """
    low, high = limits
    if told.reason:
        return told
    if low is not None and told.value <= low:
        return Told(low, BELOW)
    return Told(high, ABOVE) if high is not None and told.value >= high else told


def of_values(sheet: Sheet, column: str, censored: Censored) -> Iterator[Told | None]:
    """Yield what each row says in a column of values, ``<5`` and ``>5`` among them; None: nothing.

    Raises ``DataError`` A200 with the line for text that is neither, and for a mark that
    ``censored`` does not declare: what is asked must not depend on what a file happens to hold.
    """
    place = sheet.place(column)
    for row in range(len(sheet.rows)):
        cell = read_cell(sheet, row, place)
        if not isinstance(cell, str):
            yield None if cell is None else Told(cell)
            continue
        marked = _MARKED.fullmatch(cell)
        if marked is None:
            raise sheet.wrong(
                row,
                f"the target {column!r} is no number: {cell[:40]!r}",
                "write a number; a value beyond a limit as `<5` or `>5`",
            )
        reason = BELOW if marked[1] == "<" else ABOVE
        _check_declared(sheet, row, reason, censored)
        yield Told(float(marked[2]), reason)


def of_intervals(sheet: Sheet, columns: Sequence[str], censored: Censored) -> Iterator[Told | None]:
    """Yield what each row says in the columns of a lower and an upper end; an open one is empty.

    Raises ``DataError`` A200 with the line for an end that is no number, ends in the wrong order,
    and an open end that ``censored`` does not declare.
    """
    lower, upper = (sheet.place(column) for column in columns)
    for row in range(len(sheet.rows)):
        low, high = _end(sheet, row, lower), _end(sheet, row, upper)
        if low is None and high is None:
            yield None
        elif low is None or high is None:
            reason = BELOW if low is None else ABOVE
            _check_declared(sheet, row, reason, censored)
            yield Told(low if low is not None else high, reason)  # type: ignore[arg-type]
        elif low > high:
            raise sheet.wrong(
                row,
                f"the interval ends ({high:g}) before it begins ({low:g})",
                f"exchange {columns[0]!r} and {columns[1]!r}",
            )
        elif low == high:
            yield Told(low)
        else:
            yield Told(low + (high - low) / 2, ends=(low, high))


def _end(sheet: Sheet, row: int, place: int) -> float | None:
    cell: Cell = read_cell(sheet, row, place)
    if isinstance(cell, str):
        raise sheet.wrong(
            row,
            f"{sheet.names[place]!r} is no number: {cell[:40]!r}",
            "write a number, or leave the field empty where the interval is open",
        )
    return cell


def _check_declared(sheet: Sheet, row: int, reason: str, censored: Censored) -> None:
    if censored not in (reason, "both"):
        raise sheet.wrong(
            row,
            f"the value lies {reason} a limit, and the plan says `censored: {censored}`",
            f"say `censored: {reason}`, or `both`, if such rows have no value to answer",
        )
