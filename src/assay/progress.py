"""Tell how far a run is: bars for people who watch, a line now and then for a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def telling() -> Iterator[Teller]:
    """Yield whom to tell: bars on a terminal, else a line about every ten seconds."""
    with Bars() if is_terminal(sys.stderr) else Lines(sys.stderr) as teller:
        yield teller


class Bars:
    """A bar per system, with rate and time left."""

    def __init__(self) -> None:
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
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._end()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
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
        self._progress.update(bar, rate=_rate(speed))
        if self._progress.finished and self._status is None:
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

    def __init__(self, stream: TextIO, *, every: float = EVERY_S) -> None:
        self._stream, self._every = stream, every
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
            self.note(f"{phase}: {left:,} questions to {n} system{'s' if n > 1 else ''}")

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
            parts.append(f"{system} {done:,} of {total:,}{left}")
        return f"{self._phase}, {_clock(passed)}: {'; '.join(parts) or AFTER}"


def _rate(speed: float | None) -> str:
    if not speed:
        return ""
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
