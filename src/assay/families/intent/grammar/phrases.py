"""Many phrases looked up at once in a folded text: the longest that begins at a token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .folded import Folded, Token, fold

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Phrase(Generic[T]):
    words: tuple[str, ...]
    joined: tuple[bool, ...]
    """Whether each word stands against the one before it."""
    means: tuple[T, ...]


class Phrases(Generic[T]):
    """Phrases with what they mean; one phrase may mean several things.

    A phrase matches whole words, in any casing, with spaces where it has spaces.

    >>> names = Phrases([("aave v3", 1), ("aave", 2)])
    >>> names.at(fold("on Aave V3!"), 1), names.at(fold("on aaves"), 1)
    ((4, (1,)), (1, ()))
    """

    __slots__ = ("_by_first",)

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        found: dict[tuple[tuple[str, ...], tuple[bool, ...]], list[T]] = {}
        for written, means in phrases:
            key = _shape(written)
            known = found.setdefault(key, [])
            if means not in known:
                known.append(means)
        self._by_first: dict[str, list[_Phrase[T]]] = {}
        for (words, joined), meanings in found.items():
            self._by_first.setdefault(words[0], []).append(_Phrase(words, joined, tuple(meanings)))
        for several in self._by_first.values():
            several.sort(key=lambda phrase: -len(phrase.words))

    def at(self, folded: Folded, place: int, end: int | None = None) -> tuple[int, tuple[T, ...]]:
        """Return where the longest phrase at a token ends, and what it means; nothing: ``()``."""
        tokens = folded.tokens
        last = len(tokens) if end is None else end
        for phrase in self._by_first.get(tokens[place].text, ()):
            after = place + len(phrase.words)
            if (
                after <= last
                and all(
                    tokens[place + i].text == word and folded.is_joined(place + i) == joined
                    for i, (word, joined) in enumerate(
                        zip(phrase.words, phrase.joined, strict=True)
                    )
                    if i
                )
                and is_whole(folded, place, after)
            ):
                return after, phrase.means
        return place, ()

    def covers(self, folded: Folded, place: int) -> bool:
        """Whether a phrase begins at a token."""
        return bool(self.at(folded, place)[1])


def is_whole(folded: Folded, first: int, after: int) -> bool:
    """Whether tokens are no part of a longer word, name or address.

    Letters may stand against a number ("2ETH"); nothing may follow with a dot ("aave.evil.com").
    """
    tokens = folded.tokens
    if first and folded.is_joined(first) and tokens[first].text.isalnum():
        before = tokens[first - 1].text
        if before == "_" or (tokens[first].text.isdigit() and before.isalnum()):
            return False
        if before == "." and _goes_on(folded, first - 1, -1):
            return False
    if after < len(tokens) and folded.is_joined(after) and tokens[after - 1].text.isalnum():
        behind = tokens[after].text
        if behind == "_" or behind.isalnum():
            return False
        if behind in ".@" and _goes_on(folded, after + 1, 1):
            return False
    return True


def _goes_on(folded: Folded, place: int, way: int) -> bool:
    """Whether a word stands against a dot: in front of it, or behind it."""
    if way < 0:
        return place > 0 and folded.is_joined(place) and folded.tokens[place - 1].text.isalnum()
    return (
        place < len(folded.tokens)
        and folded.is_joined(place)
        and folded.tokens[place].text.isalnum()
    )


def _shape(written: str) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    folded = fold(written)
    tokens: tuple[Token, ...] = folded.tokens
    return (
        tuple(token.text for token in tokens),
        tuple(folded.is_joined(place) for place in range(len(tokens))),
    )
