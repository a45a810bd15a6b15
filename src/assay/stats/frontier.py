"""Which points nothing else is better than."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Sequence
from math import inf, isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError
from assay.core.metric import Better

from .arrays import WRONG, Floats

Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.intp]

NOT_FINITE = "A point has no finite place on some objective"
_least, _most = np.minimum.reduce, np.maximum.reduce
_FEW = 24
"""Up to so many points, plain Python is quicker than the calls of numpy."""
_ENOUGH = 60
"""So few points are not worth another look for what beats them."""
_OVERFLOW = 1e300
"""Sums of larger numbers may be infinite: nothing is known of them."""
_NO_IMPORT = 500
"""Up to so many points, moocore's 40 ms of import buy nothing."""


def non_dominated(points: npt.ArrayLike, better: Sequence[Better]) -> Flags:
    """Return which points no other is at least as good as everywhere, and better somewhere.

    ``points`` has shape [..., systems, objectives], ``better`` one direction per objective; the
    result has shape [..., systems].  Equal points stay or go together.  With resamples as the
    first dimension, the mean over it is the resampling frequency of standing on the front.

    Of a single set, a few strong points first take out what they beat.  In two objectives the rest
    is sorted and swept, n log n.  In three, sets of up to 500 points are swept with bisection;
    moocore sweeps the larger ones, and what is many once it is loaded.  Several sets at once cost
    systems squared.

    Raises DataError A202 for NaN or infinity (a system without a number stands on no front), or
    another number of objectives.
    Source: Pareto; the sweep, Kung, Luccio and Preparata 1975; moocore.

    >>> non_dominated([[0.9, 1.0], [0.8, 2.0], [0.8, 0.5]], [Better.HIGHER, Better.LOWER]).tolist()
    [True, False, True]

    Not to be trusted as a standing: the points are estimates.
    """
    at = _shaped(points, better)
    if at.ndim == 2 and len(at) > 1 and len(better) > 1:
        return _one_set(at, better)
    up = checked(at, better) * signs(better)
    beaten = np.zeros(up.shape[:-1], dtype=np.bool_)
    for rival in range(up.shape[-2]):
        other = up[..., rival : rival + 1, :]
        beaten |= (other >= up).all(axis=-1) & (other > up).any(axis=-1)
    return ~beaten


def dominators(points: npt.ArrayLike, better: Sequence[Better]) -> tuple[tuple[int, ...], ...]:
    """Return for every point which others dominate it, in the order given.

    ``points`` has shape [systems, objectives].  Equal points do not dominate each other.

    Raises DataError A202 as ``non_dominated`` does.
    Source: Pareto.

    >>> dominators([[0.9, 1.0], [0.8, 2.0], [0.8, 0.5]], [Better.HIGHER, Better.LOWER])
    ((), (0, 2), ())

    Not to be trusted as a standing: the points are estimates.
    """
    up = checked(points, better) * signs(better)
    found = []
    for here in up:
        ahead = (up >= here).all(axis=1) & (up > here).any(axis=1)
        found.append(tuple(int(i) for i in ahead.nonzero()[0]))
    return tuple(found)


def checked(points: npt.ArrayLike, better: Sequence[Better]) -> Floats:
    """Return points as floats.  Raises DataError A202 as ``non_dominated`` does."""
    at = _shaped(points, better)
    # The extremes of an array are NaN or infinite if anything in it is.
    if at.size and not (isfinite(_least(at, axis=None)) and isfinite(_most(at, axis=None))):
        raise DataError(NOT_FINITE, code=WRONG)
    return at


def _shaped(points: npt.ArrayLike, better: Sequence[Better]) -> Floats:
    at = np.asarray(points, dtype=np.float64)
    if at.ndim < 2 or at.shape[-1] != len(better):
        raise DataError(f"Points {at.shape} for {len(better)} objectives", code=WRONG)
    return at


def signs(better: Sequence[Better]) -> Floats:
    """Return what to multiply points with, so that more is better on every objective."""
    return np.array([1.0 if each is Better.HIGHER else -1.0 for each in better])


def _one_set(at: Floats, better: Sequence[Better]) -> Flags:
    # Column by column: at a few hundred points it is the calls of numpy that cost, not their work.
    columns: list[Floats] = []
    weights: list[float] = []
    first = reach = 0.0
    for j, each in enumerate(better):
        column = at[:, j].copy() if each is Better.HIGHER else -at[:, j]
        low, high = column.item(column.argmin()), column.item(column.argmax())
        if not (isfinite(low) and isfinite(high)):  # both find a NaN before any number
            raise DataError(NOT_FINITE, code=WRONG)
        span = high - low
        first = first or span or 1.0
        weight = first / (span or inf)
        reach += weight * max(high, -low)
        columns.append(column)
        weights.append(weight)
    left = None
    if len(at) > _FEW and reach < _OVERFLOW:
        left, columns = _strip(columns, weights)
    stands = _swept(columns, at, left, better)
    if left is None:
        return stands
    found = np.zeros(len(at), dtype=np.bool_)
    found[left] = stands
    return found


