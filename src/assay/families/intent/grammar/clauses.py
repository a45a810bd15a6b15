"""Where the steps of a request begin and end, and whether it asks for anything at all.

*Covered*: questions, negations, conditions and later times by their words; steps joined by "then",
"and", commas and full stops.
*Not covered*: irony, reported speech, a "not" that no list has.
"""

from __future__ import annotations

from .lexicon import Lexicon, lexicon
from .parts import Domain
from .scan import Clause, Scan
from .unknown import is_known
from .verbs import Keywords, keywords

OPENING = 12
"""Tokens at the beginning of a clause among which its verb is looked for."""


def refusal(scan: Scan, domain: Domain) -> str | None:
    """Return why a request asks for nothing now: a question, a negation, a condition, later.

    The first reason in the text counts.
    """
    folded, words = scan.folded, lexicon(domain)
    named = _named(scan, domain)
    opening = _opening(scan)
    asks = opening is not None and words.requests.covers(folded, opening)
    if opening is not None and not asks and words.questions.covers(folded, opening):
        return "question"
    place = 0
    while place < len(folded.tokens):
        if place in named or scan.aside[place]:
            place += 1
            continue
        end, reasons = words.refuse.at(folded, place)
        if reasons:
            return reasons[0]
        if folded.tokens[place].text == "?" and not asks:
            return "question"
        place = max(end, place + 1)
    return None


def _opening(scan: Scan) -> int | None:
    """Return the first token that is neither an aside nor a sign."""
    for place, token in enumerate(scan.folded.tokens):
        if not scan.aside[place] and token.text.isalnum():
            return place
    return None


def _named(scan: Scan, domain: Domain) -> frozenset[int]:
    """Return the tokens of names: a "not" in a name refuses nothing."""
    return frozenset(
        place
        for found in scan.found
        if found.slot.kind in domain.kinds and domain.kinds[found.slot.kind].names
        for place in range(found.first, found.end)
    )


def _inside(scan: Scan) -> list[bool]:
    """Say for each token whether it is part of a slot."""
    inside = [False] * len(scan.folded.tokens)
    for found in scan.found:
        inside[found.first : found.end] = [True] * (found.end - found.first)
    return inside


def split(scan: Scan, domain: Domain) -> list[Clause]:
    """Cut a request into the clauses of its steps."""
    folded, words = scan.folded, lexicon(domain)
    inside = _inside(scan)
    clauses: list[Clause] = []
    first = place = 0
    total = len(folded.tokens)
    while place < total:
        asked, found = words.requests.at(folded, place)
        if found and not inside[place]:
            place = asked  # the "and" of "go ahead and" parts nothing
            continue
        end, always = (
            (place, ()) if inside[place] or scan.aside[place] else _join(scan, place, words)
        )
        if always and (True in always or _parts(scan, (first, place, end), domain)):
            clauses.append(Clause(first, place))
            first = place = end
            continue
        place = max(end, place + 1)
    clauses.append(Clause(first, total))
    return [clause for clause in clauses if _says_something(scan, clause)]


def _parts(scan: Scan, tokens: tuple[int, int, int], domain: Domain) -> bool:
    """Whether a word such as "and" parts two steps: the tokens are a beginning, its start, its end.

    A step begins behind it, and there is one in front of it: an action, or something that no list
    has.  Else what is in front only leads up to the step ("on Base, swap ...").
    """
    first, place, end = tokens
    words, verbs = lexicon(domain), keywords(domain)
    if not _begins_a_step(scan, end, words, verbs):
        return False
    before = range(first, place)
    if any(verbs.at(scan.folded, at, place) is not None for at in before):
        return True
    named = any(first <= found.first < place for found in scan.found)
    tied = scan.folded.tokens[place].text.isalpha()
    return (named or tied) and _has_a_strange_word(scan, first, place, domain)


def _has_a_strange_word(scan: Scan, first: int, end: int, domain: Domain) -> bool:
    inside, words = _inside(scan), lexicon(domain)
    place = first
    while place < end:
        if inside[place] or scan.aside[place] or not scan.folded.tokens[place].text.isalnum():
            place += 1
            continue
        said = max(
            words.requests.at(scan.folded, place, end)[0],
            words.skipped.at(scan.folded, place, end)[0],
        )
        if said == place and not is_known(scan, place, end, domain):
            return True
        place = max(said, place + 1)
    return False


def _join(scan: Scan, place: int, words: Lexicon) -> tuple[int, tuple[bool, ...]]:
    """Return where a run of joining words ends: ", and then" is one."""
    end, always = words.joins.at(scan.folded, place)
    total = len(scan.folded.tokens)
    while always and end < total and not scan.aside[end]:
        further, more = words.joins.at(scan.folded, end)
        if not more:
            break
        end, always = further, (*always, *more)
    return end, always


def _begins_a_step(scan: Scan, place: int, words: Lexicon, verbs: Keywords) -> bool:
    """Whether a clause begins with an action's keyword, after words that say nothing."""
    folded, total = scan.folded, len(scan.folded.tokens)
    stop = min(total, place + OPENING)
    while place < stop:
        if verbs.at(folded, place, total) is not None:
            return True
        if scan.aside[place]:
            place += 1
            continue
        end, skipped = words.skipped.at(folded, place)
        if not skipped:
            end, skipped = words.requests.at(folded, place)
        if not skipped:
            return False
        place = end
    return False


def _says_something(scan: Scan, clause: Clause) -> bool:
    tokens = scan.folded.tokens
    return any(
        tokens[place].text.isalnum() and not scan.aside[place]
        for place in range(clause.first, clause.end)
    )
