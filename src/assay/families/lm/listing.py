"""A list of texts as the tokens that may be written: none leads out of it.

A text is written as the tokens that the tokenizer makes of it, and in no other way.  A grammar over letters lets a
model begin with a token of its own liking (a lone space), from which the text can then only be spelt in a way that
it was never taught.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isnan, log
from typing import TypeAlias

Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which tokens may follow which.

    A path ends where only one text is left: what would follow it is decided.
    """

    children: Mapping[Path, tuple[int, ...]]
    """The tokens that may follow a path, in the order of the list."""

    ends: Mapping[Path, int]
    """A path that is decided, and the place of its text."""

    @property
    def depth(self) -> int:
        """How many tokens are written, at most."""
        return max(map(len, self.ends))

    @property
    def grammar(self) -> str:
        """The list in GBNF, llama.cpp's grammars, over tokens by their numbers.

        >>> listing_of([(7, 8), (7, 9), (5, 6)]).grammar
        'root ::= <[7]> <[8]> | <[7]> <[9]> | <[5]>'
        """
        paths = (" ".join(f"<[{token}]>" for token in path) for path in self.ends)
        return f"root ::= {' | '.join(paths)}"


def listing_of(texts: Sequence[Path]) -> Listing:
    """Return the listing of texts, as tokens.  Raises ``ValueError`` where one begins another.

    >>> listing = listing_of([(7, 8), (7, 9), (5, 6)])
    >>> listing.children
    {(): (7, 5), (7,): (8, 9)}
    >>> listing.ends
    {(7, 8): 0, (7, 9): 1, (5,): 2}
    """
    children: dict[Path, dict[int, None]] = {}
    for text in texts:
        for k, token in enumerate(text):
            children.setdefault(text[:k], {})[token] = None
    ends = {_decided(text, texts): at for at, text in enumerate(texts)}
    open_ = {path[:k] for path in ends for k in range(len(path))}
    return Listing({path: tuple(children[path]) for path in children if path in open_}, ends)


def _decided(text: Path, texts: Sequence[Path]) -> Path:
    for k in range(1, len(text) + 1):
        if sum(other[:k] == text[:k] for other in texts) == 1:
            return text[:k]
    raise ValueError(f"the tokens {text} begin another text")


def share_of(logs: Mapping[int, float], token: int, others: Sequence[int]) -> float:
    """Return the natural logarithm of a token's share among those that may follow.

    ``logs`` are the log-probabilities of the likeliest tokens; one of ``others`` that is not among them counts as much
    as the least of them, so that a share is too small rather than too large.  NaN where one of them is.

    >>> round(exp(share_of({1: log(0.5), 2: log(0.1)}, 1, [1, 2])), 3)
    0.833
    >>> round(exp(share_of({1: log(0.5), 2: log(0.1)}, 1, [1, 9])), 3)
    0.833
    """
    least = min(logs.values(), default=-inf)
    held = [logs.get(other, least) for other in others]
    top = max(held)
    if isnan(sum(held)) or top == -inf:
        return float("nan")
    return logs.get(token, least) - top - log(sum(exp(one - top) for one in held))
