"""One moment of a run as text: the same words on a screen, in a log and in a pipe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..publish.watched import Moment, Phase, Running, SystemSeen
from ..publish.watched.words import ABOVE, HEAD, HOLDS, NONE, duration, money, shown, trouble
from .fitting import table
from .page import Line, Span, Style, faint, strong

if TYPE_CHECKING:
    from ..publish.watched import CellSeen

LOOKS = {
    Phase.NOT_BEGUN: Style.FAINT,
    Phase.ASKING: Style.PLAIN,
    Phase.TIMING: Style.PLAIN,
    Phase.STOPPED: Style.UNSURE,
    Phase.SEALED: Style.GOOD,
    Phase.BROKEN: Style.BAD,
}


def frame(moment: Moment) -> list[Line]:
    """Return a moment as lines."""
    lines: list[Line] = [headline(moment)]
    if moment.says:
        lines.append(faint(moment.says))
    if moment.systems:
        lines += ["", *standing(moment)]
        for task in dict.fromkeys(one.task for one in moment.systems):
            among = [one for one in moment.systems if one.task == task]
            head = tuple(faint(word) for word in HEAD)
            rows = [head, *(row(one, moment.currency) for one in among)]
            lines += ["", strong(f"Systems on {task}"), *table(rows)]
        lines += ["", *footnotes(moment)]
    if moment.notes:
        lines += ["", *(Span(f"{note}", Style.UNSURE) for note in moment.notes)]
    if moment.phase is Phase.SEALED and not moment.catching_up:
        lines += ["", f"Read it: assay report {moment.at}"]
    return lines


def headline(moment: Moment) -> Line:
    """Return which run it is, and how far."""
    named = f"{moment.name}  " if moment.name else ""
    return (
        strong(f"{named}{moment.run}"),
        "  ",
        Span(moment.phase.value, LOOKS[moment.phase]),
        faint(f"  {moment.when:%Y-%m-%d %H:%M:%S} UTC"),
    )


def standing(moment: Moment) -> list[Line]:
    """Return how much there is, how long it took and takes, and what it cost."""
    share = moment.there / moment.asked if moment.asked else 0.0
    said = [f"{moment.there:,} of {moment.asked:,} replies ({math.floor(100 * share)} %)"]
    if moment.busy_s is not None:
        said.append(f"{duration(moment.busy_s)} so far")
    if moment.left_s is not None:
        left = f"about {duration(max(moment.left_s, 1))} until everything is asked"
        said.append(left if moment.left_s else "everything is asked")
    if moment.usd is not None:
        said.append(f"{money(moment.usd, moment.currency)} spent")
    crashed = sum(one.crashed for one in moment.systems)
    if crashed:
        said.append(f"{crashed:,} not observed: they are asked again")
    lines: list[Line] = [bar(share), ", ".join(said)]
    if moment.catching_up:
        lines.append(faint(f"reading {moment.catching_up / 1e6:,.0f} MB of records that are there"))
    return lines


def bar(share: float, width: int = 40) -> str:
    """Return a bar of plain letters.

    >>> bar(0.5, 8)
    '[####    ]'
    """
    full = int(min(max(share, 0.0), 1.0) * width)
    return f"[{'#' * full}{' ' * (width - full)}]"


def row(one: SystemSeen, currency: str) -> tuple[str | Span, ...]:
    """Return what is known of a system, a cell for each word of ``HEAD``."""
    name = f"{one.system} (control)" if one.control else one.system
    cells = (
        f"{name}*" if one.withholds else name,
        f"{one.there:,} of {max(one.asked, one.there):,}",
        shown(one.right),
        shown(one.answered),
        shown(one.wrong),
        trouble(one),
        NONE if one.usd is None else money(one.usd, currency),
    )
    return tuple(map(faint, cells)) if one.control else cells


def cell_rows(one: SystemSeen) -> list[tuple[str, ...]]:
    """Return what is known of a system's cells: split, seed, replies, right."""
    return [
        (cell.split, f"seed {cell.seed}", _cell_state(cell), shown(cell.right))
        for cell in one.cells
    ]


def _cell_state(cell: CellSeen) -> str:
    if cell.finished:
        return f"all {cell.there:,}"
    return f"{cell.there:,} of {max(cell.asked, cell.there):,}" if cell.there else "not begun"


def footnotes(moment: Moment) -> list[Line]:
    """Return what the numbers have to be read with."""
    lines: list[Line] = [faint(HOLDS)]
    if any(one.withholds for one in moment.systems):
        lines.append(faint(f"* {ABOVE}: its answers all count as given."))
    if any(one.scored for one in moment.systems):
        lines.append(faint("Replies that are scored are neither right nor wrong: see the report."))
    return lines


def moment_facts(moment: Moment) -> dict[str, Any]:
    """Return a moment as plain values."""
    return {
        "run": moment.run,
        "name": moment.name,
        "phase": moment.phase.value,
        "when": moment.when.isoformat(),
        "replies": moment.there,
        "questions": moment.asked,
        "busy_s": moment.busy_s,
        "left_s": moment.left_s,
        "spent": moment.usd,
        "currency": moment.currency,
        "notes": list(moment.notes),
        "systems": [
            {
                "task": one.task,
                "system": one.system,
                "control": one.control,
                "replies": one.there,
                "questions": max(one.asked, one.there),
                "right": _running(one.right),
                "answered": _running(one.answered),
                "wrong_when_it_answers": _running(one.wrong),
                "failed": one.failed,
                "not_observed": one.crashed,
                "why": dict(one.why),
                "spent": one.usd,
                "cells": [
                    {
                        "split": cell.split,
                        "seed": cell.seed,
                        "replies": cell.there,
                        "questions": max(cell.asked, cell.there),
                        "finished": cell.finished,
                        "right": _running(cell.right),
                    }
                    for cell in one.cells
                ],
            }
            for one in moment.systems
        ],
    }


def _running(running: Running | None) -> dict[str, float] | None:
    if running is None:
        return None
    return {
        "value": round(running.value, 6),
        "low": round(running.low, 6),
        "high": round(running.high, 6),
        "groups": running.groups,
    }
