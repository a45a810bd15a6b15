"""When a request is sent: no more than so much a minute, none while a server asks for a pause, and later again after a refusal.

*Covered*: what is sent by one system of one run, all of its questions together.  *Not covered*: two systems, or two
runs, that share an account; each keeps to its own numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from random import Random

FIRST_S, LONGEST_S = 0.5, 8.0
"""Seconds before the second try and, doubled from try to try, at most."""

PATIENCE_S = 60.0
"""Seconds that one question waits for other tries, all together.  A wait that a server asks for and
that would be longer is a crash: the engine takes a system that is silent for long for hung."""

SHARE = 0.98
"""Requests leave at this share of the rate: those that the way delays by half a second do not break a minute."""

LATE_S = 0.5
"""A turn that came late is made up for, by so much at most."""

NOTHING_S = 1e-6
"""A wait that is none: a clock need not tell it from now."""

BURST = 0.1
"""Share of a minute's tokens that may go at once."""


@dataclass(slots=True)
class Turns:
    """Lets requests go one after the other, so that no minute has more than it may.

    Requests are spaced evenly.  Tokens fill up evenly, to a tenth of a minute's: what may go at once and what comes
    in a minute are together what a minute may have.
    """

    per_minute: float | None
    tokens_per_minute: float | None = None
    free: float = 0.0
    """When the next may go, on the clock of the event loop."""

    _held: float = 0.0
    """Until when nobody goes."""

    _tokens: float = 0.0
    """Tokens that may go now; fewer than none where an answer was longer than its share."""

    _largest: float = 0.0
    _since: float | None = None
    _line: asyncio.Lock = field(default_factory=asyncio.Lock)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, tokens: float = 0.0) -> None:
        """Wait for the next turn, first come, first served; ``tokens`` is what the request takes, at most."""
        queued = self._line.locked()
        async with self._line:
            while (wait := self._wait(tokens)) > NOTHING_S:
                queued = True
                self._moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._moved.wait()
            self._tokens -= tokens
            if self.per_minute is not None:
                now = _now()
                # Whoever stood in line goes when it was due; after a pause with nobody in line nothing is made up for.
                due = max(self.free, now - LATE_S) if queued else now
                self.free = due + 60.0 / (SHARE * self.per_minute)

    def hold(self, seconds: float) -> None:
        """Let nobody go for so long: a server that asks one to wait means all."""
        self._held = max(self._held, _now() + seconds)

    def give_back(self, tokens: float) -> None:
        """Say that a request took so many tokens fewer than it had; below zero, more."""
        self._tokens += tokens
        self._moved.set()

    def _wait(self, tokens: float) -> float:
        """Return seconds until a request for so many tokens may go; none left: 0 or less."""
        now = _now()
        until = self._held if self.per_minute is None else max(self._held, self.free)
        wait = until - now
        if self.tokens_per_minute is None:
            return wait
        # One request may take more than may go at once; then less comes back in a minute.
        half = self.tokens_per_minute / 2
        self._largest = max(self._largest, min(tokens, half))
        room = max(BURST * self.tokens_per_minute, self._largest)
        each_s = SHARE * (self.tokens_per_minute - room) / 60.0
        if self._since is None:
            self._tokens, self._since = room, now
        self._tokens = min(room, self._tokens + each_s * (now - self._since))
        self._since = now
        return max(wait, (min(tokens, room) - self._tokens) / each_s)


def _now() -> float:
    return asyncio.get_running_loop().time()


def wait_before(attempt: int, *, asked: float | None, rng: Random) -> float:
    """Return seconds to wait before the try ``attempt`` (from 1).

    What the server asked for, and up to a tenth more; else a half to the whole of a wait that
    doubles from try to try, so that clients that were refused together do not come back together.

    >>> wait_before(1, asked=2.0, rng=Random(0)) >= 2.0
    True
    >>> [0.25 <= wait_before(1, asked=None, rng=Random(i)) <= 0.5 for i in range(2)]
    [True, True]
    """
    if asked is not None:
        return asked * (1.0 + 0.1 * rng.random())
    most = min(FIRST_S * 2.0 ** (attempt - 1), LONGEST_S)
    return most * (0.5 + 0.5 * rng.random())


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header: a number or a date (RFC 9110, 10.2.3).

    >>> retry_after("1.5", datetime.now(UTC))
    1.5
    >>> retry_after("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC))
    30.0
    >>> retry_after("soon", datetime.now(UTC)) is None
    True
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - now).total_seconds()
    return max(seconds, 0.0) if isfinite(seconds) else None
