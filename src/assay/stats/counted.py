"""Resample what takes few values by how often each occurs: the same law, without the records.

A resample of n records with d distinct values is a multinomial draw of d counts.  So the work does
not grow with n.  For one sample per group only: groups are resampled whole, by ``bootstrap``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape
from .bca import acceleration_of_mean, corrected
from .bootstrap import resampled
from .inference import Inference, Undefined
from .paired import Table

RESAMPLES = 10_000

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
    if resamples < 1:
        raise DataError(f"Nothing to draw: {resamples} times", code=WRONG)
    total = int(n.sum())
    if total == 0:
        return NOTHING
    value = float(distinct @ n) / total
    return resampled(value, _draws(distinct, n.astype(np.int64), rng, resamples))


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
    found = resample_tallies(values, tallies, rng=rng, resamples=resamples)
    return corrected(found, acceleration=acceleration_of_mean(values, tallies))


def _counted(values: npt.ArrayLike, tallies: npt.ArrayLike) -> tuple[Floats, Floats]:
    distinct, n = finite("values", values), finite("tallies", tallies)
    same_shape(values=distinct, tallies=n)
    if (n < 0).any() or (n != np.floor(n)).any():
        raise DataError(f"Tallies are counts, not {n.tolist()}", code=WRONG)
    return distinct, n


def _draws(
    values: Floats, n: npt.NDArray[np.int64], rng: np.random.Generator, resamples: int
) -> Floats:
    """Return the mean of every resample: binomial after binomial, by what is left to draw."""
    total = int(n.sum())
    left, rest = np.full(resamples, total), total
    sums = np.zeros(resamples)
    for value, tally in zip(values[:-1].tolist(), n[:-1].tolist(), strict=True):
        drawn = rng.binomial(left, tally / rest if rest else 0.0)
        sums += value * drawn
        left, rest = left - drawn, rest - tally
    means: Floats = (sums + values[-1] * left) / total
    return means
