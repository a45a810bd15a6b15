"""A text as a grammar compares it, with the place of every character in what was written.

*Covered*: casing, full-width and other scripts' digits, ligatures, zero-width and direction marks,
curly quotes, dashes, every kind of space.
*Not covered*: letters of one alphabet that look like another's: they stay what they are, and the
words they make are unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_LIKE = {
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u0060\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u2192": "->",
    "\u21d2": "=>",
}
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\s\w]|_")
"""Letters, digits or one sign: fine enough that "1inch" and "ether.fi" can be listed as names."""


@dataclass(frozen=True, slots=True)
class Token:
    """Letters, digits or one sign, and where they stand in the folded text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """The folded text, its tokens, and for each of its characters the one it came from."""

    original: str
    text: str
    tokens: tuple[Token, ...]
    origin: Sequence[int]

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Return where the tokens ``first`` to ``end`` (excluded) stand in the original."""
        start, last = self.tokens[first].start, self.tokens[end - 1].end
        return self.origin[start], self.origin[last - 1] + 1

    def is_joined(self, place: int) -> bool:
        """Whether a token stands against the one before it, without a space."""
        return place > 0 and self.tokens[place - 1].end == self.tokens[place].start


def fold(text: str) -> Folded:
    r"""Fold a text, in time that grows with its length.

    >>> folded = fold("Sta\u200bke 2 ETH")
    >>> folded.text, [token.text for token in folded.tokens]
    ('stake 2 eth', ['stake', '2', 'eth'])
    >>> folded.span(1, 2)
    (7, 8)
    """
    plain, origin = (text.lower(), range(len(text))) if text.isascii() else _fold_each(text)
    tokens = tuple(Token(m[0], m.start(), m.end()) for m in _TOKEN.finditer(plain))
    return Folded(original=text, text=plain, tokens=tokens, origin=origin)


def _fold_each(text: str) -> tuple[str, Sequence[int]]:
    pieces: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        piece = _fold_one(character)
        pieces.append(piece)
        origin.extend([place] * len(piece))
    return "".join(pieces), origin


def _fold_one(character: str) -> str:
    if character.isascii():
        return character.lower()
    if character in _LIKE:
        return _LIKE[character]
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isnumeric():  # a superscript or a fraction must not become digits of a number
        return character
    if character.isspace():
        return " "
    return unicodedata.normalize("NFKC", character).casefold()
