"""What happened to one tensor: its numbers beside those of the tensor it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import sqrt
from typing import Any, TypeAlias

import numpy as np

from .precision import Precision

Array: TypeAlias = Any
_PIECE = 2**20


class Change(Enum):
    """What happened to a tensor; the value is what a reader is told."""

    SAME = "the same"
    WITHIN = "within what its type allows"
    MISSING = "missing"
    EXTRA = "not in the source"
    WRONG_SHAPE = "of another shape"
    TRANSPOSED = "transposed"
    NON_FINITE = "holds NaN or infinity"
    ZEROED = "all zero"
    SIGN_FLIPPED = "sign-flipped"
    SCALED = "scaled"
    PERMUTED_ROWS = "its rows in another order"
    PERMUTED_COLUMNS = "its columns in another order"
    SWAPPED = "another tensor of the source"
    COARSE = "too coarse: its direction is lost, though each number is within its type"
    CHANGED = "changed by more than its type allows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far two tensors of one shape are apart, in float64."""

    max_abs: float
    relative: float
    """Frobenius norm of the difference over that of the source; infinite where only the source is zero."""

    cosine: float
    """0 where one of them is zero and the other is not; 1 where both are."""

    peak: float
    """The largest absolute number of the source."""

    norm: float
    """Frobenius norm of the source."""

    ratio: float
    """The number that the source is multiplied by to come nearest to the candidate."""

    finite: bool
    """Whether every number of the candidate is finite; if not, the rest means nothing."""


def distance(candidate: Array, source: Array) -> Distance:
    """Measure how far a tensor is from its source; both are arrays of one shape.

    >>> found = distance(np.array([2.0, 0.0]), np.array([1.0, 0.0]))
    >>> found.max_abs, found.relative, found.cosine, found.ratio
    (1.0, 1.0, 1.0, 2.0)
    """
    a, b = np.asarray(candidate).reshape(-1), np.asarray(source).reshape(-1)
    finite, largest, peak = True, 0.0, 0.0
    sums = np.zeros(4)  # of the difference, of both, and of their product
    for start in range(0, max(1, len(b)), _PIECE):
        x = a[start : start + _PIECE].astype(np.float64)
        y = b[start : start + _PIECE].astype(np.float64)
        if not np.isfinite(x).all():
            finite = False
            break
        apart = x - y
        largest = max(largest, float(np.abs(apart).max(initial=0.0)))
        peak = max(peak, float(np.abs(y).max(initial=0.0)))
        sums += (apart @ apart, x @ x, y @ y, x @ y)
    apart2, x2, y2, xy = (float(one) for one in sums)
    return Distance(
        max_abs=largest if finite else float("inf"),
        relative=_over(apart2**0.5, y2**0.5) if finite else float("inf"),
        cosine=_cosine(x2, y2, xy) if finite else 0.0,
        peak=peak,
        norm=y2**0.5,
        ratio=xy / y2 if y2 else 1.0,
        finite=finite,
    )


def change_of(candidate: Array, source: Array, *, found: Distance, precision: Precision) -> Change:
    """Say what happened to a tensor of the right shape, whose distance was ``found``.

    >>> one = np.array([[1.0, 2.0], [3.0, 5.0]])
    >>> for two in (one, -one, one * 1000, one[::-1], one.T, one * 0, one + [[0, 0], [0, 1]]):
    ...     change_of(two, one, found=distance(two, one), precision=Precision()).value
    'the same'
    'sign-flipped'
    'scaled'
    'its rows in another order'
    'transposed'
    'all zero'
    'changed by more than its type allows'
    """
    if not found.finite:
        return Change.NON_FINITE
    if not found.max_abs:
        return Change.SAME
    allowed = precision.share(found.peak, found.norm, source.size)
    # A hair more than the bound: it is computed in other steps than the codec computes.
    near = max(allowed, 1e-6) * (1 + 1e-6)
    if found.max_abs <= precision.largest(found.peak) * (1 + 1e-6) and found.relative <= near:
        return Change.WITHIN if found.cosine >= precision.cosine else Change.COARSE
    if not np.any(candidate):
        return Change.ZEROED
    return _told(candidate, source, found, min(near, 0.5))


def _told(candidate: Array, source: Array, found: Distance, near: float) -> Change:
    """Look for a change that has a name."""
    if found.cosine**2 >= 1 - near**2 and abs(found.ratio - 1) > near:
        # The same line: what is left is by how much, and which way.
        flipped = abs(found.ratio + 1) <= near
        return Change.SIGN_FLIPPED if flipped else Change.SCALED
    if source.ndim == 2:
        if _is_near(candidate.T, source, near):
            return Change.TRANSPOSED
        if _is_reordered(candidate, source, near):
            return Change.PERMUTED_ROWS
        if _is_reordered(candidate.T, source.T, near):
            return Change.PERMUTED_COLUMNS
    elif _is_reordered(candidate.reshape(-1, 1), source.reshape(-1, 1), near):
        return Change.PERMUTED_ROWS
    return Change.CHANGED


def _is_near(candidate: Array, source: Array, near: float) -> bool:
    return candidate.shape == source.shape and distance(candidate, source).relative <= near


def _is_reordered(candidate: Array, source: Array, near: float) -> bool:
    """Whether the rows are those of the source: each row has a length, and lengths can be sorted."""
    ours, theirs = _places(candidate), _places(source)
    if (ours == theirs).all():
        return False
    return _is_near(candidate[ours], source[theirs], max(near, 1e-6) * 2)


def _places(rows: Array) -> Array:
    # The projection on a fixed direction tells rows apart better than their lengths, which trained
    # matrices have nearly equal.
    direction = np.random.Generator(np.random.PCG64(0)).standard_normal(rows.shape[1])
    return np.argsort(rows.astype(np.float64) @ direction, kind="stable")


def _over(above: float, below: float) -> float:
    return above / below if below else (float("inf") if above else 0.0)


def _cosine(x2: float, y2: float, xy: float) -> float:
    if not x2 or not y2:
        return 1.0 if x2 == y2 else 0.0
    return xy / (sqrt(x2) * sqrt(y2))
