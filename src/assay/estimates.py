"""Shares, quantiles and ranks with intervals, from plain arrays, for what a plugin makes outside of a run.

A run needs none of this: its metrics become estimates by themselves.  A data set that is audited,
or a table that a family's own command prints, has no run, and its numbers must not travel alone
either.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from .analysis.infer import summarise
from .analysis.rules import MaxRisk
from .core.errors import DataError
from .core.metric import Estimate, Over
from .publish.facts import estimate_facts
from .publish.words import Scale, number
from .stats import blocks as in_blocks
from .stats import clusters, order, threshold
from .stats import ranks as in_order
from .stats.inference import Census, Resampled, Undefined
from .stats.ranks import RankBands, ranks

__all__ = [
    "RankBands",
    "Safe",
    "census",
    "facts",
    "from_draws",
    "quantile",
    "rank_bands",
    "ranks",
    "safe_threshold",
    "share",
    "spell",
]

SAMPLES = frozenset({Over.SAMPLES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """The least strict confidence that keeps a risk, as far as calibration can tell."""

    value: float | None
    """None: no threshold does, and ``says`` why."""

    says: str
    """What is promised."""


def share(
    name: str,
    hits: npt.ArrayLike,
    *,
    asked: npt.ArrayLike | None = None,
    groups: Sequence[Hashable] | None = None,
) -> Estimate:
    """Return sum of ``hits`` over sum of ``asked`` with a two-sided 95 % interval.

    ``hits`` and ``asked`` are counts of shape [records], 0 or 1 as a rule; without ``asked`` every
    record counts once.  ``groups`` names what each record is not independent of; without it every
    record is a group of its own.  ``n`` of the estimate is the sum of ``asked``.

    Raises ``DataError`` A202 for shapes that differ, or hits outside of [0, asked].
    Method: Wilson's score at the effective sample size; Clopper-Pearson where nothing, or
    everything, hits, and of single records up to three (``docs/statistics.md``).

    >>> spell(share("accuracy", [1, 1, 0, 1]))
    '0.75 [0.19, 0.99] n=4'
    >>> spell(share("leaks", [0] * 6, groups=["a", "a", "b", "b", "c", "c"]))
    '0 of 3 groups: at most 63.2 % n=6'

    *Not to be trusted when* there are fewer than 10 groups.
    """
    hit = np.asarray(hits, dtype=np.float64)
    of = np.ones_like(hit) if asked is None else np.asarray(asked, dtype=np.float64)
    if groups is not None and len(groups) != len(hit):
        raise DataError(f"{len(hit)} records have {len(groups)} groups", code="A202")
    numbers: dict[Hashable, int] = {}
    codes = (
        np.arange(len(hit))
        if groups is None
        else np.array([numbers.setdefault(g, len(numbers)) for g in groups], dtype=np.int64)
    )
    found = clusters.share(hit, of, groups=codes)
    counted = len(set(codes[of > 0].tolist()))
    return summarise(name, found, n=int(of.sum()), n_groups=counted, n_seeds=1, over=SAMPLES)


def census(name: str, value: float, *, n: int) -> Estimate:
    """Return a number that speaks of exactly these records: it has no interval.

    >>> spell(census("labels", 12.0, n=400))
    '12 (these questions only) n=400'
    """
    return summarise(name, Census(value), n=n, n_groups=n, n_seeds=1, over=SAMPLES)


def quantile(
    name: str,
    values: npt.ArrayLike,
    q: float,
    *,
    blocks: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return a quantile of values of shape [n], with an interval from order statistics.

    ``blocks`` names what values are slow or fast together with (a repeat, a minute).  ``n_groups`` of
    the estimate is the number of blocks.  It has no value where so few values, or blocks, cannot bound
    the quantile on both sides, and its method then says so.

    Raises ``DataError`` A202 for shapes that differ, NaN, or ``q`` or ``confidence`` outside of (0, 1).
    Method: ranks; Woodruff's inverted share at the effective sample size (``docs/statistics.md``).

    >>> spell(quantile("latency_p50", np.arange(1, 101) / 1000, 0.5))
    '50.5 ms [40 ms, 61 ms] n=100'
    >>> spell(quantile("latency_p99", np.arange(1, 101) / 1000, 0.99))
    'not measured (100 values reach p96.3 at 95% confidence, not p99)'

    *Not to be trusted when* there are fewer than about 20 blocks, or values come in runs and ``blocks``
    does not say so.
    """
    found = np.asarray(values, dtype=np.float64)
    if blocks is None:
        ranked, n_blocks = order.quantile(found, q, confidence=confidence), found.size
    else:
        numbers: dict[Hashable, int] = {}
        codes = np.array([numbers.setdefault(b, len(numbers)) for b in blocks], dtype=np.int64)
        ranked = in_blocks.quantile(found, q, blocks=codes, confidence=confidence)
        n_blocks = len(numbers)
    return summarise(
        name,
        ranked,
        n=found.size,
        n_groups=n_blocks,
        n_seeds=1,
        over=SAMPLES,
        confidence=confidence,
    )


