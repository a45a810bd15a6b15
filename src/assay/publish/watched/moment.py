"""What is known of a run at one moment, as plain values: a screen, a page and a log show the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    """How far a run is."""

    NOT_BEGUN = "not begun"
    ASKING = "asking"
    TIMING = "timing, one at a time"
    STOPPED = "stopped"
    """Not sealed, and nobody writes it: `assay run` with the same plan resumes it."""

    SEALED = "sealed"
    BROKEN = "cannot be read"


@dataclass(frozen=True, slots=True)
class Running:
    """A share of what was asked so far, whole groups only, with an interval that holds at every look."""

    value: float
    low: float
    high: float
    groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSeen:
    """One system under one seed on one split of a task."""

    task: str
    system: str
    seed: int
    split: str
    there: int
    """Replies."""

    asked: int
    """Questions that the plan asks; at most so many where it may stop early."""

    crashed: int = 0
    failed: int = 0
    finished: bool = False
    right: Running | None = None

    @property
    def left(self) -> int:
        """Questions without a reply."""
        return 0 if self.finished else max(self.asked - self.there, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSeen:
    """One system on one task, over its seeds; numbers are of test questions."""

    task: str
    system: str
    control: bool
    there: int
    asked: int
    cells: tuple[CellSeen, ...]
    right: Running | None = None
    answered: Running | None = None
    wrong: Running | None = None
    """Of the answers that were given."""

    withholds: bool = False
    """Its threshold is chosen when everything is asked: until then its answers all count as given."""

    scored: int = 0
    """Replies that are neither right nor wrong."""

    why: Mapping[str, int] = field(default_factory=dict)
    """Why replies failed or crashed, the most frequent first."""

    usd: float | None = None
    """Spent on its replies so far, at the run's prices."""

    @property
    def crashed(self) -> int:
        """Replies that were not observed."""
        return sum(cell.crashed for cell in self.cells)

    @property
    def failed(self) -> int:
        """Replies that failed."""
        return sum(cell.failed for cell in self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A run, at one moment."""

    run: str
    at: str
    """The folder, as it was named."""

    phase: Phase
    when: datetime
    name: str = ""
    says: str = ""
    systems: tuple[SystemSeen, ...] = ()
    busy_s: float | None = None
    """Seconds that the processes which wrote it have worked on it."""

    left_s: float | None = None
    """Seconds until everything is asked; None where nothing tells."""

    currency: str = "USD"
    notes: tuple[str, ...] = ()
    catching_up: int = 0
    """Bytes of records that are not read yet."""

    @property
    def there(self) -> int:
        """Replies."""
        return sum(one.there for one in self.systems)

    @property
    def asked(self) -> int:
        """Questions."""
        return sum(max(one.asked, one.there) for one in self.systems)

    @property
    def usd(self) -> float | None:
        """Spent so far; None where nothing says what any reply cost."""
        known = [one.usd for one in self.systems if one.usd is not None]
        return sum(known) if known else None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return self.phase in (Phase.SEALED, Phase.BROKEN) and not self.catching_up
