"""Resample what takes few values by how often each occurs: the same law, without the records.

A resample of n records with d distinct values is a multinomial draw of d counts.  So the work does
not grow with n.  For one sample per group only: groups are resampled whole, by ``bootstrap``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape
from .bca import acceleration_of_mean, corrected
from .bootstrap import resampled
from .inference import Inference, Undefined
from .paired import Table

RESAMPLES = 10_000

Drawn: TypeAlias = npt.NDArray[np.int64]
"""Shape [resamples]: how often a value was drawn."""

NOTHING = Undefined("nothing was asked")


def resample_share(
    k: int, n: int, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Inference:
    """Infer a share, ``k`` of ``n``, by percentiles of binomial draws; undefined at 0 and n.

    Raises DataError A202 unless 0 <= k <= n, or without resamples.
    Source: Efron 1979; the bootstrap of 0/1 values is binomial.

    >>> resample_share(85, 100, rng=np.random.default_rng(0)).interval()
    (0.78, 0.92)

    Not to be trusted when n is below about 100 or the share is near 0 or 1: take Wilson's.
    """
    if not 0 <= k <= n:
        raise DataError(f"{k} of {n} is not a share", code=WRONG)
    return resample_tallies([1.0, 0.0], [k, n - k], rng=rng, resamples=resamples)


def resample_difference(
    table: Table, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Inference:
    """Infer first minus second of two systems on the same samples, by multinomial draws.

    Each sample is +1, 0 or -1.  Undefined where the two never differed.

    Raises DataError A202 without resamples.

    >>> found = resample_difference(Table(both=59, first=6, second=16, neither=80),
    ...                             rng=np.random.default_rng(0))
    >>> low, high = found.interval()
    >>> round(low, 2), round(high, 2)
    (-0.12, -0.01)

    Not to be trusted when fewer than about ten samples differ: take Tango's.
    """
    same = table.both + table.neither
    tallies = [table.first, same, table.second]
    return resample_tallies([1.0, 0.0, -1.0], tallies, rng=rng, resamples=resamples)


def resample_tallies(
    values: npt.ArrayLike,
    tallies: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Inference:
    """Infer the mean of records that take few values.

    ``values`` of shape [distinct], and ``tallies``, how often each occurs.

    Raises DataError A202 for shapes that differ, a tally that is no count, or no resample.

    >>> resample_tallies([0, 1, 2], [50, 30, 20], rng=np.random.default_rng(0)).value
    0.7

    Not to be trusted when samples come in groups: use ``bootstrap.resample_ratio``.
    """
    distinct, n = _counted(values, tallies)
    drawn = _drawn(n, rng, resamples)
    return _inferred(distinct, n, _means(distinct, drawn)) if n.sum() else NOTHING


def corrected_tallies(
    values: npt.ArrayLike,
    tallies: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Inference:
    """Infer as ``resample_tallies``, with BCa: the jackknife is in closed form.

    Raises DataError A202 as ``resample_tallies`` does.
    Source: Efron 1987.

    >>> found = corrected_tallies([1, 0], [85, 15], rng=np.random.default_rng(0))
    >>> [round(end, 2) for end in found.interval()]
    [0.77, 0.91]

    Not to be trusted when n is below about 100 or the share is near 0 or 1: take Wilson's.
    """
    distinct, n = _counted(values, tallies)
    drawn = _drawn(n, rng, resamples)
    if not n.sum():
        return NOTHING
    means = _means(distinct, drawn) if len(distinct) != 2 else _ascending(distinct, drawn)
    return corrected(_inferred(distinct, n, means), acceleration=acceleration_of_mean(distinct, n))


def _counted(values: npt.ArrayLike, tallies: npt.ArrayLike) -> tuple[Floats, Floats]:
    distinct, n = finite("values", values), finite("tallies", tallies)
    same_shape(values=distinct, tallies=n)
    if (n < 0).any() or (n != np.floor(n)).any():
        raise DataError(f"Tallies are counts, not {n.tolist()}", code=WRONG)
    return distinct, n


def _inferred(values: Floats, n: Floats, draws: Floats) -> Inference:
    return resampled(float(values @ n) / int(n.sum()), draws)


def _drawn(n: Floats, rng: np.random.Generator, resamples: int) -> list[Drawn]:
    """Draw how often each value occurs: binomial after binomial, by what is left to draw."""
    if resamples < 1:
        raise DataError(f"Nothing to draw: {resamples} times", code=WRONG)
    tallies = n.astype(np.int64).tolist()
    rest = sum(tallies)
    # One number of records costs less than an array of the same number, and draws the same.
    left: Drawn | int = rest
    found: list[Drawn] = []
    for tally in tallies[:-1]:
        drawn = rng.binomial(left, tally / rest if rest else 0.0, resamples)
        found.append(drawn)
        left, rest = left - drawn, rest - tally
    last = left if isinstance(left, np.ndarray) else np.full(resamples, left)
    return [*found, last]


def _means(values: Floats, drawn: list[Drawn]) -> Floats:
    sums = np.zeros(len(drawn[0]))
    for value, times in zip(values.tolist(), drawn, strict=True):
        sums += value * times
    sums /= sum(int(times[0]) for times in drawn)
    return sums


def _ascending(values: Floats, drawn: list[Drawn]) -> Floats:
    """Return the means of two values in order: few differ, and counting is quicker than sorting."""
    first, last = drawn
    least = int(first.min())
    times = np.bincount(first - least)
    firsts = np.arange(least, least + len(times))
    means = _means(values, [firsts, first[0] + last[0] - firsts])
    return np.repeat(means, times) if values[0] > values[1] else np.repeat(means, times)[::-1]
