"""Long texts of sentences about places that do not exist, with codes at chosen depths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .lengths import Ruler
from .names import Names

_SUBJECTS: tuple[str, ...] = (
    "the ferry",
    "the choir",
    "the mill",
    "the market",
    "the old school",
    "the harbour",
)
_SUBJECTS = (*_SUBJECTS, "the post office", "the bakery", "the museum", "the brass band")
_DOINGS: tuple[str, ...] = (
    "opens late in winter",
    "was painted again last year",
    "is run by two sisters",
)
_DOINGS = (*_DOINGS, "closes when it rains", "has a new roof", "is older than the church")
_DOINGS = (*_DOINGS, "draws visitors in spring", "was moved across the river")
_FRAMES = (
    "In {place}, {subject} {doing}.",
    "People from {place} say that {subject} {doing}.",
    "{person} wrote that in {place} {subject} {doing}.",
    "Since the flood, {subject} of {place} is the talk of the valley, because it {doing}.",
    "Nobody in {place} remembers when it began that {subject} {doing}.",
    "{person} moved to {place}, where {subject} {doing}.",
)
NEEDLE = "The access code of {place} is {code}."
"""What is looked for, and what stands around it to be mistaken for it: all of one form."""

_JOINTS = 4
"""Tokens kept free: sentences together may be a token or two more than one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Haystack:
    """Sentences that give no code, and needles to be put between them."""

    filler: tuple[str, ...]
    needles: tuple[str, ...]
    places: tuple[float, ...]
    """Where each needle stands, as the share of the filler before it."""

    def text(self, more: str | None = None, *, depth: float = 0.0) -> str:
        """Return the text, with one more needle behind that share of the filler."""
        put = list(zip(self.places, self.needles, strict=True))
        put += [] if more is None else [(depth, more)]
        before: dict[int, list[str]] = {}
        for share, needle in put:
            before.setdefault(round(share * len(self.filler)), []).append(needle)
        parts: list[str] = []
        for at in range(len(self.filler) + 1):
            parts += [*before.get(at, ()), *self.filler[at : at + 1]]
        return " ".join(parts)


def drawn(needles: Sequence[str], tokens: int, *, names: Names, ruler: Ruler) -> Haystack:
    """Draw a haystack that comes, with one more needle like these, to about ``tokens``.

    It is short of them by less than a sentence.
    """
    rng = names.rng
    left = tokens - _JOINTS - sum(ruler.count(f" {needle}") for needle in needles)
    left -= max(ruler.count(f" {needle}") for needle in needles)
    filler: list[str] = []
    while (cost := ruler.count(" " + (sentence := _sentence(names, rng)))) <= left:
        filler.append(sentence)
        left -= cost
    return Haystack(
        filler=tuple(filler),
        needles=tuple(needles),
        places=tuple(rng.random() for _ in needles),
    )


def _sentence(names: Names, rng: Random) -> str:
    frame = rng.choice(_FRAMES)
    return frame.format(
        place=names.place(),
        person=names.person(),
        subject=rng.choice(_SUBJECTS),
        doing=rng.choice(_DOINGS),
    )
