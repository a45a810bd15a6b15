"""When a request is sent: no more than so many a minute, and later again after a refusal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from random import Random

FIRST_S, LONGEST_S = 0.5, 8.0
"""Seconds before the second try and, doubled from try to try, at most."""

PATIENCE_S = 60.0
"""Seconds that one question waits for other tries, all together.  A wait that a server asks for and
that would be longer is a crash: the engine takes a system that is silent for long for hung."""


@dataclass(slots=True)
class Turns:
    """Spaces requests evenly, so that no minute has more than ``per_minute`` of them."""

    per_minute: float | None
    free: float = 0.0
    """When the next may go, on the clock of the event loop."""

    async def take(self) -> None:
        """Wait for the next turn."""
        if self.per_minute is None:
            return
        now = asyncio.get_running_loop().time()
        mine = max(now, self.free)
        self.free = mine + 60.0 / self.per_minute
        await asyncio.sleep(mine - now)


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
