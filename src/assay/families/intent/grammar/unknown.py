"""Words that stand where a name must stand and are none: "into ScamBank", "2 FOO"."""

from __future__ import annotations

from collections.abc import Sequence

from .lexicon import lexicon
from .parts import Action, Domain
from .scan import Clause, Scan
from .verbs import keywords

MOST_SKIPPED = 8
"""Tokens that may say nothing between a cue and its slot: more are no English."""


def unknown_name(scan: Scan, clause: Clause, action: Action, domain: Domain) -> str | None:
    """Return the kind of the first unknown name of a clause; None when there is none.

    A name must stand behind the words that tell a role ("on", "into"), and behind a number that
    counts something.  A word there that is no name, no ordinary word and no other word of the
    domain is an unknown name: leaving it out would change what is asked.
    """
    inside = _inside(scan, clause)
    before, _ = lexicon(domain).cues[action.name]
    for place in range(clause.first, clause.end):
        if place in inside or scan.aside[place]:
            continue
        end, roles = before.at(scan.folded, place, clause.end)
        named = [
            kind for role in roles for kind in action.roles[role].kinds if _is_listed(domain, kind)
        ]
        if named and _is_strange(scan, end, clause, inside, domain):
            return named[0]
    for found in scan.found:
        kind = domain.kinds.get(found.slot.kind)
        if (
            clause.first <= found.first < clause.end
            and kind is not None
            and kind.numbers
            and kind.numbers.counts
            and found.counts is None
            and not found.slot.unit
            and found.slot.value[:1].isdecimal()
            and _is_strange(scan, found.end, clause, inside, domain)
        ):
            return kind.numbers.counts
    return None


def unknown_word(scan: Scan, clause: Clause, domain: Domain) -> bool:
    """Whether something is tied to a clause that no list has: "and bridge it", "for Bob".

    It is looked for behind the first slot, after the words that tie things together.  What a
    request says there is a part of it: leaving it out would change what is asked.
    """
    inside = _inside(scan, clause)
    ties = lexicon(domain).ties
    first = min(inside, default=clause.end)
    return any(
        place not in inside
        and not scan.aside[place]
        and ties.covers(scan.folded, place)
        and _is_strange(scan, place + 1, clause, inside, domain)
        for place in range(first, clause.end)
    )


def _inside(scan: Scan, clause: Clause) -> frozenset[int]:
    return frozenset(
        place
        for found in scan.found
        if clause.first <= found.first < clause.end
        for place in range(found.first, found.end)
    )


def _is_listed(domain: Domain, kind: str) -> bool:
    return bool(domain.kinds[kind].names)


def _is_strange(
    scan: Scan, place: int, clause: Clause, inside: Sequence[int] | frozenset[int], domain: Domain
) -> bool:
    """Whether the next word that says something is one that nobody listed."""
    folded, words = scan.folded, lexicon(domain)
    stop = place + MOST_SKIPPED
    while place < clause.end and place not in inside and not scan.aside[place]:
        if place > stop:
            return True
        if is_known(scan, place, clause.end, domain):
            return False
        end, skipped = words.skipped.at(folded, place, clause.end)
        if not skipped:
            return folded.tokens[place].text.isalnum()
        place = end
    return False


def is_known(scan: Scan, place: int, end: int, domain: Domain) -> bool:
    """Whether a word, or a phrase that begins with it, is in a list; what is skipped says nothing."""
    folded, words = scan.folded, lexicon(domain)
    if any(phrases.covers(folded, place) for pair in words.cues.values() for phrases in pair):
        return True
    if keywords(domain).at(folded, place, end) is not None:
        return True
    lists = (words.ordinary, words.refers, words.shares, words.joins, words.units, words.definite)
    listed = any(phrases.covers(folded, place) for phrases in lists)
    return listed and not words.skipped.covers(folded, place)
