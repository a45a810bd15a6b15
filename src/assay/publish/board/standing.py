"""Which rows of a cohort can be told apart: paired where samples are the same, apart from intervals where not.

*Covered*: the chance that any two equal rows of a column stand in a wrong order is at most 5 % (up to 6 % of pairs of
fewer than 60 samples), whatever depends on what.  *Not covered*: many columns; and numbers with an interval alone are compared as if measured apart, which hides
differences of rows that err on the same samples, and never makes any up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import inf, isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from ...stats import clusters
from ...stats.arrays import Floats
from ...stats.inference import Census, Inference
from ...stats.ranks import that_stand
from ...stats.tails import t_quantile, t_tails
from ..facts import short
from .card import Asked, Number, Values

ALPHA = 0.05
MOST_PAIRED = 64
"""Rows that are paired with one another; of more, their intervals are compared."""

MOST_GROUP = 2**53
"""Whole numbers up to here are told apart as they are read."""

SEE_WHICH = "see which one: assay board verify; then add its run again"

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """The ranks that a row may have, and the band that it stands in."""

    best: int
    worst: int
    band: int
    """1 for the first; rows of one band cannot be told apart from the first of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking:
    """Rows of one column to be ranked."""

    higher: bool
    """Whether larger is better."""

    ratio: bool
    """Whether numbers are compared by ratios."""

    numbers: Mapping[int, Number]
    """Row to its number, every one with an interval."""

    pairs: Mapping[Pair, Inference]
    """The first less the second, on the same samples; every pair, or none."""

    places: Mapping[int, int] = field(init=False)
    """Row to its place in ``p``."""

    p: Floats = field(init=False, repr=False)
    """One-sided p-values of "the first is better than the second"; NaN where nothing can be said."""

    def __post_init__(self) -> None:
        rows = sorted(self.numbers)
        object.__setattr__(self, "places", {row: place for place, row in enumerate(rows)})
        object.__setattr__(self, "p", self._paired(rows) if self.pairs else self._apart(rows))

    def ranks(self) -> dict[int, Rank]:
        """Return the ranks of all rows, each hypothesis of an order tested one-sided, Holm over all."""
        rows, m = sorted(self.numbers), len(self.numbers)
        known = np.isfinite(self.p)
        ahead = np.zeros((m, m), dtype=np.bool_)
        ahead[known] = that_stand(self.p[known], hypotheses=max(m * (m - 1), 1), alpha=ALPHA)
        better, worse = ahead.sum(axis=0).tolist(), ahead.sum(axis=1).tolist()
        values = [self.numbers[row].value or 0.0 for row in rows]
        order = sorted(range(m), key=lambda k: (-values[k] if self.higher else values[k], rows[k]))
        band, first, found = 0, -1, {}
        for k in order:
            if not band or ahead[first, k]:
                band, first = band + 1, k
            found[rows[k]] = Rank(best=1 + better[k], worst=m - worse[k], band=band)
        return found

    def p_ahead(self, one: int, other: int) -> float | None:
        """Return the one-sided p-value of "``one`` is better than ``other``"; None where nothing can be said."""
        if one not in self.places or other not in self.places:
            return None
        found = float(self.p[self.places[one], self.places[other]])
        return found if isfinite(found) else None

    def differences(self) -> dict[Pair, tuple[float | None, float | None, float | None]]:
        """Return every paired difference with its 95 % interval, one by one."""
        found = {}
        for pair, inference in self.pairs.items():
            ends = inference.interval(0.95) if inference.value is not None else None
            low, high = ends or (None, None)
            found[pair] = short(inference.value), short(low), short(high)
        return found

    def _paired(self, rows: Sequence[int]) -> Floats:
        p = np.full((len(rows), len(rows)), np.nan)
        for (i, a), (j, b) in combinations(enumerate(rows), 2):
            inference = self.pairs[a, b]
            if inference.value is None or not inference.value or isinstance(inference, Census):
                continue
            first = (inference.value > 0) == self.higher
            above = inference.p_at_least if inference.value > 0 else inference.p_at_most
            if (found := above(0.0)) is not None:
                p[(i, j) if first else (j, i)] = found
        return p

    def _apart(self, rows: Sequence[int]) -> Floats:
        """Take numbers as measured apart: the arm of either interval that points to the other one is its error.

        It is the standard error times a t quantile; with ratios on the log scale.
        Source: MOVER, Zou and Donner 2008.

        *Not to be trusted when* two rows err in opposite directions on the same samples.
        """
        there = [self.numbers[row] for row in rows]
        value, low, high = (
            np.array([e for e in ends if e is not None], dtype=np.float64)
            for ends in ([n.value for n in there], [n.low for n in there], [n.high for n in there])
        )
        if self.ratio:
            value, low, high = np.log(value), np.log(low), np.log(high)
        df = np.array([n.n_groups - 1.0 if n.n_groups > 1 else inf for n in there])
        arms = np.array(
            [t_quantile((1 - n.confidence) / 2, d) for n, d in zip(there, df, strict=True)]
        )
        # A card may say any confidence: at one of nothing an interval tells no error.
        arms = np.where(arms > 0, arms, inf)
        down, up = (np.maximum(arm, 0.0) / arms for arm in (value - low, high - value))
        if not self.higher:
            value, down, up = -value, up, down
        ahead, behind = np.nonzero(value[:, None] > value[None, :])
        spread = np.hypot(down[ahead], up[behind])
        sure = spread > 0
        ahead, behind, spread = ahead[sure], behind[sure], spread[sure]
        p = np.full((len(rows), len(rows)), np.nan)
        tested = (value[ahead] - value[behind]) / spread
        p[ahead, behind] = t_tails(tested, np.minimum(df[ahead], df[behind]))
        return p


def is_ranked(number: Number, *, ratio: bool) -> bool:
    """Whether a number says how sure it is; what speaks of these questions only has no rank."""
    if number.value is None or number.low is None or number.high is None:
        return False
    return not ratio or min(number.value, number.low, number.high) > 0


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
        try:
            found[i, j] = clusters.paired(
                (left[0], left[1]),
                (right[0], right[1]),
                groups=groups,
                bounds=(-inf if low is None else low, inf if high is None else high),
            )
        except DataError as error:
            what = f"the values of a card do not fit together: {error.what}"
            raise DataError(what, where="models/results", hint=SEE_WHICH) from None
    return found


def _groups(asked: Asked) -> npt.NDArray[np.int64]:
    if not asked.groups:
        return np.arange(asked.n)
    found = _read(asked.groups, asked.n)
    if not (np.trunc(found) == found).all() or np.abs(found).max(initial=0.0) > MOST_GROUP:
        raise DataError(
            "a card counts its groups by what is no whole number, or larger than any",
            where="models/results",
            hint=SEE_WHICH,
        )
    return found.astype(np.int64)


def _terms(values: Values, n: int) -> Sequence[Floats]:
    one = " " not in values.denominators
    below = _read(values.denominators, 1 if one else n)
    return _read(values.numerators, n), np.broadcast_to(below, (n,)) if one else below


def _read(text: str, n: int) -> Floats:
    """Return ``n`` numbers; raise ``DataError`` A200 where a card has others."""
    try:
        found = np.array(text.split(), dtype=np.float64)
    except ValueError:
        found = np.empty(0)
    if found.size != n or not np.isfinite(found).all():
        raise DataError(
            f"a card does not hold a number for each of {n:,} samples",
            where="models/results",
            hint=SEE_WHICH,
        )
    return found
