"""Numbers as people write them: digits, or English words; never a float.

*Covered*: ``2.5``, ``1,000``, ``.5``, ``1e3``, "two hundred and fifty", "one point five", "two and
a half".
*Not covered*: commas as decimal points and points between thousands: ``1.000`` is one, ``1,5`` is
no number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from .folded import Folded

MOST_DIGITS = 40
LARGEST = 30
"""Powers of ten, up and down: further out a number is a mistake or an attack."""

_BODY = re.compile(r"\.?\d[\d.,]*")
_PLAIN = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_EXPONENT = re.compile(r"e[+-]?\d+")

_UNITS = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
NOT_NUMBERS = frozenset({"nan", "inf", "infinity", "infinite", "∞"})


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number, and the token behind it."""

    value: Decimal | None
    """None: it looks like a number and is none that can be used."""

    end: int


def numeral_at(folded: Folded, place: int) -> Numeral | None:
    """Return the number that begins at a token; None when none does.

    >>> from .folded import fold
    >>> numeral_at(fold("1,250.50 USDC"), 0).value
    Decimal('1250.50')
    >>> numeral_at(fold("two hundred and fifty"), 0).value
    Decimal('250')
    >>> numeral_at(fold("1,5 ETH"), 0).value is None
    True
    """
    text = folded.tokens[place].text
    if text in "+-" and _signs(folded, place):
        found = _digits(folded, place + 1)
        value = found.value
        return Numeral(-value if text == "-" and value is not None else value, found.end)
    if text.isdecimal() or (text == "." and _point(folded, place)):
        return _digits(folded, place)
    return _words(folded, place)


def _signs(folded: Folded, place: int) -> bool:
    """Whether a sign stands against a number, and not between two words."""
    tokens = folded.tokens
    if place + 1 >= len(tokens) or not folded.is_joined(place + 1):
        return False
    if folded.is_joined(place) and tokens[place - 1].text.isalnum():
        return False
    following = tokens[place + 1].text
    return following.isdecimal() or (following == "." and _point(folded, place + 1))


def _point(folded: Folded, place: int) -> bool:
    tokens = folded.tokens
    return (
        place + 1 < len(tokens)
        and folded.is_joined(place + 1)
        and tokens[place + 1].text.isdecimal()
        and not (folded.is_joined(place) and tokens[place - 1].text.isalnum())
    )


def _digits(folded: Folded, place: int) -> Numeral:
    start = folded.tokens[place].start
    matched = _BODY.match(folded.text, start)
    assert matched is not None, "a number begins with a digit, or a point and a digit"
    body = matched[0].rstrip(".,")
    stop = start + len(body)
    exponent = _EXPONENT.match(folded.text, stop)
    whole = body
    if exponent:
        whole, stop = body + exponent[0], exponent.end()
    end = place
    while end < len(folded.tokens) and folded.tokens[end].start < stop:
        end += 1
    if not (_PLAIN.fullmatch(body) or _THOUSANDS.fullmatch(body)) or len(whole) > MOST_DIGITS:
        return Numeral(None, end)
    return Numeral(_sane(Decimal(whole.replace(",", ""))), end)


def _sane(value: Decimal) -> Decimal | None:
    return value if value.is_finite() and abs(value.adjusted()) <= LARGEST else None


def _words(folded: Folded, place: int) -> Numeral | None:
    tokens = folded.tokens
    at, total, current, seen = place, 0, 0, False
    while at < len(tokens):
        word = tokens[at].text
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if word in _UNITS or word in _TENS:
            if seen and not _continues(tokens[at - 1].text, word):
                break
            current += _UNITS.get(word, 0) + _TENS.get(word, 0)
        elif word in _SCALES and seen:
            if word == "hundred":
                current *= 100
            else:
                total, current = total + current * _SCALES[word], 0
        elif word in ("a", "an") and not seen and following in _SCALES:
            current = 1
        elif seen and (
            (word == "and" and tokens[at - 1].text in _SCALES and _is_number(following))
            or (word == "-" and tokens[at - 1].text in _TENS and following in _UNITS)
        ):
            pass
        else:
            break
        seen = True
        at += 1
        if total + current > 10**15:
            return Numeral(None, at)
    if not seen:
        return None
    return _fraction(folded, at, Decimal(total + current))


def _continues(before: str, word: str) -> bool:
    """Whether a number word goes on with the number: "twenty five", not "five twenty"."""
    if before in _SCALES or before in ("and", "-"):
        return True
    return before in _TENS and 0 < _UNITS.get(word, 0) < 10


def _is_number(word: str) -> bool:
    return word in _UNITS or word in _TENS


def _fraction(folded: Folded, at: int, value: Decimal) -> Numeral:
    """Add "point five" and "and a half"."""
    words = [token.text for token in folded.tokens[at : at + 3]]
    if words == ["and", "a", "half"]:
        return Numeral(value + Decimal("0.5"), at + 3)
    if len(words) > 1 and words[0] == "point" and _UNITS.get(words[1], 10) < 10:
        digits = ""
        at += 1
        while at < len(folded.tokens) and _UNITS.get(folded.tokens[at].text, 10) < 10:
            digits += str(_UNITS[folded.tokens[at].text])
            at += 1
            if len(digits) > MOST_DIGITS:
                return Numeral(None, at)
        return Numeral(value + Decimal(f"0.{digits}"), at)
    return Numeral(value, at)
