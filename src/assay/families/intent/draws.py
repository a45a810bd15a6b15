"""Random draws that are the same in every process, on every machine, under every numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from assay import PlanError

T = TypeVar("T")

_BULK = 256
_UNIT = 2.0**-53


class Draws:
    """Uniform draws of one PCG64 stream, taken in bulk because single draws are slow.

    The raw stream is what numpy promises never to change; its distributions it does not.

    >>> draws = Draws(1, 2)
    >>> draws.one_of("abc") in "abc"
    True
    """

    __slots__ = ("_at", "_bits", "_pool")

    def __init__(self, *key: int) -> None:
        if min(key) < 0:
            raise PlanError(
                f"a seed cannot be negative: {min(key)}",
                hint="give 0 or a positive whole number",
                code="A102",
            )
        self._bits = np.random.PCG64(np.random.SeedSequence(key))
        self._pool: list[float] = []
        self._at = 0

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        if self._at == len(self._pool):
            raw = self._bits.random_raw(_BULK)
            self._pool, self._at = ((raw >> np.uint64(11)) * _UNIT).tolist(), 0
        self._at += 1
        return self._pool[self._at - 1]

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of the choices, each as likely."""
        return choices[int(self.unit() * len(choices))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Return the things in random order."""
        found = list(things)
        for last in range(len(found) - 1, 0, -1):
            other = int(self.unit() * (last + 1))
            found[last], found[other] = found[other], found[last]
        return found