def _strip(columns: list[Floats], weights: list[float]) -> tuple[Places | None, list[Floats]]:
    """Take out what strong points beat; return what is left, and where it was.

    The first strong point has the largest sum of objectives, each scaled to its range; the next are
    strong where one objective hardly counts, for those that stand because they are good at it.
    What a point beats has no larger sum than it, rounded as it is; so a sum that is no smaller
    keeps in what equals it.
    """
    left = None
    total = columns[1] * weights[1]
    total += columns[0]
    if len(columns) > 2:
        scaled = np.empty_like(total)  # one for all: new pages cost more than the arithmetic
        for column, weight in zip(columns[2:], weights[2:], strict=True):
            np.multiply(column, weight, scaled)
            total += scaled
        del scaled
    goal = total
    for which, weight in enumerate(weights):
        best = goal.argmax()
        keep = total >= total[best]
        for column in columns:
            keep |= column > column[best]
        kept = keep.nonzero()[0]
        if len(kept) > 0.9 * len(total):
            break
        left = kept if left is None else left[kept]
        columns = [column[kept] for column in columns]
        if len(kept) < _ENOUGH:
            break
        total = total[kept]
        goal = total - columns[which] * (0.9 * weight)
    return left, columns


def _swept(
    columns: list[Floats], at: Floats, left: Places | None, better: Sequence[Better]
) -> Flags:
    """Sweep what is left of the points, as upward ``columns`` or as they came."""
    many, objectives = len(columns[0]), len(columns)
    if objectives == 2 and many > _ENOUGH:
        return _two(*columns)
    no_import = len(at) <= _NO_IMPORT and "moocore" not in sys.modules
    if objectives == 2 or (objectives == 3 and (many <= _FEW or no_import)):
        return np.array(_sweep([column.tolist() for column in columns]), dtype=np.bool_)
    import moocore

    up = [each is Better.HIGHER for each in better]
    rows = at if left is None else at.take(left, 0)
    flags: Flags = moocore.is_nondominated(rows, maximise=all(up) or up, keep_weakly=True)
    return flags


def _sweep(columns: list[list[float]]) -> list[bool]:
    """Sweep two or three objectives, all upwards, in plain Python.

    From the best on the first objective downwards, a point stands unless a point before it is at
    least as good on the rest.  Of these, ``vs`` upwards and ``ws`` downwards keep the best.
    """
    stands = [False] * len(columns[0])
    order = range(len(stands))
    if len(columns) == 2:
        top = last = -inf
        for u, v, i in sorted(zip(*columns, order, strict=True), reverse=True):
            if v > top or (v == top and u == last):  # what equals the last that stands does too
                top, last = v, u
                stands[i] = True
        return stands
    vs, ws = [inf], [-inf]
    here: tuple[float, float, float] | None = None
    for u, v, w, i in sorted(zip(*columns, order, strict=True), reverse=True):
        at = bisect_left(vs, v)
        if ws[at] < w:
            start = at
            while start and ws[start - 1] <= w:
                start -= 1
            end = at + (vs[at] == v)
            vs[start:end] = [v]
            ws[start:end] = [w]
            here = (u, v, w)
            stands[i] = True
        elif (u, v, w) == here:
            stands[i] = True
    return stands


def _two(x: Floats, y: Floats) -> Flags:
    """Sweep two objectives, both upwards, with numpy.

    Of the points that share an ``x``, the best on ``y`` stand, if no larger ``x`` has as good a one.
    """
    order = x.argsort()[::-1]
    xs, ys = x[order], y[order]
    new = np.ones(len(xs), dtype=np.bool_)
    np.not_equal(xs[1:], xs[:-1], new[1:])
    starts = new.nonzero()[0]
    tops = np.maximum.reduceat(ys, starts) if len(starts) < len(xs) else ys
    ahead = np.ones(len(tops), dtype=np.bool_)
    np.greater(tops[1:], np.maximum.accumulate(tops)[:-1], ahead[1:])
    if len(starts) < len(xs):
        group = new.cumsum() - 1
        ahead = ahead[group] & (ys == tops[group])
    found = np.empty(len(xs), dtype=np.bool_)
    found[order] = ahead
    return found
