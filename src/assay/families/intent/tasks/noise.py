"""What people do to a request without changing what it asks: typos, courtesies, casing.

*Covered*: one wrong letter in a word of the template, a phrase before or after, the shift key.
*Not covered*: wrong names of assets or venues, missing words, other languages, speech.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..draws import Draws

TYPOS = 0.12
NOISE = 0.25
"""Shares of the prompts with a typo, and with a phrase of noise."""

PREFIXES = (
    "hey",
    "hi",
    "hi there",
    "hello",
    "ok so",
    "gm",
    "quick one",
    "hey there",
    "hello again",
)
SUFFIXES = (
    *("please", "thanks", "thank you", "asap", "thx", "pls", "cheers", "ty", "much appreciated"),
    *("thanks a lot", "thanks in advance", "many thanks"),
)
GAS = ("low gas", "normal gas", "keep gas low", "cheap gas please", "fast gas", "gas under 20 gwei")
"""Only where the template speaks of assets, venues or chains."""

PHRASES = (*PREFIXES, *SUFFIXES, *GAS)

_WORD = re.compile(r"(?<![\w'-])[A-Za-z]{4,}(?![\w'-])")
"""Words that may be mistyped: long enough that one letter does not make "not" of "now"."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: (row[i - 1 : i] if i else "") + row[i + 1 : i + 2]
    for row in _ROWS
    for i, letter in enumerate(row)
}
_GREETING = re.compile(r"(?i)\b(hey|hi|hello|gm|ok|okay)\b")
_COURTESY = re.compile(r"(?i)\b(please|pls|thanks|thank|thx|cheers|kindly|ty|appreciated)\b")
_ASKS = re.compile(
    r"(?i)(how|what|why|who|where|when|which|is|are|am|do|does|did|can|could|was|has|must|any"
    r"|would|will|should|explain|compare|suppose|roughly|tell)\b"
)
"""The first word of a question (or of a polite request): no wish about gas goes with it."""
_REFUSES = re.compile(
    r"(?i)\b(not?|none|never|nobody|don't|leave|let|keep|stays?|remain|abort|forget|ignore|wait)\b"
)
"""Words after which nothing may happen at all, so that there is no gas to wish for."""
_HURRY = re.compile(r"(?i)\b(asap|soon|now|today|tonight|gas)\b")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a prompt: words of the template, or the value of a slot."""

    text: str
    slot: bool = False


def mistype(pieces: list[Piece], draws: Draws) -> list[Piece] | None:
    """Mistype one letter of the template's words; None when it has no word that is long enough."""
    words = [
        (place, match.start(), match.end())
        for place, piece in enumerate(pieces)
        if not piece.slot
        for match in _WORD.finditer(piece.text)
    ]
    if not words:
        return None
    place, start, end = draws.one_of(words)
    text = pieces[place].text
    wrong = _one_letter_off(text[start:end], draws)
    changed = Piece(text[:start] + wrong + text[end:])
    return [*pieces[:place], changed, *pieces[place + 1 :]]


def _one_letter_off(word: str, draws: Draws) -> str:
    at = int(draws.unit() * len(word))
    how = draws.one_of(("swap", "drop", "double", "neighbour"))
    here = word[at]
    following = word[at + 1 : at + 2]
    if how == "swap" and following and following != here and at:
        return word[:at] + following + here + word[at + 2 :]
    if how == "drop" and at:
        return word[:at] + word[at + 1 :]
    if how == "neighbour" and at:
        return word[:at] + draws.one_of(_BESIDE[here.lower()]) + word[at + 1 :]
    return word[: at + 1] + here.lower() + word[at + 1 :]


def dress(text: str, draws: Draws, *, onchain: bool) -> str | None:
    """Put a phrase before or after the text; None when the one that was drawn does not suit it.

    ``onchain`` says that the text speaks of assets, venues or chains.
    """
    if draws.unit() < 0.4:
        return _before(draws.one_of(PREFIXES), text)
    phrase = draws.one_of((*SUFFIXES, *GAS) if onchain else SUFFIXES)
    return _after(text, phrase, plain=draws.unit() < 0.5)


def _before(phrase: str, text: str) -> str | None:
    if _GREETING.search(text):
        return None
    first = text.split(" ", 1)[0]
    if first[:1].isupper() and first[1:].islower() and first != "I":
        text = text[:1].lower() + text[1:]
    return f"{phrase}, {text}"


def _after(text: str, phrase: str, *, plain: bool) -> str | None:
    clashes = _COURTESY if _COURTESY.search(phrase) else _HURRY
    ended = text[-1] in ".!?"
    if clashes.search(text) or (ended and phrase in ("please", "pls")):
        return None
    if phrase in GAS and (
        _HURRY.search(text) or _ASKS.match(text) or _REFUSES.search(text) or text[-1] == "?"
    ):
        return None
    if ended:
        return f"{text} {phrase}"
    return f"{text} {phrase}" if plain else f"{text}, {phrase}"


def recase(text: str, draws: Draws) -> str:
    """Write a text the way people type: mostly as it is, or all lower, or a capital first."""
    how = draws.unit()
    if how < 0.55:
        return text
    if how < 0.80:
        return text.lower()
    return text.upper() if how < 0.82 else text[:1].upper() + text[1:]
