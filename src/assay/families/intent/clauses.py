"""Where the steps of a request begin and end, and whether it asks for anything at all.

*Covered*: questions, negations, conditions and later times by their words; steps joined by "then",
"and", commas and full stops.
*Not covered*: irony, reported speech, a "not" that no list has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from assay import Answer, Bottom, Failed

from .domain_file import ANY
from .domain_parts import Domain
from .folded import Folded, fold
from .lexicon import Lexicon, lexicon, name_start
from .phrases import Phrases
from .scan import Scan

GAP = 12
"""Most tokens for the ``...`` of a keyword."""

OPENING = 12
"""Tokens at the beginning of a clause among which its verb is looked for."""

_STOPS = frozenset(".;!?")
_DETERMINERS = frozenset(
    ("a", "an", "the", "my", "our", "your", "his", "her", "their", "this", "that", "these", "those")
)
_SUBJECTS = frozenset(("i", "we", "they", "he", "she", "who"))


@dataclass(frozen=True, slots=True)
class Clause:
    """Tokens that say one step; the end is excluded."""

    first: int
    end: int

    def text(self, folded: Folded) -> str:
        """Return it as it was written."""
        start, end = folded.span(self.first, self.end)
        return folded.original[start:end]


@dataclass(frozen=True, slots=True)
class Hit:
    """A keyword of an action."""

    action: str
    first: int
    end: int


class Keywords:
    """The keywords of a domain, ready to be found."""

    __slots__ = ("_first", "_rest")

    def __init__(self, domain: Domain) -> None:
        self._rest: dict[str, tuple[Phrases[None], ...]] = {}
        firsts = []
        for action in domain.actions.values():
            for keyword in action.keywords:
                head, *rest = (part.strip() for part in keyword.split(ANY))
                firsts.append((head, (action.name, keyword)))
                self._rest[keyword] = tuple(Phrases([(part, None)]) for part in rest)
        self._first = _Heads(firsts)

    def at(self, folded: Folded, place: int, end: int) -> Hit | None:
        """Return the longest keyword that begins at a token; of equals, the first listed."""
        best: Hit | None = None
        most = 0
        for after, (action, keyword) in self._first.at(folded, place, end):
            stop = self._follow(folded, keyword, after, end)
            if stop is not None and len(keyword) > most:
                best, most = Hit(action, place, stop), len(keyword)
        return best

    def _follow(self, folded: Folded, keyword: str, after: int, end: int) -> int | None:
        at = after
        for part in self._rest[keyword]:
            for place in range(at, min(at + GAP + 1, end)):
                if folded.tokens[place].text in _STOPS and not _is_inside(folded, place):
                    return None
                stop, found = part.at(folded, place, end)
                if found:
                    at = stop
                    break
            else:
                return None
        return at


def _is_inside(folded: Folded, place: int) -> bool:
    """Whether a sign stands inside a word: the point of "ether.fi"."""
    return (
        place + 1 < len(folded.tokens)
        and folded.is_joined(place + 1)
        and folded.tokens[place + 1].text.isalnum()
    )


class _Heads:
    """The beginnings of keywords: of every length, not the longest only."""

    __slots__ = ("_by_length",)

    def __init__(self, heads: Sequence[tuple[str, tuple[str, str]]]) -> None:
        by_length = groupby(
            sorted(heads, key=lambda pair: len(fold(pair[0]).tokens)),
            key=lambda pair: len(fold(pair[0]).tokens),
        )
        self._by_length = [Phrases(list(several)) for _, several in by_length]

    def at(self, folded: Folded, place: int, end: int) -> list[tuple[int, tuple[str, str]]]:
        found = []
        for phrases in self._by_length:
            after, meanings = phrases.at(folded, place, end)
            found += [(after, meaning) for meaning in meanings]
        return found


@cache
def keywords(domain: Domain) -> Keywords:
    """Compile the keywords of a domain, once."""
    return Keywords(domain)


def by_keywords(domain: Domain) -> Callable[[str], Answer | Bottom | Failed]:
    """Return what says the action of a clause by the domain's keywords; it needs no training.

    The keyword that comes first decides, the longest of those that begin together; where a later
    one is of another action, ``Bottom("ambiguous")``; without any, ``Bottom("no_keyword")``.

    >>> from .domain import load_domain
    >>> decide = by_keywords(load_domain("defi"))
    >>> decide("please swap 2 ETH").value, decide("hello").reason
    ('swap_asset', 'no_keyword')
    """
    found = keywords(domain)

    words = lexicon(domain)

    def decide(text: str) -> Answer | Bottom:
        return _decide(fold(text), found, words)

    return decide


def _decide(folded: Folded, found: Keywords, words: Lexicon) -> Answer | Bottom:
    first: Hit | None = None
    place, end = 0, len(folded.tokens)
    while place < end:
        named, meant = words.names.at(folded, place)
        if meant:
            place = named  # "CoW Swap" asks for nothing
            continue
        hit = found.at(folded, place, end)
        if hit is None or _is_noun(folded, place, words):
            place += 1
            continue
        if first is None:
            first = hit
        elif hit.action != first.action:
            return Bottom("ambiguous", Answer(first.action))
        place = hit.end
    return Bottom("no_keyword") if first is None else Answer(first.action)


def _is_noun(folded: Folded, place: int, words: Lexicon) -> bool:
    """Whether a word asks for nothing here: "my Lido stake", "the swap", "what I supply"."""
    before = name_start(folded, place, words)
    if before == 0:
        return False
    return folded.tokens[before - 1].text in _DETERMINERS | _SUBJECTS


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
    folded, words, verbs = scan.folded, lexicon(domain), keywords(domain)
    inside = _inside(scan)
    clauses: list[Clause] = []
    first = place = 0
    total = len(folded.tokens)
    while place < total:
        end, always = (
            (place, ()) if inside[place] or scan.aside[place] else _join(scan, place, words)
        )
        if always and (
            True in always
            or (
                _has_a_verb(scan, (first, place), verbs) and _begins_a_step(scan, end, words, verbs)
            )
        ):
            clauses.append(Clause(first, place))
            first = place = end
            continue
        place += 1
    clauses.append(Clause(first, total))
    return [clause for clause in clauses if _says_something(scan, clause)]


def _has_a_verb(scan: Scan, tokens: tuple[int, int], verbs: Keywords) -> bool:
    """Whether an action was asked for: in front of it a comma only leads up to one."""
    first, end = tokens
    return any(verbs.at(scan.folded, place, end) is not None for place in range(first, end))


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
