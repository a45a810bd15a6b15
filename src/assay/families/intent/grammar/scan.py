"""What the first pass over a text finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .folded import Folded
from .steps import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A slot, its tokens, and what else it could be."""

    slot: Slot
    first: int
    end: int
    others: tuple[Slot, ...] = ()
    counts: int | None = None
    """For a number: the token where the name that it counts begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A folded text, what was found in it, and which tokens change nothing."""

    folded: Folded
    found: tuple[Found, ...]
    aside: Sequence[bool]


def slot_at(folded: Folded, tokens: tuple[int, int], kind: str, value: str) -> Slot:
    """Return a slot with the span of tokens (the end excluded) in the original text."""
    start, end = folded.span(*tokens)
    return Slot(kind=kind, value=value, text=folded.original[start:end], start=start, end=end)


@dataclass(frozen=True, slots=True)
class Clause:
    """Tokens that say one step; the end is excluded."""

    first: int
    end: int

    def text(self, folded: Folded) -> str:
        """Return it as it was written."""
        start, end = folded.span(self.first, self.end)
        return folded.original[start:end]
