"""How fast replies come, and so how long it takes until the last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from .moment import SystemSeen

WINDOW_S = 90.0
"""Seconds that a pace is taken over: long enough for slow systems, short enough to follow a change."""

LEAST_S = 3.0
STUCK_S = 30.0
"""Seconds without a reply after which nothing tells when the next one comes."""


class Pace:
    """What was there when, by system and task."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, Mapping[tuple[str, str], int]]] = deque()
        self._begun: datetime | None = None
        self._kept = 0

    def note(
        self,
        systems: Iterable[SystemSeen],
        attempts: list[dict[str, Any]],
        when: datetime,
        *,
        written: bool,
    ) -> None:
        """Take in a look; what happened before a stop says nothing of what comes after it."""
        if not written:
            self._seen.clear()
        last = attempts[-1] if attempts else {}
        self._begun = _time(last.get("started"))
        self._kept = last["kept"] if isinstance(last.get("kept"), int) else 0
        self._seen.append((when, {(s.task, s.system): s.there for s in systems}))
        while len(self._seen) > 2 and when - self._seen[1][0] > timedelta(seconds=WINDOW_S):
            self._seen.popleft()

    def busy_s(
        self, attempts: list[dict[str, Any]], when: datetime, *, going: bool
    ) -> float | None:
        """Return how long the present process has worked on it, or the last one did."""
        begun = _time(attempts[-1].get("started")) if attempts else None
        if begun is None:
            return None
        sealed = _time(attempts[-1].get("sealed"))
        until = sealed or (when if going else None)
        return None if until is None else max((until - begun).total_seconds(), 0.0)

    def left_s(self, systems: Iterable[SystemSeen]) -> float | None:
        """Return the seconds until every question has its reply, if all goes on as it does.

        Systems are asked side by side, so a system's own pace says when it is done, and the pace of all
        when all of them are: the later counts.  None before there is a pace.
        """
        listed = list(systems)
        left = {(s.task, s.system): sum(cell.left for cell in s.cells) for s in listed}
        if not any(left.values()):
            return 0.0
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        span = (last - first).total_seconds()
        came = sum(now.values()) - sum(before.get(key, 0) for key in now)
        if span >= STUCK_S and came <= 0:
            return None
        if span < LEAST_S or came <= 0:
            return self._from_the_beginning(listed, left)
        ends = [span * sum(left.values()) / came]
        for key, more in left.items():
            its = now[key] - before.get(key, 0)
            if more and its > 0:
                ends.append(span * more / its)
        return max(ends)

    def _from_the_beginning(
        self, systems: list[SystemSeen], left: Mapping[tuple[str, str], int]
    ) -> float | None:
        """Return the same from one look alone: by when this process began, and what it then found."""
        if self._begun is None:
            return None
        span = (self._seen[-1][0] - self._begun).total_seconds()
        came = sum(one.there for one in systems) - self._kept
        if span <= 0 or came <= 0:
            return None
        ends = [span * sum(left.values()) / came]
        if not self._kept:  # else nothing says which of them it found
            waiting = [one for one in systems if one.there and left[one.task, one.system]]
            ends += [span * left[one.task, one.system] / one.there for one in waiting]
        return max(ends)


def _time(said: object) -> datetime | None:
    if not isinstance(said, str):
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found if found.tzinfo else None
