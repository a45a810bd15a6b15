"""Time contenders in interleaved rounds; a row is one contender beside assay."""

from __future__ import annotations

import ctypes
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

Side: TypeAlias = Callable[[], str]
"""A contender; it returns its note."""

HEAD = ("what", "who", "n x rounds", "CPU", "wall", "times assay's CPU", "times assay's wall", "")


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its range over the rounds."""

    median: float
    low: float
    high: float

    def show(self, form: Callable[[float], str]) -> str:
        """Return the median and the range."""
        return f"{form(self.median)} [{form(self.low)}, {form(self.high)}]"


SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contender.  Seconds of CPU (user and system) and wall; ratios are taken in each round."""

    what: str
    who: str
    n: int
    rounds: int
    cpu: Spread
    wall: Spread
    cpu_ratio: Spread | None = None
    """Its seconds over assay's; None for assay itself.  Below 1, assay loses."""

    wall_ratio: Spread | None = None
    note: str = ""
    rival: bool = True
    """False for what is shown for scale: a floor, or a part of assay's own time."""

    @property
    def lost(self) -> str:
        """Say on what assay loses, if it does."""
        if not self.rival:
            return ""
        ratios = {"CPU": self.cpu_ratio, "wall": self.wall_ratio}
        lost = [name for name, ratio in ratios.items() if ratio and ratio.median < 1]
        return f"we lose on {' and '.join(lost)}" if lost else ""


def contest(
    what: str,
    sides: Mapping[str, Side],
    *,
    n: int,
    rounds: int,
    each: Callable[[Side], tuple[float, float, str]] | None = None,
    for_scale: Sequence[str] = (),
) -> list[Row]:
    """Time every side in every round, in turning order; the first side is assay.

    A side returns its note.  One round more is run first, and not counted: it warms caches.  Sides
    that are ``for_scale`` are no rivals.
    """
    spent: dict[str, list[tuple[float, float]]] = {who: [] for who in sides}
    notes = dict.fromkeys(sides, "")
    names = list(sides)
    for number in range(-1, rounds):
        turn = max(number, 0) % len(names)
        for who in (*names[turn:], *names[:turn]):
            cpu, wall, notes[who] = (each or here)(sides[who])
            if number >= 0:
                spent[who].append((cpu, wall))
    first = spent[names[0]]
    rows = []
    for who in names:
        cpus, walls = zip(*spent[who], strict=True)
        ratios: list[Spread | None] = [None, None]
        if who != names[0]:
            ratios = [
                spread([a[k] / max(b[k], 1e-9) for a, b in zip(spent[who], first, strict=True)])
                for k in (0, 1)
            ]
        rows.append(
            Row(
                what=what,
                who=who,
                n=n,
                rounds=rounds,
                cpu=spread(cpus),
                wall=spread(walls),
                cpu_ratio=ratios[0],
                wall_ratio=ratios[1],
                note=notes[who],
                rival=who not in for_scale,
            )
        )
    return rows


def here(side: Side) -> tuple[float, float, str]:
    """Time a side in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    note = side()
    return time.process_time() - cpu, time.perf_counter() - wall, note


def children(side: Side) -> tuple[float, float, str]:
    """Time a side that starts processes, by what they used."""
    import resource  # which Windows has not: this module is imported there, too

    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    note = side()
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, note


def adopt_orphans() -> None:
    """Make what sandboxes and servers of ours leave behind our own children, whose time is counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def all_of_it(side: Side) -> tuple[float, float, str]:
    """Time a side by what this process, its children and their orphans used."""

    def waited() -> str:
        note = side()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return note

    own = time.process_time()
    cpu, wall, note = children(waited)
    return cpu + time.process_time() - own, wall, note


def spread(values: Sequence[float]) -> Spread:
    """Return the median and the range.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0)
    """
    return Spread(statistics.median(values), min(values), max(values))


def seconds(value: float) -> str:
    """Return seconds as people read them.

    >>> seconds(2e-6), seconds(0.0123), seconds(2.5)
    ('2 µs', '12.3 ms', '2.5 s')
    """
    if value < 1e-4:
        return f"{value * 1e6:.3g} µs"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for row in rows:
        ratios = [
            "1" if r is None else r.show(lambda x: f"{x:.2f}")
            for r in (row.cpu_ratio, row.wall_ratio)
        ]
        remark = "; ".join(
            part for part in (row.note, f"**{row.lost}**" if row.lost else "") if part
        )
        cells = (
            row.what,
            row.who,
            f"{row.n:,} x {row.rounds}",
            row.cpu.show(seconds),
            row.wall.show(seconds),
            *ratios,
            remark,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def load() -> str:
    """Return the load average of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())
