"""What can be asked for logits: a model that reads a text and expects what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

Array: TypeAlias = Any


class Speaker(Protocol):
    """A model in memory."""

    @property
    def ran(self) -> str:
        """What runs it, with versions: it stands in the passport."""

    @property
    def vocabulary(self) -> int:
        """How many tokens it chooses from."""

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, with whatever the model wants before it."""

    def logits(self, tokens: Sequence[int], places: Sequence[int]) -> Array:
        """Return what the model expects after each of some places, as float32 [places, vocabulary].

        A place is counted from 0: place 2 is after the first three tokens.
        """


def chosen(length: int, positions: int | None) -> list[int]:
    """Return at most so many places of a text, evenly spread, the last among them; all for None.

    >>> chosen(5, None), chosen(100, 3), chosen(2, 9)
    ([0, 1, 2, 3, 4], [0, 50, 99], [0, 1])
    >>> chosen(9, 1)
    [8]
    """
    if positions is None or positions >= length:
        return list(range(length))
    if positions == 1:
        return [length - 1]
    # Whole numbers, halves upwards: the same on every machine.
    return [
        (2 * i * (length - 1) + positions - 1) // (2 * (positions - 1)) for i in range(positions)
    ]
