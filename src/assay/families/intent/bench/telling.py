"""How far a bench is, a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 10.0
"""Seconds between two lines."""


@dataclass(slots=True)
class Lines:
    """Tells of a phase when it begins and about every ten seconds."""

    say: Callable[[str], None]
    phase: str = ""
    left: dict[str, int] = field(default_factory=dict)
    total: int = 0
    last: float = 0.0

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """Say what begins."""
        self.phase, self.left, self.last = phase, dict(totals), time.monotonic()
        self.total = sum(totals.values())
        systems = "1 system" if len(totals) == 1 else f"{len(totals)} systems"
        self.say(f"{phase}: {self.total:,} replies of {systems}")

    def advance(self, system: str, replies: int) -> None:
        """Count, and say so if nothing was said for a while."""
        self.left[system] = self.left.get(system, 0) - replies
        if time.monotonic() - self.last >= EVERY_S:
            self.last = time.monotonic()
            open_ = {name: n for name, n in self.left.items() if n > 0}
            waiting = ", ".join(f"{name} {n:,}" for name, n in open_.items())
            self.say(f"{self.phase}: {sum(open_.values()):,} of {self.total:,} to go ({waiting})")

    def note(self, text: str) -> None:
        """Pass a remark on."""
        self.say(text)
