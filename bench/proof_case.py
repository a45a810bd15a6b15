"""One row of the proof: what is drawn, how often, and what it must come to."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from assay.stats.inference import Inference, Undefined  # noqa: E402

SEED = 20261121
SIZES = (10, 30, 100, 1000)
RESAMPLES = 999

Rng: TypeAlias = np.random.Generator
Ends: TypeAlias = tuple[float, float] | None
Hit: TypeAlias = bool | None
"""Whether the interval held the truth, or the test rejected; None: undefined."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    table: str
    method: str
    data: str
    draw: Callable[[Rng, int], Hit]
    sizes: tuple[int, ...] = SIZES
    cost: int = 1
    """So many times fewer simulations."""

    target: float = 0.95
    short: str = ""
    """Why it falls short of its target, where it is known to; empty: it must not."""

    swing: float = 0.0
    """How far its true coverage swings around the target, because counts are whole."""

    printed: bool = True
    """Whether a report prints it; what none prints is there for plugins, or for comparison."""

    @property
    def name(self) -> str:
        """What tells it from the others, and seeds its draws."""
        return f"{self.table}: {self.method}, {self.data}"

    @property
    def is_test(self) -> bool:
        """Whether it counts rejections, and not intervals that hold."""
        return self.target < 0.5

    def hits(self, n: int, *, times: int, seed: int = SEED) -> tuple[int, int]:
        """Return how often it hit, and how often it was defined."""
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode()), n])
        found = [self.draw(rng, n) for _ in range(times)]
        defined = [hit for hit in found if hit is not None]
        return sum(defined), len(defined)

    def times(self, n: int, times: int) -> int:
        """Return how many simulations it gets: large samples of costly ones get fewer."""
        return max(times // self.cost // (3 if self.cost > 1 and n >= 1000 else 1), 20)


def holds(found: Inference | tuple[float, float] | Undefined, truth: float) -> Hit:
    """Whether the 95 % interval of an inference, or an interval, holds the truth."""
    ends: Ends = found if isinstance(found, tuple) else found.interval(0.95)
    return None if ends is None else bool(ends[0] <= truth <= ends[1])


def singly(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(n), np.arange(n)
