"""When the tokens of one answer came, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

from assay import PluginError


class Stamp(NamedTuple):
    """One look at the clock."""

    seconds: float
    """Since the prompt was handed over."""

    tokens: int
    """How many there were by then."""


class Silent(PluginError):  # noqa: N818  (a fact about the runtime, not an error of ours)
    """A runtime did not give the tokens that were asked for, so nothing of it is measured."""


class Runtime(Protocol):
    """A model in memory, as ``lm edge`` measures it."""

    def prompt(self, tokens: int) -> list[int]:
        """Return a prompt of exactly so many tokens, the opening ones included."""
        ...

    def write(self, prompt: Sequence[int], tokens: int) -> tuple[Stamp, ...]:
        """Continue a prompt by so many tokens, whatever they are, nothing being kept of earlier ones."""
        ...

    def fault(self, prompt: Sequence[int]) -> str | None:
        """Return why what the model expects next is no distribution; None when it is one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One measured answer."""

    stamps: tuple[Stamp, ...]
    """At least two, growing in time and in tokens."""

    cpu_s: float
    """Processor time of its process, all threads together."""

    joules: float | None = None
    """What the processor packages took meanwhile; None when no meter can be read."""

    @property
    def first_s(self) -> float:
        """Seconds to the first token."""
        return self.stamps[0].seconds

    @property
    def decoding_s(self) -> float:
        """Seconds a token, from the first one to the last."""
        first, last = self.stamps[0], self.stamps[-1]
        return (last.seconds - first.seconds) / (last.tokens - first.tokens)

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """Seconds between neighbours.

        Of tokens that came together (halves of a character) nobody knows when each was there; they
        are left out here, and count in ``decoding_s``.
        """
        return tuple(
            after.seconds - before.seconds
            for before, after in pairwise(self.stamps)
            if after.tokens == before.tokens + 1
        )


def answered(runtime: Runtime, prompt: Sequence[int], tokens: int) -> tuple[Stamp, ...]:
    """Let a runtime continue a prompt, and hold it to what it was asked for.

    Raises ``Silent`` where it gives fewer or more tokens, or a clock that does not move: a runtime that
    says nothing would otherwise be the fastest of all.
    """
    stamps = runtime.write(prompt, tokens)
    given = stamps[-1].tokens if stamps else 0
    if given != tokens:
        raise Silent(f"it gave {given} of the {tokens} tokens that were asked for")
    grows = all(a.seconds < b.seconds and a.tokens < b.tokens for a, b in pairwise(stamps))
    if len(stamps) < 2 or stamps[0].seconds <= 0 or not grows:
        raise Silent("its tokens did not come one after another")
    return stamps


def filled(opening: Sequence[int], encode: Callable[[str], list[int]], tokens: int) -> list[int]:
    """Return ``opening`` and English text, exactly ``tokens`` tokens in all.

    Raises ``Silent`` for a tokenizer that makes nothing of the text.
    """
    text = encode(TEXT)
    if not text:
        raise Silent("its tokenizer makes no tokens of English text")
    body = text * (tokens // len(text) + 1)
    return [*opening, *body][:tokens]


TEXT = (
    "The ferry leaves the old harbour at seven and again at noon, unless the wind comes from the north. "
    "A clerk writes down who boards, what they carry and where they mean to get off, and hands the list "
    "to the captain. In winter the crossing takes an hour longer, because the boat keeps away from the ice. "
    "Most passengers read, some sleep, and a few stand outside to watch the lights of the town grow small. "
)
"""What prompts are made of: which words they are does not change what they cost."""
