"""Which action a text asks for, by the keywords of a domain.

*Covered*: phrases with gaps, the longest of several; words that are things and ask for nothing.
*Not covered*: other words for the same: a trained mapper knows more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from assay import Answer, Bottom, Failed

from .domain_file import ANY
from .folded import Folded, fold
from .lexicon import Lexicon, lexicon, name_start
from .parts import Domain
from .phrases import Phrases

GAP = 12
"""Most tokens for the ``...`` of a keyword."""

_STOPS = frozenset(".;!?")
_DETERMINERS = frozenset(
    ("a", "an", "the", "my", "our", "your", "his", "her", "their", "this", "that", "these", "those")
)
_SUBJECTS = frozenset(("i", "we", "they", "he", "she", "who"))


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
