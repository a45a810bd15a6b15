"""Tail probabilities and quantiles, loaded from scipy when first used."""

from __future__ import annotations

from importlib import import_module
from math import inf, isnan, sqrt
from types import ModuleType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


def t_quantile(tail: float, df: float) -> float:
    """Return x with P(T > x) = ``tail``, for Student's t with ``df`` degrees (inf: normal).

    >>> round(t_quantile(0.025, 4), 3)
    2.776
    """
    special = _special()
    if np.isinf(df):
        return float(-special.ndtri(tail))
    return float(-special.stdtrit(df, tail))


def t_degrees(tail: float, x: float) -> float:
    """Return the degrees of freedom with P(T > x) = ``tail``, within a hair; ``inf`` where none has.

    >>> round(t_degrees(0.025, t_quantile(0.025, 7.5)), 6)
    7.5
    """
    low, high = 0.01, 1e9
    if x <= t_quantile(tail, high):
        return inf
    for _ in range(64):
        middle = sqrt(low * high)
        low, high = (middle, high) if t_quantile(tail, middle) > x else (low, middle)
    return high


def t_tail(x: float, df: float) -> float:
    """Return P(T > x).

    >>> round(t_tail(1.959964, float("inf")), 6)
    0.025
    """
    special = _special()
    if np.isinf(df):
        return float(special.ndtr(-x))
    return float(special.stdtr(df, -x))


def t_tails(x: Floats, df: Floats) -> Floats:
    """Return P(T > x) of many, each with degrees of its own (inf: normal).

    >>> t_tails(np.array([1.959964, 2.776445]), np.array([np.inf, 4.0])).round(6).tolist()
    [0.025, 0.025]
    """
    special, normal = _special(), np.isinf(df)
    found: Floats = special.stdtr(np.where(normal, 1.0, df), -x)
    found[normal] = special.ndtr(-x[normal])
    return found


def normal_below(x: float) -> float:
    """Return P(Z <= x) for a standard normal Z.

    >>> normal_below(0.0)
    0.5
    """
    return float(_special().ndtr(x))


def normal_quantile(share: float) -> float:
    """Return x with P(Z <= x) = ``share``, infinite at 0 and 1."""
    return float(_special().ndtri(share))


def noncentral_t_above(x: float, df: float, shift: float) -> float:
    """Return P(T > x) for Student's t shifted by ``shift`` before division: the noncentral t.

    >>> round(noncentral_t_above(2.0, 10, 0.0), 4) == round(t_tail(2.0, 10), 4)
    True
    """
    if np.isinf(df):
        return t_tail(x - shift, df)
    # P(T' > x | shift) = P(T' < -x | -shift): small tails keep their digits, down to 1e-15.
    found = float(_special().nctdtr(df, -shift, -x))
    if isnan(found):  # a tail beyond what it can hold, on one side or the other
        return 0.0 if shift < x else 1.0
    return min(max(found, 0.0), 1.0)


def log_gamma(x: float) -> float:
    """Return the logarithm of the gamma function."""
    return float(_special().gammaln(x))


def beta_quantile(tail: float, a: float, b: float) -> float:
    """Return x with P(Beta(a, b) < x) = ``tail``."""
    return float(_special().betaincinv(a, b, tail))


def binomial_at_least(k: float, n: float, share: float) -> float:
    """Return P(X >= k) for X of ``n`` trials with probability ``share``.

    ``k`` and ``n`` may be fractional (effective counts), by the incomplete beta function.

    >>> round(binomial_at_least(1, 59, 0.05), 3)
    0.952
    """
    if k <= 0 or share >= 1:
        return 1.0
    if k > n or share <= 0:
        return 0.0
    return float(_special().betainc(k, n - k + 1, share))


def binomial_at_most(k: float, n: float, share: float) -> float:
    """Return P(X <= k) for X of ``n`` trials with probability ``share``."""
    return binomial_at_least(n - k, n, 1 - share)


def harmonic_difference(low: Floats, high: Floats) -> Floats:
    """Return H(high) - H(low) of harmonic numbers, also between whole numbers."""
    special = _special()
    return np.asarray(special.digamma(high + 1.0) - special.digamma(low + 1.0), dtype=np.float64)


def harmonic_numbers(most: int) -> Floats:
    """Return H(0) .. H(most), shape [most + 1].

    >>> harmonic_numbers(2).tolist()
    [0.0, 1.0, 1.5]
    """
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, most + 1))])


def _special() -> ModuleType:
    # Costs a quarter of a second, which ``assay --help`` must not pay.
    return import_module("scipy.special")
