"""The slots of a request: what it names, where, and in which unit.

*Covered*: names of closed lists with their other writings, numbers with units and multiples,
shares ("half"), in any casing and script of digits; exact spans; time that grows with the length.
*Not covered*: which role a slot has (``roles``), names that no list has, misspelt names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay import Bottom

from .folded import Folded, fold
from .lexicon import Lexicon, lexicon, name_start
from .measures import Measures
from .parts import Domain
from .scan import Found, Scan, slot_at
from .steps import Slot

MOST_CHARACTERS = 10_000
"""Longer texts are declined: nobody asks for anything at such length."""

_HYPHENATED = frozenset({"to", "for", "into", "based", "backed", "denominated", "side", "loan"})
"""Words that may stand against a name with a hyphen: any other makes it another name."""


def extract(text: str, domain: Domain) -> tuple[Slot, ...] | Bottom:
    """Return the slots of a text, in order, or ``Bottom("bad_number")`` or ``Bottom("too_long")``.

    ``text[slot.start:slot.end] == slot.text`` for each.  Values are canonical: plain decimals
    ("2500" for "2.5k"; exact, never floats), the domain's names, its shares.  A number is bad when
    it is negative or zero where that means nothing, not finite, over the bounds of its unit, has
    an absurd exponent, or stands against letters that are no unit.  A text is too long over 10,000
    characters.  Takes time in proportion to the length of the text; never raises.

    >>> from .domain import load_domain
    >>> for slot in extract("swap 2.5k usdc for ETH, 50 bps slippage", load_domain("defi")):
    ...     print(slot.kind, slot.value, slot.unit, slot.span)
    amount 2500 USDC (5, 9)
    asset USDC  (10, 14)
    asset ETH  (19, 22)
    percent 50 bps (24, 30)
    >>> extract("swap -2 ETH", load_domain("defi"))
    Bottom(reason='bad_number', proposal=None)

    *Not to be trusted when* a name has two meanings and nothing in the text tells which ("aave",
    the token or the venue): the first of the list is given; ``read_steps`` tries the others.
    """
    if len(text) > MOST_CHARACTERS:
        return Bottom("too_long")
    scan = scan_text(fold(text), domain)
    return scan if isinstance(scan, Bottom) else tuple(found.slot for found in scan.found)


def scan_text(folded: Folded, domain: Domain) -> Scan | Bottom:
    """Find slots and asides in one pass over the tokens."""
    words = lexicon(domain)
    measures = Measures(folded, domain, words)
    found: list[Found] = []
    aside = [False] * len(folded.tokens)
    place = 0
    while place < len(folded.tokens):
        skipped, meant = words.asides.at(folded, place)
        named = _name_at(folded, place, words)
        if meant and (named is None or named.end <= skipped):
            aside[place:skipped] = [True] * (skipped - place)
            place = skipped
            continue
        one = named or measures.at(place) or _share_at(folded, place, words)
        if isinstance(one, Bottom):
            return one
        if one is None:
            place += 1
            continue
        found.append(one)
        place = one.end
    return Scan(folded=folded, found=tuple(_count(found, measures, domain)), aside=aside)


def _name_at(folded: Folded, place: int, words: Lexicon) -> Found | None:
    end, meanings = words.names.at(folded, place)
    if not meanings or not _stands_alone(folded, (place, end), words):
        return None
    slots = [slot_at(folded, (place, end), kind, name) for kind, name in meanings]
    # What is written exactly like a name is that name: "AAVE" the token, "Aave" the venue.
    slots.sort(key=lambda slot: slot.text != slot.value)
    return Found(slot=slots[0], first=place, end=end, others=tuple(slots[1:]))


def _stands_alone(folded: Folded, span: tuple[int, int], words: Lexicon) -> bool:
    """Whether no hyphen makes another name of it: "aave-fork" is not Aave, "ETH-USDC" is a pair."""
    first, end = span
    tokens = folded.tokens
    if (
        end + 1 < len(tokens)
        and tokens[end].text == "-"
        and folded.is_joined(end)
        and folded.is_joined(end + 1)
        and tokens[end + 1].text.isalnum()
    ):
        behind = tokens[end + 1].text
        return behind in _HYPHENATED or words.names.covers(folded, end + 1)
    if (
        first > 1
        and tokens[first - 1].text == "-"
        and folded.is_joined(first)
        and folded.is_joined(first - 1)
        and tokens[first - 2].text.isalpha()
    ):
        before = tokens[first - 2].text
        return before in _HYPHENATED or name_start(folded, first - 1, words) < first - 1
    return True


def _share_at(folded: Folded, place: int, words: Lexicon) -> Found | None:
    end, meanings = words.shares.at(folded, place)
    if not meanings:
        return None
    kind, share = meanings[0]
    return Found(slot=slot_at(folded, (place, end), kind, share), first=place, end=end)


def _count(found: Sequence[Found], measures: Measures, domain: Domain) -> list[Found]:
    """Give numbers and shares what they count; a name that is counted is of the counted kind."""
    counted: list[Found] = []
    at = {one.first: place for place, one in enumerate(found)}
    wanted: dict[int, str] = {}
    for place, one in enumerate(found):
        made = one
        if place in wanted:
            made = _as_kind(one, wanted[place])
        kind = domain.kinds.get(one.slot.kind)
        if kind is not None and kind.numbers and kind.numbers.counts:
            name = measures.counted(one.end, kind)
            if name is not None and name in at:
                wanted[at[name]] = kind.numbers.counts
                thing = _as_kind(found[at[name]], kind.numbers.counts).slot
                unit = one.slot.unit or (thing.value if one.slot.value[:1].isdecimal() else "")
                made = replace(one, slot=replace(one.slot, unit=unit), counts=name)
        counted.append(made)
    return counted


def _as_kind(one: Found, kind: str) -> Found:
    slots = sorted((one.slot, *one.others), key=lambda slot: slot.kind != kind)
    return replace(one, slot=slots[0], others=tuple(slots[1:]))
