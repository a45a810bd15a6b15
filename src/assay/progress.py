"""Tell how far a run is: bars for people who watch, a line now and then for a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from .visible import is_terminal, plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.status import Status

    from .engine.teller import Teller

EVERY_S = 10.0
"""Seconds between two lines in a log."""

AFTER = "putting it together"
"""What goes on when every question of a phase has its reply."""


class Unit(Enum):
    """What is counted."""

    QUESTIONS = "questions"
    BYTES = "bytes"

    def count(self, amount: int) -> str:
        """Return an amount as it is shown."""
        return sized(amount) if self is Unit.BYTES else f"{amount:,}"

    @property
    def after(self) -> str:
        """Say what goes on when all of them are there."""
        return "checking what came" if self is Unit.BYTES else AFTER

    def rate(self, speed: float) -> str:
        """Return an amount each second as it is shown."""
        if self is Unit.BYTES:
            return f"{sized(round(speed))}/s"
        return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s"

    def all(self, amount: int, things: int) -> str:
        """Return how much there is to do."""
        if self is Unit.BYTES:
            return f"{sized(amount)} in {things} file{'s' if things > 1 else ''}"
        return f"{amount:,} questions to {things} system{'s' if things > 1 else ''}"


BYTES = Unit.BYTES


def sized(count: int) -> str:
    """Return a number of bytes as people read it, in powers of 1000.

    >>> sized(999), sized(1_000), sized(98_362_432), sized(1_117_320_768)
    ('999 B', '1.0 kB', '98.4 MB', '1.1 GB')
    """
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if round(size, 1) < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


@contextmanager
def telling(unit: Unit = Unit.QUESTIONS) -> Iterator[Teller]:
    """Yield whom to tell: bars on a terminal, else a line about every ten seconds."""
    shown = Bars(unit=unit) if is_terminal(sys.stderr) else Lines(sys.stderr, unit=unit)
    with shown as teller:
        yield teller


class Bars:
    """A bar per system, with rate and time left."""

    def __init__(self, *, unit: Unit = Unit.QUESTIONS) -> None:
        self._unit = unit
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """Draw a bar for each system that has something left."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._end()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            DownloadColumn() if self._unit is Unit.BYTES else MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
        )
        self._bars = {
            system: self._progress.add_task(plain(system), total=total, rate="")
            for system, total in totals.items()
            if total
        }
        if self._bars:
            self._progress.console.print(plain(phase), style="bold", markup=False)
            self._progress.start()

    def advance(self, system: str, replies: int) -> None:
        """Move the bar of a system; behind the last reply something else takes its time."""
        bar = self._bars.get(system)
        if self._progress is None or bar is None:
            return
        self._progress.advance(bar, replies)
        speed = self._progress.tasks[list(self._bars).index(system)].speed
        self._progress.update(bar, rate=self._unit.rate(speed) if speed else "")
        over = self._progress.finished and self._unit is Unit.QUESTIONS
        if over and self._status is None:
            self._progress.stop()
            self._status = self._progress.console.status(AFTER)
            self._status.start()

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        if self._progress is None:
            sys.stderr.write(plain(text) + "\n")
        else:
            self._progress.console.print(plain(text), markup=False, highlight=False)

    def _end(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._progress is not None:
            self._progress.stop()


class Lines:
    """A line about every ten seconds, also while nothing comes: a log shows that it lives."""

    def __init__(
        self, stream: TextIO, *, every: float = EVERY_S, unit: Unit = Unit.QUESTIONS
    ) -> None:
        self._stream, self._every, self._unit = stream, every, unit
        self._phase = ""
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._since = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """Say what begins."""
        self._phase, self._totals, self._done = phase, dict(totals), dict.fromkeys(totals, 0)
        self._since = time.monotonic()
        if left := sum(totals.values()):
            n = sum(map(bool, totals.values()))
            self.note(f"{phase}: {self._unit.all(left, n)}")

    def advance(self, system: str, replies: int) -> None:
        """Count."""
        self._done[system] = self._done.get(system, 0) + replies

    def note(self, text: str) -> None:
        """Print a line."""
        self._stream.write(plain(text) + "\n")
        self._stream.flush()

    def _tick(self) -> None:
        while not self._over.wait(self._every):
            if self._phase:
                self.note(self._line())

    def _line(self) -> str:
        passed = time.monotonic() - self._since
        parts = []
        for system, total in self._totals.items():
            done = self._done.get(system, 0)
            if done >= total:
                continue
            speed = done / passed if passed else 0.0
            left = f", about {_clock((total - done) / speed)} left" if speed else ""
            count = self._unit.count
            parts.append(f"{system} {count(done)} of {count(total)}{left}")
        return f"{self._phase}, {_clock(passed)}: {'; '.join(parts) or self._unit.after}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
