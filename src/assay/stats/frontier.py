"""Which points nothing else is better than."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Sequence
from math import isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError
from assay.core.metric import Better

from .arrays import WRONG, Floats

Flags: TypeAlias = npt.NDArray[np.bool_]

NOT_FINITE = "A point has no finite place on some objective"
_least, _most = np.minimum.reduce, np.maximum.reduce
_PLAIN = {2: 32, 3: 128}
"""Up to so many points, plain Python is quicker than the calls of numpy."""
_NO_IMPORT = 500
"""Up to so many points, moocore's 40 ms of import buy nothing."""


def non_dominated(points: npt.ArrayLike, better: Sequence[Better]) -> Flags:
    """Return which points no other is at least as good as everywhere, and better somewhere.

    ``points`` has shape [..., systems, objectives], ``better`` one direction per objective; the
    result has shape [..., systems].  Equal points stay or go together.  With resamples as the
    first dimension, the mean over it is the resampling frequency of standing on the front.

    A single set in two objectives is sorted and swept, n log n.  In three, up to 500 points are
    swept with bisection; moocore does the rest, after a few strong points have taken out what they
    beat, and small sets too once it is loaded.  Several sets at once cost systems squared.

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
    n, objectives = at.shape
    loaded = sys.modules.get("moocore")
    if n <= _NO_IMPORT and loaded is not None:
        # Somebody has paid for the import: for few points C is quicker than Python.
        upward = checked(at, better) * signs(better)
        flags: Flags = loaded.is_nondominated(upward, maximise=True, keep_weakly=True)
        return flags
    if n <= _PLAIN.get(objectives, 0):
        return np.array(_sweep(_signed(checked(at, better), better)), dtype=np.bool_)
    columns = [
        at[:, j].copy() if each is Better.HIGHER else -at[:, j] for j, each in enumerate(better)
    ]
    lows = [float(_least(column)) for column in columns]
    highs = [float(_most(column)) for column in columns]
    if not all(map(isfinite, (*lows, *highs))):
        raise DataError(NOT_FINITE, code=WRONG)
    if objectives == 2 and n <= _NO_IMPORT:
        return _two(columns[0], columns[1])
    with np.errstate(over="ignore", invalid="ignore"):
        left, columns = _strip(columns, lows, highs)
    if objectives == 2:
        stands = _two(columns[0], columns[1])
    elif objectives == 3 and n <= _NO_IMPORT:
        stands = np.array(_sweep(np.stack(columns, axis=1).tolist()), dtype=np.bool_)
    else:
        import moocore

        upward = np.stack(columns, axis=1)
        stands = moocore.is_nondominated(upward, maximise=True, keep_weakly=True)
    if left is None:
        return stands
    found = np.zeros(n, dtype=np.bool_)
    found[left] = stands
    return found


def _signed(at: Floats, better: Sequence[Better]) -> list[list[float]]:
    if all(each is Better.HIGHER for each in better):
        rows: list[list[float]] = at.tolist()
    else:
        rows = (at * signs(better)).tolist()
    return rows


def _sweep(rows: list[list[float]]) -> list[bool]:
    """Sweep two or three objectives, all upwards.

    From the best on the first objective downwards, a point stands unless a point before it is at
    least as good on the rest.  Of these, ``vs`` upwards and ``ws`` downwards keep the best.
    """
    stands = [False] * len(rows)
    flat = len(rows[0]) == 2
    vs: list[float] = []
    ws: list[float] = []
    last: list[float] | None = None
    here = False
    for i in sorted(range(len(rows)), key=rows.__getitem__, reverse=True):
        row = rows[i]
        if row != last:  # equal points stand, or fall, with the first of them
            last = row
            v, w = row[1], 0.0 if flat else row[2]
            at = bisect_left(vs, v)
            here = at == len(vs) or ws[at] < w
            if here:
                start = at
                while start and ws[start - 1] <= w:
                    start -= 1
                end = at + (at < len(vs) and vs[at] == v)
                vs[start:end] = [v]
                ws[start:end] = [w]
        stands[i] = here
    return stands


def _two(x: Floats, y: Floats) -> Flags:
    """Sweep two objectives, both upwards, with numpy."""
    order = np.lexsort((y, x))[::-1]
    xs, ys = x[order], y[order]
    stands = np.ones(len(xs), dtype=np.bool_)
    stands[1:] = ys[1:] > np.maximum.accumulate(ys)[:-1]
    same = (xs[1:] == xs[:-1]) & (ys[1:] == ys[:-1])
    if same.any():
        first = np.arange(len(xs))
        first[1:][same] = 0
        stands = stands[np.maximum.accumulate(first)]
    found = np.empty(len(xs), dtype=np.bool_)
    found[order] = stands
    return found


def _strip(
    columns: list[Floats], lows: list[float], highs: list[float]
) -> tuple[npt.NDArray[np.intp] | None, list[Floats]]:
    """Take out what one strong point beats, and again; return what is left, and where it was.

    The strong point has the largest sum of objectives, each scaled to its range.  What it beats has
    a smaller sum, rounding or not, so a sum that is no smaller keeps equal points in.
    """
    left = None
    total = np.zeros(len(columns[0]))
    for column, low, high in zip(columns, lows, highs, strict=True):
        total += (column - low) * (1.0 / max(high - low, 1e-300))
    for _ in range(3):
        before = len(total)
        best = int(total.argmax())
        if not total[best] >= 0:
            break  # the ranges overflow: nothing is known
        keep = total >= total[best]
        for column in columns:
            keep |= column > column[best]
        kept = keep.nonzero()[0]
        if len(kept) > 0.9 * before:
            break
        left = kept if left is None else left[kept]
        columns = [column[kept] for column in columns]
        if len(kept) < 100:
            break
        # The next one is to beat what is strong on one objective only: the others count more.
        total = total[kept]
        total[(kept == best).nonzero()] = 0.0
    return left, columns
