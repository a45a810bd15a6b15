"""Numbers that may be looked at after every group: confidence sequences by betting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape, tail_of
from .inference import Inference, Undefined

STAKES = np.geomspace(0.005, 0.995, 32)
"""Shares of what can be lost on one group; the bets are spread evenly over them."""

_HALVINGS = 60
_FEW_HALVINGS = 24
"""Where a person looks on: six digits, rounded outwards."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Betting:
    """A ratio of totals over groups in the order asked, valid whenever one stops to look.

    Against "at most m" a gambler stakes a share u of the fortune on every group, and gains
    u (x - m) / m of it per unit asked; fortunes are averaged over ``STAKES``.  If the truth is at
    most m, the fortune is a supermartingale, so that it ever exceeds 1 / a with probability at most
    a (Ville): 1 over its maximum is a p-value at any stopping time, and the bounds that are not
    rejected are a confidence sequence.

    Source: Waudby-Smith and Ramdas 2024, with a mixture over stakes in place of one that adapts,
    which keeps the fortune falling in m: interval and p-values agree.

    >>> seen = Betting(above=np.ones(100), below=np.ones(100), most=1.0)
    >>> low, high = seen.interval()
    >>> round(low, 2), high
    (0.94, 1.0)

    Not to be trusted when the order of groups depends on their answers.
    """

    above: Floats = field(repr=False)
    """Shape [groups], within [0, ``below``]."""

    below: Floats = field(repr=False)
    most: float
    """The largest ``below`` that a group can have, known before anything is asked."""

    scale: tuple[float, float] = (0.0, 1.0)
    """What a ratio of 0 and of 1 stand for: (-1, 1) where it is a difference."""

    @property
    def value(self) -> float:
        """The point estimate."""
        return self._out(float(self.above.sum() / self.below.sum()))

    @property
    def method(self) -> str:
        """What was done, in words."""
        return f"confidence sequence over {self.above.size} groups, may stop at any look"

    @property
    def se(self) -> None:
        """None: nothing is estimated."""
        return None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the interval, which holds at every look together."""
        tail = tail_of(confidence)
        share = float(self.above.sum() / self.below.sum())
        low = _edge(lambda m: _p(self.above, self.below, self.most, m) <= tail, share)
        misses = self.below - self.above
        high = 1 - _edge(lambda m: _p(misses, self.below, self.most, m) <= tail, 1 - share)
        return self._out(low), self._out(high)

    def p_at_least(self, bound: float) -> float:
        """Return the p-value in support of value >= bound, whenever it is looked at."""
        return _p(self.above, self.below, self.most, self._in(bound))

    def p_at_most(self, bound: float) -> float:
        """Return the p-value in support of value <= bound, whenever it is looked at."""
        return _p(self.below - self.above, self.below, self.most, 1 - self._in(bound))

    def _out(self, share: float) -> float:
        low, high = self.scale
        return low + (high - low) * share

    def _in(self, value: float) -> float:
        low, high = self.scale
        return (value - low) / (high - low)


@dataclass(slots=True, eq=False)
class Tally:
    """The same gambler with a short memory: groups are counted by what came of them, not kept.

    The fortune of this moment stands in the place of its maximum.  It is that of the same bets, so a bound is
    wrongly rejected at some look with probability at most a, as before; intervals are a little wider than
    those of ``Betting``, and may widen again.  A look costs the same after ten groups and after a million.

    Source: as ``Betting``; Ville's inequality holds of the fortune at any stopping time.

    >>> seen = Tally(most=1)
    >>> seen.add(1, 1, times=100)
    >>> low, high = seen.interval()
    >>> seen.value, round(low, 2), high
    (1.0, 0.94, 1.0)

    Not to be trusted when the order of groups depends on their answers, or what comes first is easier than
    what comes later.
    """

    most: float
    """The largest ``below`` that a group can have, known before anything is asked."""

    counts: dict[tuple[float, float], int] = field(default_factory=dict, repr=False)
    """How many groups came to each pair of (above, below)."""

    def add(self, above: float, below: float, *, times: int = 1) -> None:
        """Take in a group; raise DataError A202 unless 0 <= above <= below <= most."""
        if not 0 <= above <= below <= self.most:
            raise DataError(f"a group must have 0 <= hits <= asked <= {self.most}", code=WRONG)
        key = float(above), float(below)
        self.counts[key] = self.counts.get(key, 0) + times

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return sum(self.counts.values())

    @property
    def value(self) -> float | None:
        """The ratio of totals so far; None where nothing is below."""
        below = sum(b * n for (_, b), n in self.counts.items())
        return sum(a * n for (a, _), n in self.counts.items()) / below if below else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the interval, which holds at every look together; all of [0, 1] where nothing is known."""
        share = self.value
        if share is None:
            return 0.0, 1.0
        tail = tail_of(confidence)
        pairs = np.array(list(self.counts), dtype=np.float64)
        times = np.array(list(self.counts.values()), dtype=np.float64)
        above, below = pairs[:, 0], pairs[:, 1]
        misses = below - above

        def edge(terms: Floats, share: float) -> float:
            return _edge(
                lambda m: _p_now(terms, below, times, self.most, m) <= tail, share, _FEW_HALVINGS
            )

        return edge(above, share), 1 - edge(misses, 1 - share)


