"""Time contenders in interleaved rounds; a row is one contender beside assay."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
HEAD = ("what", "who", "n x rounds", "CPU", "wall", "times assay's CPU", "times assay's wall", "")


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its range over the rounds."""

    median: float
    low: float
    high: float

    def show(self, form: Callable[[float], str]) -> str:
        """Write the median and the range."""
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
    sides: Mapping[str, Callable[[], str]],
    *,
    n: int,
    rounds: int,
    each: Callable[[Callable[[], str]], tuple[float, float, str]] | None = None,
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
        times = spread(cpus), spread(walls), *ratios
        rows.append(Row(what, who, n, rounds, *times, notes[who], who not in for_scale))
    return rows


def here(side: Callable[[], str]) -> tuple[float, float, str]:
    """Time a side in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    note = side()
    return time.process_time() - cpu, time.perf_counter() - wall, note


def children(side: Callable[[], str]) -> tuple[float, float, str]:
    """Time a side that starts processes, by what they used."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    note = side()
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, note


def adopt_orphans() -> None:
    """Make what sandboxes and servers of ours leave behind our own children, whose time is counted."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def all_of_it(side: Callable[[], str]) -> tuple[float, float, str]:
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
    return Spread(statistics.median(values), min(values), max(values))


def seconds(value: float) -> str:
    if value < 1e-4:
        return f"{value * 1e6:.3g} µs"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table."""
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


def tell(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows for people, or for ``run.py``."""
    print(json.dumps([asdict(row) for row in rows]) if as_json else table(rows))


def given() -> tuple[bool, bool]:
    """Return whether ``--quick`` and ``--json`` were given."""
    unknown = set(sys.argv[1:]) - {"--quick", "--json"}
    if unknown:
        sys.exit(f"unknown: {' '.join(sorted(unknown))}; known: --quick, --json")
    return "--quick" in sys.argv, "--json" in sys.argv


def read_rows(text: str) -> list[Row]:
    """Read what ``tell`` wrote for ``run.py``."""
    spreads = ("cpu", "wall", "cpu_ratio", "wall_ratio")
    return [
        Row(**{k: Spread(**v) if k in spreads and v else v for k, v in row.items()})
        for row in json.loads(text)
    ]


def load() -> str:
    """Return the load average of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())
