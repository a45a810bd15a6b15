"""Which rows of a cohort can be told apart: paired where samples are the same, apart from intervals where not.

*Covered*: the chance that any two equal rows of a column stand in a wrong order is at most 5 %, whatever depends on
what.  *Not covered*: many columns; and numbers with an interval alone are compared as if measured apart, which hides
differences of rows that err on the same samples, and never makes any up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, log, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...stats import clusters
from ...stats.inference import Census, Inference
from ...stats.ranks import that_stand
from ...stats.tails import t_quantile, t_tail
from ..facts import short
from .card import Asked, Number, Values

ALPHA = 0.05
MOST_PAIRED = 64
"""Rows that are paired with one another; of more, their intervals are compared."""

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """The ranks that a row may have, and the band that it stands in."""

    best: int
    worst: int
    band: int
    """1 for the first; rows of one band cannot be told apart from the first of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Rows of one column to be ranked; index to what is known of each, every number with an interval."""

    higher: bool
    """Whether larger is better."""

    ratio: bool
    """Whether numbers are compared by ratios."""

    numbers: Mapping[int, Number]
    pairs: Mapping[Pair, Inference]
    """The first less the second, on the same samples; every pair, or none."""

    def ranks(self) -> dict[int, Rank]:
        """Return the ranks of all rows, each hypothesis of an order tested one-sided, Holm over all."""
        ahead = self._shown()
        rows = sorted(self.numbers, key=lambda i: (-self._worth(i), i))
        m = len(rows)
        band, first, found = 0, -1, {}
        for place, row in enumerate(rows):
            if not place or (first, row) in ahead:
                band, first = band + 1, row
            found[row] = Rank(
                best=1 + sum((other, row) in ahead for other in rows),
                worst=m - sum((row, other) in ahead for other in rows),
                band=band,
            )
        return found

    def p_ahead(self, one: int, other: int) -> float | None:
        """Return the one-sided p-value of "``one`` is better than ``other``"; None where nothing can be said."""
        if (paired := self.pairs.get((min(one, other), max(one, other)))) is not None:
            if paired.value is None or isinstance(paired, Census):
                return None
            more = (one < other) == self.higher
            return paired.p_at_least(0.0) if more else paired.p_at_most(0.0)
        return p_apart(self.numbers[one], self.numbers[other], higher=self.higher, ratio=self.ratio)

    def differences(self) -> dict[Pair, tuple[float | None, float | None, float | None]]:
        """Return every paired difference with its 95 % interval, one by one."""
        found = {}
        for pair, inference in self.pairs.items():
            ends = inference.interval(0.95) if inference.value is not None else None
            low, high = ends or (None, None)
            found[pair] = short(inference.value), short(low), short(high)
        return found

    def _worth(self, row: int) -> float:
        value = self.numbers[row].value or 0.0
        return value if self.higher else -value

    def _shown(self) -> set[Pair]:
        """Return which ordered pairs are shown, best first."""
        rows = sorted(self.numbers)
        given = [
            (one, other)
            for one in rows
            for other in rows
            if one != other and self._worth(one) > self._worth(other)
        ]
        ps = [self.p_ahead(*pair) for pair in given]
        known = [(pair, p) for pair, p in zip(given, ps, strict=True) if p is not None]
        stand = that_stand(
            np.array([p for _, p in known]),
            hypotheses=max(len(rows) * (len(rows) - 1), 1),
            alpha=ALPHA,
        )
        return {pair for (pair, _), stands in zip(known, stand.tolist(), strict=True) if stands}


def is_ranked(number: Number, *, ratio: bool) -> bool:
    """Whether a number says how sure it is; what speaks of these questions only has no rank."""
    if number.value is None or number.low is None or number.high is None:
        return False
    return not ratio or min(number.value, number.low) > 0


def p_apart(one: Number, other: Number, *, higher: bool, ratio: bool) -> float | None:
    """Return the one-sided p-value of "``one`` is better" for numbers that are taken as measured apart.

    The arm of either interval that points to the other number is its standard error times a t quantile; with ratios
    on the log scale.  Source: MOVER, Zou and Donner 2008.

    *Not to be trusted when* the two err in opposite directions on the same samples.
    """
    if not (is_ranked(one, ratio=ratio) and is_ranked(other, ratio=ratio)):
        return None
    up, down = (one, other) if higher else (other, one)
    place = log if ratio else float
    top, bottom = (place(n.value or 0.0) for n in (up, down))
    low, high = place(up.low or 0.0), place(down.high or 0.0)
    df = [inf if n.n_groups <= 1 else float(n.n_groups - 1) for n in (up, down)]
    errors = [
        max(arm, 0.0) / t_quantile((1 - n.confidence) / 2, d)
        for arm, n, d in zip((top - low, high - bottom), (up, down), df, strict=True)
    ]
    spread = sqrt(errors[0] ** 2 + errors[1] ** 2)
    if spread <= 0.0:
        return None
    return t_tail((top - bottom) / spread, min(df))


def paired(values: Mapping[int, Values], asked: Asked) -> dict[Pair, Inference]:
    """Return the difference of every pair of rows on the same samples, by the paired inference of claims.

    Nothing where there are more than 64 rows.
    """
    if len(values) > MOST_PAIRED:
        return {}
    groups = _groups(asked)
    terms = {row: _terms(one, asked.n) for row, one in values.items()}
    found: dict[Pair, Inference] = {}
    for i, j in combinations(sorted(values), 2):
        # Sums over seeds, scaled to one another's number of seeds, stay whole counts.
        left = tuple(term * values[j].seeds for term in terms[i])
        right = tuple(term * values[i].seeds for term in terms[j])
        low, high = values[i].bounds
        found[i, j] = clusters.paired(
            (left[0], left[1]),
            (right[0], right[1]),
            groups=groups,
            bounds=(-inf if low is None else low, inf if high is None else high),
        )
    return found


def _groups(asked: Asked) -> npt.NDArray[np.int64]:
    if not asked.groups:
        return np.arange(asked.n)
    return np.array(asked.groups.split(), dtype=np.int64)


def _terms(values: Values, n: int) -> Sequence[npt.NDArray[np.float64]]:
    above = np.array(values.numerators.split(), dtype=np.float64)
    below = np.array(values.denominators.split(), dtype=np.float64)
    return above, np.broadcast_to(below, (n,)) if below.size == 1 else below