def share(hits: npt.ArrayLike, asked: npt.ArrayLike, *, most: float) -> Inference:
    """Follow a share: sum of ``hits`` over sum of ``asked``, shape [groups], in the order asked.

    Raises DataError A202 for shapes that differ, hits outside of [0, asked], asked above ``most``.

    >>> share([1, 0, 1], [1, 1, 1], most=1).method
    'confidence sequence over 3 groups, may stop at any look'
    """
    above, below = _terms(hits, asked, most)
    if (above < 0).any() or (above > below).any():
        raise DataError("hits must lie between 0 and asked", code=WRONG)
    if not below.sum():
        return Undefined("nothing was asked")
    return Betting(above=above, below=below, most=float(most))


def difference(
    first: npt.ArrayLike, second: npt.ArrayLike, asked: npt.ArrayLike, *, most: float
) -> Inference:
    """Follow a difference of shares on the same groups, shape [groups], in the order asked.

    Raises DataError A202 as ``share`` does.

    >>> round(difference([1, 0, 1], [0, 0, 1], [1, 1, 1], most=1).value, 3)
    0.333
    """
    one, below = _terms(first, asked, most)
    two, _ = _terms(second, asked, most)
    if min(one.min(initial=0), two.min(initial=0)) < 0 or (np.maximum(one, two) > below).any():
        raise DataError("hits must lie between 0 and asked", code=WRONG)
    if not below.sum():
        return Undefined("nothing was asked")
    middle = (one - two + below) / 2
    return Betting(above=middle, below=below, most=float(most), scale=(-1.0, 1.0))


def _terms(hits: npt.ArrayLike, asked: npt.ArrayLike, most: float) -> tuple[Floats, Floats]:
    above, below = finite("hits", hits), finite("asked", asked)
    same_shape(hits=above, asked=below)
    if most <= 0 or (below > most).any() or (below < 0).any():
        raise DataError(f"asked must lie between 0 and {most}", code=WRONG)
    return above, below


def _p(above: Floats, below: Floats, most: float, m: float) -> float:
    """Return one over the largest fortune of betting against a ratio of at most ``m``."""
    if m <= 0:
        return 0.0
    if m >= 1:
        return 1.0
    gains = (above / m - below) / most
    fortunes = np.cumsum(np.log1p(STAKES * gains[:, None]), axis=0)
    peak = fortunes.max(axis=1)
    mixed = peak + np.log(np.exp(fortunes - peak[:, None]).mean(axis=1))
    return exp(-max(float(mixed.max(initial=0.0)), 0.0))


def _p_now(above: Floats, below: Floats, times: Floats, most: float, m: float) -> float:
    """Return one over the fortune of this moment; groups stand in no order."""
    if m <= 0:
        return 0.0
    if m >= 1:
        return 1.0
    gains = (above / m - below) / most
    fortunes = times @ np.log1p(STAKES * gains[:, None])
    peak = fortunes.max()
    mixed = peak + np.log(np.exp(fortunes - peak).mean())
    return exp(-max(float(mixed), 0.0))


def _edge(rejected: Callable[[float], bool], share: float, halvings: int = _HALVINGS) -> float:
    """Return the largest bound below the share that is rejected."""
    low, high = 0.0, share
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (middle, high) if rejected(middle) else (low, middle)
    return low
