"""Crashes in a row stop the run: what is down would only fill the records with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from assay import AssayError, Crash

CRASHES_IN_A_ROW = 8
"""So many questions, and twice as many as are in flight, that crash without a reply between them
stop the run."""


@dataclass(slots=True, kw_only=True)
class Crashes:
    """Counts crashes since the last reply, from any thread."""

    in_flight: int
    """How many questions are asked at a time."""

    row: int = 0
    lock: Lock = field(default_factory=Lock)

    def count(self, said: object) -> None:
        """Count what was said, anything but a ``Crash`` as a reply.  Raises ``AssayError`` A500."""
        most = max(CRASHES_IN_A_ROW, 2 * self.in_flight)
        with self.lock:
            self.row = self.row + 1 if isinstance(said, Crash) else 0
            if self.row < most or not isinstance(said, Crash):
                return
        raise AssayError(
            f"{self.row} questions in a row could not be asked: {said.error}: {said.detail[:500]}",
            hint="mend it and run the same plan again: the replies that came are kept",
            code="A500",
        )
