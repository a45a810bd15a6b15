"""Which beginnings are computed once: a tree of shared prefixes over sorted token sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from typing import Literal, TypeAlias

Tokens: TypeAlias = tuple[int, ...]

Prefix: TypeAlias = Literal["shared", "apart"]
"""Whether what questions begin alike with is computed once, or anew for each."""


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that begin alike."""

    edge: Tokens
    """What they share beyond the group above: computed once."""

    depth: int
    """How many tokens are computed when the edge is: those of all groups above, and the edge."""

    members: tuple[int, ...] = ()
    """Questions that share nothing more, by their place in what was given."""

    groups: tuple[Group, ...] = field(default=())
    """Some of them begin alike for longer."""


def shared(sequences: Sequence[Tokens], *, least: int) -> Group:
    """Return the tree of beginnings that sequences share; an edge has at least ``least`` tokens.

    Every sequence is a member of exactly one group.  The edge of the root is what all of them share; it
    may be empty, as may be the groups of a tree whose sequences share little.

    >>> tree = shared([(1, 2, 3, 4), (1, 2, 3, 5), (9,)], least=2)
    >>> tree.edge, tree.members, [(g.edge, g.depth, g.members) for g in tree.groups]
    ((), (2,), [((1, 2, 3), 3, (0, 1))])
    """
    order = sorted(range(len(sequences)), key=lambda at: sequences[at])
    members, groups = _Gathering(sequences, order, least).gather(0, len(order), 0)
    if not members and len(groups) == 1:
        return groups[0]
    return Group(edge=(), depth=0, members=members, groups=groups)


Gathered: TypeAlias = tuple[tuple[int, ...], tuple[Group, ...]]


@dataclass(frozen=True, slots=True)
class _Gathering:
    sequences: Sequence[Tokens]
    order: Sequence[int]
    """Places, in the order of their sequences: so the ends of a stretch share what all of it shares."""

    least: int

    def gather(self, low: int, high: int, computed: int) -> Gathered:
        """Return members and groups of a stretch of which ``computed`` tokens are computed already."""
        if high - low < 2:
            return tuple(self.order[low:high]), ()
        first = self.sequences[self.order[low]]
        common = alike(first, self.sequences[self.order[high - 1]])
        if common - computed < self.least:
            return self._parts(low, high, common, computed)
        members, groups = self._parts(low, high, common, common)
        return (), (Group(first[computed:common], common, members, groups),)

    def _parts(self, low: int, high: int, common: int, computed: int) -> Gathered:
        """Divide a stretch by the token behind what it shares."""
        members: list[int] = []
        groups: list[Group] = []
        at = low
        for ended, run in groupby(range(low, high), key=lambda k: self._next(k, common)):
            size = sum(1 for _ in run)
            if ended is None:  # equal sequences: nothing is left to share
                members += self.order[at : at + size]
            else:
                alone, together = self.gather(at, at + size, computed)
                members += alone
                groups += together
            at += size
        return tuple(members), tuple(groups)

    def _next(self, place: int, common: int) -> int | None:
        tokens = self.sequences[self.order[place]]
        return tokens[common] if len(tokens) > common else None


def alike(one: Tokens, other: Tokens) -> int:
    """Return how many tokens two sequences begin alike with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
