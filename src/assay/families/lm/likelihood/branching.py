"""The continuations of one question as a tree of tokens, laid out in one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .tokens import Scored


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens of one question behind what is computed already; each sees its ancestors only."""

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    """The place of the token before each; -1 for one that stands right behind what is computed."""

    depths: tuple[int, ...]
    """The position of each token in its own sequence, from 0."""

    wanted: tuple[tuple[tuple[int, int], ...], ...]
    """For each continuation: the place whose prediction is looked at, and the token that came."""

    @property
    def stem(self) -> int:
        """How many tokens come before the first branch."""
        for at, parent in enumerate(self.parents):
            if parent != at - 1:
                return at
        return len(self.tokens)


def laid_out(scored: Sequence[Scored], computed: int) -> Row:
    """Lay out the continuations of one question, whose first ``computed`` tokens are computed already.

    Continuations that begin alike share tokens; one-token continuations share everything.

    >>> row = laid_out([Scored((1, 2, 3, 4), 2), Scored((1, 2, 5, 6), 2)], 1)
    >>> row.tokens, row.parents, row.depths, row.wanted
    ((2, 3, 5), (-1, 0, 0), (1, 2, 2), (((0, 3), (1, 4)), ((0, 5), (2, 6))))
    """
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    places: dict[tuple[int, int], int] = {}
    wanted = []
    for one in scored:
        at, looked = -1, []
        for depth in range(computed, len(one.tokens) - 1):
            key = (at, one.tokens[depth])
            if key not in places:
                places[key] = len(tokens)
                tokens.append(one.tokens[depth])
                parents.append(at)
                depths.append(depth)
            at = places[key]
            if depth + 1 >= one.context:
                looked.append((at, one.tokens[depth + 1]))
        wanted.append(tuple(looked))
    return Row(tuple(tokens), tuple(parents), tuple(depths), tuple(wanted))


def path_of(tokens: tuple[int, ...], computed: int) -> Row:
    """Return the row of tokens without branches, behind ``computed`` others.

    >>> path_of((7, 8), 3).depths
    (3, 4)
    """
    size = len(tokens)
    return Row(tokens, tuple(range(-1, size - 1)), tuple(range(computed, computed + size)), ())


def stem_of(scored: Sequence[Scored]) -> tuple[int, ...]:
    """Return what may be computed before: what all continuations share, less the last token of a context.

    The prediction behind that token is the first that is looked at, so it has to be in the row.

    >>> stem_of([Scored((1, 2, 3, 4), 3), Scored((1, 2, 3, 5), 3)])
    (1, 2)
    """
    least = min(one.context for one in scored) - 1
    first = scored[0].tokens
    differs = (k for k in range(least) if any(one.tokens[k] != first[k] for one in scored))
    return first[: next(differs, least)]
