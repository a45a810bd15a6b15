"""Numbers with what they measure: a unit, what they count, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from assay import Bottom

from .folded import Folded
from .lexicon import Lexicon
from .numerals import NOT_NUMBERS, Numeral, numeral_at
from .parts import Bounds, Domain, Kind, Unit
from .scan import Found, slot_at

BAD = Bottom("bad_number")
BETWEEN = 4
"""Most tokens between a number and what it counts: "2 of my staked ETH"."""

UNMEASURED = "number"
"""The kind of a number that no kind of the domain takes: it fits no role."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Reads the numbers of one text."""

    folded: Folded
    domain: Domain
    words: Lexicon

    def at(self, place: int) -> Found | Bottom | None:
        """Return the number that begins at a token, ``bad_number``, or None where none does."""
        start, prefixed = place, dict[str, Unit]()
        if self._is_a_debt(place):
            return BAD
        if not self.folded.tokens[place].text.isalnum():
            start, units = self.words.units.at(self.folded, place)
            prefixed = dict(units)
        if start >= len(self.folded.tokens):
            return None
        if self.folded.tokens[start].text in NOT_NUMBERS:
            return BAD if prefixed or self._measures(start + 1) else None
        numeral = numeral_at(self.folded, start)
        if numeral is None:
            return None
        if self._is_inside_a_word(start):
            return BAD
        return self._measured(place, numeral, prefixed)

    def counted(self, end: int, kind: Kind) -> int | None:
        """Return where the name begins that a number of a kind counts; it ends at a token.

        Between them may stand a few words that say nothing: "2 of my ETH".
        """
        counts = kind.numbers.counts if kind.numbers else None
        for place in range(end, min(end + BETWEEN + 1, len(self.folded.tokens))):
            if any(named == counts for named, _ in self.words.names.at(self.folded, place)[1]):
                return place
            if not self.words.skipped.covers(self.folded, place):
                return None
        return None

    def _is_a_debt(self, place: int) -> bool:
        """Whether a minus stands in front of a unit and a number: "-$5"."""
        tokens = self.folded.tokens
        if tokens[place].text != "-" or place + 2 >= len(tokens):
            return False
        if self.folded.is_joined(place) and tokens[place - 1].text.isalnum():
            return False
        end, units = self.words.units.at(self.folded, place + 1)
        return bool(units) and end < len(tokens) and tokens[end].text.isdecimal()

    def _measures(self, place: int) -> bool:
        return place < len(self.folded.tokens) and (
            self.words.names.covers(self.folded, place)
            or self.words.units.covers(self.folded, place)
        )

    def _is_inside_a_word(self, place: int) -> bool:
        tokens = self.folded.tokens
        return (
            self.folded.is_joined(place)
            and tokens[place].text.isdecimal()
            and tokens[place - 1].text[-1:].isalpha()
        )

    def _measured(
        self, place: int, numeral: Numeral, prefixed: dict[str, Unit]
    ) -> Found | Bottom | None:
        after, multiple = self._multiple(numeral.end)
        behind, suffixed = self._unit(after)
        for name in (*prefixed, *suffixed):
            end = behind if name in suffixed else after
            unit = prefixed.get(name) or suffixed[name]
            return self._made(
                (place, end), _times(numeral, self.domain.kinds[name], multiple), unit
            )
        bare = [
            kind
            for kind in self.domain.kinds.values()
            if kind.numbers and kind.numbers.bare is not None
        ]
        if self._is_hardly_a_number(place, after):
            # "one" is mostly a word: it is a number where it counts something.
            bare = [kind for kind in bare if self.counted(after, kind) is not None]
            if not bare:
                return None
        if not bare:
            return self._unmeasured(place, numeral)
        kind = next((k for k in bare if _admits(k, *_times(numeral, k, multiple))), bare[0])
        return self._made((place, after), _times(numeral, kind, multiple), kind)

    def _is_hardly_a_number(self, place: int, after: int) -> bool:
        return after - place == 1 and self.folded.tokens[place].text == "one"

    def _multiple(self, place: int) -> tuple[int, str]:
        if place < len(self.folded.tokens):
            end, found = self.words.multiples.at(self.folded, place)
            if found:
                return end, found[0]
        return place, ""

    def _unit(self, place: int) -> tuple[int, dict[str, Unit]]:
        tokens = self.folded.tokens
        if place + 1 < len(tokens) and tokens[place].text == "-" and self.folded.is_joined(place):
            end, units = self.words.units.at(self.folded, place + 1)  # "a 5-minute timer"
            if units:
                return end, dict(units)
        if place < len(tokens):
            end, units = self.words.units.at(self.folded, place)
            if end >= self.words.names.at(self.folded, place)[0]:  # "usd coin" is no dollar
                return end, dict(units)
        return place, {}

    def _unmeasured(self, place: int, numeral: Numeral) -> Found | Bottom:
        if numeral.value is None or not self._ends_well(numeral.end):
            return BAD
        slot = slot_at(self.folded, (place, numeral.end), UNMEASURED, canonical(numeral.value))
        return Found(slot=slot, first=place, end=numeral.end)

    def _made(
        self, tokens: tuple[int, int], measured: tuple[str, Decimal | None], by: Unit | Kind
    ) -> Found | Bottom:
        """Make the slot of a number; ``by`` is its unit, or its kind where it has none."""
        name, value = measured
        bounds: Bounds | None
        match by:
            case Unit():
                bounds, unit = by.bounds, by.name
            case Kind():
                bounds, unit = (by.numbers.bare if by.numbers else None), ""
        if value is None or (bounds is not None and not bounds.admit(value)):
            return BAD
        if not self._ends_well(tokens[1]):
            return BAD
        slot = slot_at(self.folded, tokens, name, canonical(value))
        return Found(slot=replace(slot, unit=unit), first=tokens[0], end=tokens[1])

    def _ends_well(self, end: int) -> bool:
        """Whether nothing stands against a number but signs, or a name: "2ETH", not "2x"."""
        tokens = self.folded.tokens
        if end >= len(tokens) or not self.folded.is_joined(end):
            return True
        if not tokens[end].text.isalnum():
            return True
        return tokens[end - 1].text.isdecimal() and self.words.names.covers(self.folded, end)


def _times(numeral: Numeral, kind: Kind, multiple: str) -> tuple[str, Decimal | None]:
    """Return the kind's name and the value, multiplied; a multiple of another kind makes none."""
    value = numeral.value
    if value is None or not multiple:
        return kind.name, value
    times = kind.numbers.multiples.get(multiple) if kind.numbers else None
    return kind.name, None if times is None else value * times


def _admits(kind: Kind, _: str, value: Decimal | None) -> bool:
    """Whether a number without a unit may be of a kind."""
    bare = kind.numbers.bare if kind.numbers else None
    return value is not None and bare is not None and bare.admit(value)


def canonical(value: Decimal) -> str:
    """Write a number plainly: no exponent, no zeros that say nothing.

    >>> canonical(Decimal("2.50E+3")), canonical(Decimal("0.10"))
    ('2500', '0.1')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
