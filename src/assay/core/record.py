"""One line of a run: who was asked what, what was said, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from .reply import Said, Usage
from .verdict import Verdict


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Cell:
    """The unit of work, of resuming and of sealing."""

    task: str
    system: str
    seed: int
    split: str

    def __str__(self) -> str:
        return f"{self.task}/{self.system}/{self.seed}-{self.split}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one system said to one sample, judged."""

    cell: Cell
    sample: str
    attempt: int = 0
    group: str
    """``Sample.cluster``: the unit that is resampled."""

    said: Said
    verdict: Verdict
    usage: Usage
    earlier: tuple[Said, ...] = ()
    """What was said in the turns before, oldest first."""
