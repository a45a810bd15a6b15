"""Words that stand where a name must stand and are none: "into ScamBank", "2 FOO"."""

from __future__ import annotations

from collections.abc import Sequence

from .clauses import Clause, keywords
from .domain_parts import Action, Domain
from .lexicon import lexicon
from .scan import Scan


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
    """Whether the next word that says something is a name that nobody listed."""
    folded, words = scan.folded, lexicon(domain)
    while place < clause.end and place not in inside and not scan.aside[place]:
        end, skipped = words.skipped.at(folded, place, clause.end)
        if not skipped:
            break
        place = end
    if place >= clause.end or place in inside or scan.aside[place]:
        return False
    if not folded.tokens[place].text.isalnum():
        return False
    known = (words.ordinary, words.refers, words.shares, words.joins, words.units, words.definite)
    if any(phrases.covers(folded, place) for phrases in known):
        return False
    cues = any(phrases.covers(folded, place) for pair in words.cues.values() for phrases in pair)
    return not cues and keywords(domain).at(folded, place, clause.end) is None
