"""Invented names, words, codes and dates, drawn without repetition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

_STARTS: tuple[str, ...] = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "qu",
    "r",
    "s",
)
_STARTS = (*_STARTS, "sk", "t", "tr", "v", "w", "y", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ei")
_ENDS = ("l", "lm", "n", "nd", "r", "rk", "s", "sk", "th", "v", "x")
_PLACES = ("ora", "wick", "mere", "holt", "fell", "stead", "ume", "garth")
_FIRST = ("a", "en", "is", "o", "u", "iel")
_LAST = ("eld", "ane", "orth", "ik", "ask", "ume", "ard")
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without the signs that are read as others."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)

CODE = r"(?<![\w-])[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}(?![\w-])"
"""What a code looks like, as a regular expression."""


@dataclass(frozen=True, slots=True)
class Names:
    """What is called how in one world; no name comes twice.

    >>> names = Names(Random(1))
    >>> names.place() != names.place()
    True
    """

    rng: Random
    used: set[str] = field(default_factory=set)

    def place(self) -> str:
        """Return the name of a place: ``Velmora``."""
        return self._fresh(lambda: self._stem().capitalize() + self.rng.choice(_PLACES))

    def person(self) -> str:
        """Return a first and a last name."""
        return self._fresh(
            lambda: " ".join(
                (self._stem() + self.rng.choice(ends)).capitalize() for ends in (_FIRST, _LAST)
            )
        )

    def word(self) -> str:
        """Return a word in small letters."""
        return self._fresh(lambda: self._stem() + self._stem())

    def code(self) -> str:
        """Return a code of twice four signs: one of 32**8."""
        return self._fresh(lambda: f"{self._four()}-{self._four()}")

    def date(self) -> tuple[int, str, int]:
        """Return a day, a month and a year; every month has that day."""
        return self.rng.randint(1, 28), self.rng.choice(MONTHS), self.rng.randint(1400, 1900)

    def _stem(self) -> str:
        return "".join(self.rng.choice(part) for part in (_STARTS, _VOWELS, _ENDS))

    def _four(self) -> str:
        return "".join(self.rng.choice(_SIGNS) for _ in range(4))

    def _fresh(self, draw: Callable[[], str]) -> str:
        while (name := draw()) in self.used:
            pass
        self.used.add(name)
        return name
