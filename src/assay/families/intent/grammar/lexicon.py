"""The words of a domain, compiled once for looking up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .folded import Folded
from .parts import Domain, Unit
from .phrases import Phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Every list of phrases that the grammar looks at."""

    names: Phrases[tuple[str, str]]
    """Kind and name."""

    shares: Phrases[tuple[str, str]]
    """Kind and share."""

    units: Phrases[tuple[str, Unit]]
    """Kind and unit."""

    multiples: Phrases[str]
    """The writing itself; a kind says what it means."""

    refers: Phrases[str]
    """Kind."""

    refuse: Phrases[str]
    """Reason."""

    joins: Phrases[bool]
    """True: a step ends here whatever follows."""

    cues: dict[str, tuple[Phrases[str], Phrases[str]]]
    """Action to what stands before its roles, and behind them."""

    questions: Phrases[None]
    requests: Phrases[None]
    asides: Phrases[None]
    skipped: Phrases[None]
    ordinary: Phrases[None]
    definite: Phrases[None]
    ties: Phrases[None]


@cache
def lexicon(domain: Domain) -> Lexicon:
    """Compile the words of a domain; domains are compared by identity, so once for each."""
    words = domain.words
    return Lexicon(
        names=Phrases(_names(domain)),
        shares=Phrases(
            (phrase, (kind.name, share))
            for kind in domain.kinds.values()
            for share, phrases in kind.shares.items()
            for phrase in phrases
        ),
        units=Phrases(_units(domain)),
        multiples=Phrases(
            (word, word)
            for kind in domain.kinds.values()
            if kind.numbers
            for word in kind.numbers.multiples
        ),
        refers=Phrases((p, kind) for kind, several in words.refers.items() for p in several),
        refuse=Phrases((p, reason) for reason, several in words.refuse.items() for p in several),
        joins=Phrases([*((p, True) for p in words.joins), *((p, False) for p in words.links)]),
        cues={
            action.name: (
                Phrases((p, role.name) for role in action.roles.values() for p in role.before),
                Phrases((p, role.name) for role in action.roles.values() for p in role.behind),
            )
            for action in domain.actions.values()
        },
        questions=_plain(words.questions),
        requests=_plain(words.requests),
        asides=_plain(words.asides),
        skipped=_plain(words.skipped),
        ordinary=_plain((*words.ordinary, *words.skipped)),
        definite=_plain(words.definite),
        ties=_plain(words.ties),
    )


LONGEST = 6
"""Tokens of a name, at most, where one is looked for backwards."""


def name_start(folded: Folded, end: int, words: Lexicon) -> int:
    """Return where the name begins that ends in front of a token; the token itself without one."""
    starts = range(max(0, end - LONGEST), end)
    return next((first for first in starts if words.names.at(folded, first)[0] == end), end)


def _plain(phrases: tuple[str, ...]) -> Phrases[None]:
    return Phrases((phrase, None) for phrase in phrases)


def _names(domain: Domain) -> Iterator[tuple[str, tuple[str, str]]]:
    for kind in domain.kinds.values():
        for name in kind.names:
            for written in (name.name, *name.also):
                yield written, (kind.name, name.name)


def _units(domain: Domain) -> Iterator[tuple[str, tuple[str, Unit]]]:
    for kind in domain.kinds.values():
        for unit in kind.numbers.units if kind.numbers else ():
            for written in (unit.name, *unit.also):
                yield written, (kind.name, unit)