def safe_threshold(
    confidence: npt.ArrayLike,
    right: npt.ArrayLike,
    *,
    groups: Sequence[Hashable],
    before: npt.ArrayLike,
    max_risk: float,
) -> Safe:
    """Return from which confidence on at most ``max_risk`` of the answers are wrong, 19 times in 20.

    ``confidence`` and ``right`` are of calibration samples that no training saw, shape [samples];
    ``-inf`` where the system declines.  ``before`` are confidences of other samples (train, out of
    fold), on which the grid of thresholds is fixed before calibration is looked at.

    Raises ``DataError`` A202 for shapes that differ, NaN, or a risk outside of (0, 1).
    Method: Learn then Test, fixed sequence, one random sample per group (``docs/statistics.md``).

    >>> sure = np.linspace(0, 1, 400)
    >>> found = safe_threshold(sure, sure > 0.3, groups=range(400), before=sure, max_risk=0.05)
    >>> found.value is not None and 0.2 < found.value < 0.4
    True

    *Not to be trusted when* the mix of samples is another in use.
    """
    numbers: dict[Hashable, int] = {}
    records = threshold.Calibration(
        confidence=np.asarray(confidence, dtype=np.float64),
        right=np.asarray(right, dtype=np.bool_),
        groups=np.array([numbers.setdefault(g, len(numbers)) for g in groups], dtype=np.int64),
    )
    grid = threshold.grid_from(before, n_groups=len(numbers), max_risk=max_risk)
    if isinstance(grid, Undefined):
        return Safe(value=None, says=grid.why)
    rng = np.random.Generator(np.random.PCG64(0))
    match threshold.ltt_threshold(records, grid=grid, max_risk=max_risk, rng=rng):
        case threshold.NoThreshold(why=why):
            return Safe(value=None, says=why)
        case found:
            return Safe(value=found.threshold, says=MaxRisk(max_risk=max_risk).promise)


def from_draws(
    name: str, value: float, draws: npt.ArrayLike, *, n: int, groups: int, df: float = inf
) -> Estimate:
    """Return a number with the percentile interval of its resamples, shape [resamples].

    ``n`` records of so many ``groups`` were resampled.  With ``df``, groups less one, percentiles are read as
    far out as Student's t asks.  A draw that is NaN is a resample without a value, and counts against both
    ends.  Draws that are all the same are no certainty: where the value lies on a bound, give draws that
    were smoothed.

    Method: percentile bootstrap, widened for few groups (``docs/statistics.md``).

    >>> spell(from_draws("score", 0.5, np.linspace(0.2, 0.8, 999), n=40, groups=40))
    '0.50 [0.21, 0.79] n=40'
    """
    drawn = np.asarray(draws, dtype=np.float64)
    said = f"percentile bootstrap, {drawn.size:,} resamples"
    found = Resampled(value=value, draws=drawn, df=df, method=said)
    return summarise(name, found, n=n, n_groups=groups, n_seeds=1, over=SAMPLES)


def rank_bands(
    values: npt.ArrayLike,
    *,
    draws: npt.ArrayLike | None = None,
    errors: npt.ArrayLike | None = None,
    df: npt.ArrayLike = inf,
    confidence: float = 0.95,
) -> RankBands:
    """Return the ranks that systems may have, largest value first, in bands that hold all at once.

    ``values`` has shape [systems].  How sure they are is said by ``draws`` of shape [resamples, systems], the same
    resamples for all (their differences are then paired), or by ``errors``, standard errors of shape [systems]
    of numbers that were measured apart.  ``df`` is one number or one a system.  A thousand systems take
    a second.

    Raises ``DataError`` A202 unless exactly one of ``draws`` and ``errors`` is given, for shapes that differ, NaN, and
    where some system has no value in half of the resamples.
    Method: one-sided tests of all ordered pairs, Holm over them (``docs/statistics.md``).

    >>> found = rank_bands([31.0, 30.5, 12.0], errors=[1.0, 1.0, 2.0])
    >>> [*zip(found.best.tolist(), found.worst.tolist())]
    [(1, 2), (1, 2), (3, 3)]

    *Not to be trusted when* there are few groups, or what is ranked was not measured on the same samples.
    """
    if (draws is None) == (errors is None):
        raise DataError("Ranks need draws or errors, and not both", code="A202")
    if errors is not None:
        squares = np.square(np.asarray(errors, dtype=np.float64))
        return in_order.rank_bands(values, squares, df=df, confidence=confidence)
    drawn = np.asarray(draws, dtype=np.float64)
    if drawn.ndim != 2:
        raise DataError(f"draws have {drawn.ndim} dimensions, not 2", code="A202")
    whole = drawn[np.isfinite(drawn).all(axis=1)]
    if len(whole) < max(len(drawn) / 2, 2):
        raise DataError("Some system has no value in half of the resamples", code="A202")
    spread = np.atleast_2d(np.cov(whole, rowvar=False))
    return in_order.rank_bands(values, spread, df=df, confidence=confidence)


def spell(estimate: Estimate, *, percent: bool = False) -> str:
    """Return an estimate as reports print it: value, interval, n.

    >>> spell(share("accuracy", [1, 0] * 200), percent=True)
    '50 % [45.1 %, 54.9 %] n=400'
    """
    return number(estimate, Scale.PERCENT if percent else None)


def facts(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as plain values, as ``summary.json`` holds them.

    >>> facts(share("accuracy", [1, 0, 1]))["n"]
    3
    """
    return estimate_facts(estimate)
