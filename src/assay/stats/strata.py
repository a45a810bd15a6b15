"""Shares of strata, added with weights: a score in which each level counts for what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import hypot, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from . import clusters
from .arrays import WRONG, Floats, finite, same_shape, tail_of
from .inference import Inference, Undefined
from .jackknife import NO_SPREAD, Spread, Terms, together
from .quotient import smallest_tail
from .scores import Exact
from .student import StudentT
from .tails import t_quantile

Where: TypeAlias = npt.NDArray[np.bool_]

NO_STRATUM = Undefined("no stratum has a sample")
NOT_OBSERVED = Undefined("no reply of a stratum was observed")
NOT_APART = Undefined("a group stands in two strata, which are then not independent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Which stratum and which group each record is of, and what each stratum counts."""

    codes: npt.NDArray[np.int64]
    """Shape [records]: 0 .. K - 1, or -1 for a record of no stratum."""

    groups: npt.NDArray[np.int64]
    weights: tuple[float, ...]
    """Of K strata."""

    scale: float = 1.0
    """What all shares at 1 come to."""

    def __post_init__(self) -> None:
        same_shape(codes=self.codes, groups=self.groups)
        if self.codes.max(initial=-1) >= len(self.weights) or min(self.weights, default=0) < 0:
            raise DataError("Every stratum needs a weight, and none is negative", code=WRONG)

    @property
    def are_apart(self) -> bool:
        """Whether no group stands in two strata."""
        pairs = np.unique(np.stack([self.groups, self.codes])[:, self.codes >= 0], axis=1)
        return bool(len(np.unique(pairs[0])) == pairs.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is known of one stratum."""

    weight: float
    """Those of all parts add up to 1."""

    value: float
    found: Inference
    n_groups: int = 0

    @property
    def variance(self) -> float:
        """Of this part of the sum."""
        return (self.weight * (self.found.se or 0.0)) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedSum:
    """Infer a mean of independent numbers, each with a weight, from what is known of each.

    The distance from the value to an end of the interval is the root of the squares of the parts'
    distances (Zou and Donner); where ``whole`` reaches farther, it decides.  A part without an
    interval may be anything.

    Source: Zou and Donner 2008; Zou, Huang and Zhang 2009 for linear functions of shares.

    >>> half = [Part(weight=0.5, value=x.value, found=x) for x in (Exact(5, 10), Exact(0, 10))]
    >>> [round(end, 3) for end in WeightedSum(parts=tuple(half), low=0.0).interval()]
    [0.094, 0.47]

    Not to be trusted when the parts have samples in common.
    """

    parts: tuple[Part, ...]
    low: float
    """No part is below: 0 for shares, -1 for their differences.  None is above 1."""

    whole: Inference | None = None
    """The mean, inferred at once."""

    whole_said: str = ""
    """How, in words."""

    scale: float = 1.0
    """What everything is multiplied by."""

    seeds: Spread = NO_SPREAD
    """The variance that comes from seeds, before it is scaled."""

    @property
    def value(self) -> float:
        """The mean."""
        return self.scale * sum(part.weight * part.value for part in self.parts)

    @property
    def se(self) -> float | None:
        """The standard error, None where no part has one."""
        square = sum(part.variance for part in self.parts) + self.seeds.variance
        return self.scale * sqrt(square) if square else None

    @property
    def method(self) -> str:
        """What was done, in words."""
        said = f"intervals of {len(self.parts)} strata added by squares"
        if self.whole is not None:
            said += f", or {self.whole_said or self.whole.method} where that is wider"
        if self.seeds.variance:
            said += f"; seeds with t, {self.seeds.df:.3g} df"
        return said

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval."""
        value, down, up = self.value / self.scale, 0.0, 0.0
        for part in self.parts:
            low, high = part.found.interval(confidence) or (self.low, 1.0)
            down = hypot(down, part.weight * (part.value - low))
            up = hypot(up, part.weight * (high - part.value))
        if self.whole is not None and (ends := self.whole.interval(confidence)) is not None:
            down, up = max(down, value - ends[0]), max(up, ends[1] - value)
        if self.seeds.variance:
            other = self.seeds.se * t_quantile(tail_of(confidence), self.seeds.df)
            down, up = hypot(down, other), hypot(up, other)
        return self.scale * max(self.low, value - down), self.scale * min(1.0, value + up)

    def p_at_least(self, bound: float) -> float:
        """Return the one-sided p-value in support of mean >= bound."""
        if bound <= self.scale * self.low:
            return 0.0
        return smallest_tail(self, lambda ends: ends[0] >= bound)

    def p_at_most(self, bound: float) -> float:
        """Return the one-sided p-value in support of mean <= bound."""
        if bound >= self.scale:
            return 0.0
        return smallest_tail(self, lambda ends: ends[1] <= bound)


def share(
    hits: npt.ArrayLike, asked: npt.ArrayLike, *, strata: Strata, seeds: Spread = NO_SPREAD
) -> Inference:
    """Infer the weighted mean of the shares of strata, times ``strata.scale``.

    ``hits`` and ``asked`` are counts of shape [records], as for ``clusters.share``, which infers each
    stratum; ``seeds`` is the variance of the scaled mean that comes from seeds.  Strata without
    records are left out, with their weights.  Beside the sum of the strata stands Clopper-Pearson at the
    size that their variance implies: intervals of rare events end at 0, and their squares then add
    up to too little.

    Raises DataError A202 for shapes that differ, or counts that are none.
    Source: Zou, Huang and Zhang 2009; the second interval by simulation, see docs/statistics.md.

    >>> strata = Strata(codes=np.repeat([0, 1], 6), groups=np.arange(12), weights=(1, 3), scale=100)
    >>> found = share([1] * 6 + [0] * 6, [1] * 12, strata=strata)
    >>> found.value, [round(end, 1) for end in found.interval()]
    (25.0, [13.5, 59.4])

    Not to be trusted when the samples of a stratum are not a draw of what it stands for.
    """
    hit, of = finite("hits", hits), finite("asked", asked)
    same_shape(hits=hit, asked=of, codes=strata.codes)

    def infer(here: Where) -> tuple[float, Inference]:
        found = clusters.share(hit[here], of[here], groups=strata.groups[here])
        return float(hit[here].sum() / of[here].sum()), found

    parts = _parts(strata, (of,), infer)
    if isinstance(parts, Undefined):
        return parts
    mean, variance = sum(p.weight * p.value for p in parts), sum(p.variance for p in parts)
    whole, said = None, ""
    if variance > 0 and len(parts) > 1:
        n = mean * (1 - mean) / variance
        whole, said = Exact(mean * n, n), f"Clopper-Pearson at effective n {n:.3g}"
    return _scaled(WeightedSum(parts=parts, low=0.0, whole=whole, whole_said=said), strata, seeds)


def paired(a: Terms, b: Terms, *, strata: Strata, seeds: Spread = NO_SPREAD) -> Inference:
    """Infer the weighted mean of ``a`` less that of ``b`` on the same records.

    Each of ``a`` and ``b`` is (hits, asked), counts of shape [records]; ``clusters.paired`` infers each
    stratum.  Otherwise as ``share``, but for what stands beside the sum: Student's t.

    Raises DataError A202 as ``share`` does.
    Source: as ``share``.

    >>> ones = [1] * 12
    >>> strata = Strata(codes=np.repeat([0, 1], 6), groups=np.arange(12), weights=(1, 3), scale=100)
    >>> paired(([1] * 6 + [0] * 6, ones), ([0] * 12, ones), strata=strata).value
    25.0

    Not to be trusted when fewer than about five samples of a stratum that counts for much differ.
    """
    (hit, of), (other, their) = ((finite("hits", x), finite("asked", y)) for x, y in (a, b))
    same_shape(hits=hit, asked=of, others=other, their=their, codes=strata.codes)

    def infer(here: Where) -> tuple[float, Inference]:
        one, two = (hit[here], of[here]), (other[here], their[here])
        found = clusters.paired(one, two, groups=strata.groups[here], bounds=(0.0, 1.0))
        return float(one[0].sum() / one[1].sum() - two[0].sum() / two[1].sum()), found

    parts = _parts(strata, (of, their), infer)
    if isinstance(parts, Undefined):
        return parts
    spreads = [Spread(variance=p.variance, df=max(p.n_groups - 1, 1)) for p in parts if p.variance]
    whole = None
    if spreads and len(parts) > 1:
        added, mean = together(*spreads), sum(p.weight * p.value for p in parts)
        said = f"Student's t with {added.df:.3g} df"
        whole = StudentT(value=mean, se=added.se, df=added.df, low=-1.0, high=1.0, method=said)
    return _scaled(WeightedSum(parts=parts, low=-1.0, whole=whole), strata, seeds)


def _parts(
    strata: Strata, asked: tuple[Floats, ...], infer: Callable[[Where], tuple[float, Inference]]
) -> tuple[Part, ...] | Undefined:
    there = [k for k in range(len(strata.weights)) if (strata.codes == k).any()]
    total = sum(strata.weights[k] for k in there)
    if not total:
        return NO_STRATUM
    if not strata.are_apart:
        return NOT_APART
    parts = []
    for k in there:
        here = strata.codes == k
        if any(not of[here].sum() for of in asked):
            return NOT_OBSERVED
        value, found = infer(here)
        n_groups = len(np.unique(strata.groups[here]))
        weight = strata.weights[k] / total
        parts.append(Part(weight=weight, value=value, found=found, n_groups=n_groups))
    return tuple(parts)


def _scaled(found: WeightedSum, strata: Strata, seeds: Spread) -> WeightedSum:
    unscaled = replace(seeds, variance=seeds.variance / strata.scale**2)
    return replace(found, scale=strata.scale, seeds=unscaled)
