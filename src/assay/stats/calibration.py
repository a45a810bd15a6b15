"""Whether a confidence of 0.8 is right eight times in ten."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape, totals
from .inference import Undefined

BINS = 15
"""Guo, Pleiss, Sun and Weinberger 2017."""

EDGE = 1e-6
"""A confidence of 0 or 1 is taken as this far from it, where a logarithm is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """What was right among answers of like confidence; arrays of shape [bins], empty bins left out."""

    n: Floats
    confidence: Floats
    """Mean confidence."""

    right: Floats
    """Share of right answers."""

    @property
    def error(self) -> float | None:
        """The expected calibration error: mean distance of the two, weighted by ``n``."""
        if not self.n.size:
            return None
        return float((self.n * np.abs(self.right - self.confidence)).sum() / self.n.sum())

    @property
    def luck(self) -> float | None:
        """The error that a perfectly calibrated system would show by chance, in groups of one.

        Each bin's share is then normal about its confidence: E|d| = sqrt(2 c (1 - c) / (pi n)).
        """
        if not self.n.size:
            return None
        spread = np.sqrt(self.confidence * (1 - self.confidence) / self.n)
        return float(sqrt(2 / pi) * (self.n * spread).sum() / self.n.sum())


def equal_width(bins: int = BINS) -> Floats:
    """Return the inner edges of bins of one width.

    >>> equal_width(4).tolist()
    [0.25, 0.5, 0.75]
    """
    return np.linspace(0, 1, bins + 1)[1:-1]


def equal_mass(confidence: npt.ArrayLike, bins: int = BINS) -> Floats:
    """Return inner edges between bins that hold as many confidences each, ties kept together.

    >>> equal_mass([0.1, 0.2, 0.8, 0.9], bins=2).tolist()
    [0.5]
    """
    sure = finite("confidence", confidence)
    if not sure.size:
        return np.empty(0)
    return np.unique(np.quantile(sure, np.linspace(0, 1, bins + 1)[1:-1]))


def reliability(
    confidence: npt.ArrayLike,
    right: npt.ArrayLike,
    *,
    edges: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> Reliability:
    """Sort answers into bins of confidence and count what was right.

    ``confidence`` in [0, 1], ``right`` (0 or 1) and ``weights`` (group counts of a resample) have
    shape [answers]; ``edges`` are the inner edges of the bins, rising; an answer on an edge belongs
    to the bin above it.

    Raises DataError A202 for shapes that differ, NaN, or confidences outside of [0, 1].
    Source: DeGroot and Fienberg 1983; Guo et al. 2017 for the error.

    >>> found = reliability([0.6, 0.8, 0.9], [1, 1, 0], edges=[0.5, 0.75])
    >>> found.n.tolist(), found.right.tolist(), round(found.error, 2)
    ([1.0, 2.0], [1.0, 0.5], 0.37)

    Not to be trusted below a few hundred answers: a bin of n answers is off by about 0.4 / sqrt(n)
    by chance, which the error adds up and never cancels.  Compare ``error`` with ``luck``.
    """
    sure, correct = finite("confidence", confidence), finite("right", right)
    weight = np.ones(sure.shape) if weights is None else finite("weights", weights)
    same_shape(confidence=sure, right=correct, weights=weight)
    if sure.size and not 0 <= sure.min() <= sure.max() <= 1:
        raise DataError("a confidence is outside of [0, 1]", code=WRONG)
    inner = finite("edges", edges)
    place = np.searchsorted(inner, sure, side="right").astype(np.intp)
    n, said, hit = (
        totals(w, place, inner.size + 1) for w in (weight, weight * sure, weight * correct)
    )
    held = n > 0
    n = n[held]
    return Reliability(n=n, confidence=said[held] / n, right=hit[held] / n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brier:
    """The parts of a Brier score over bins: score = reliability - resolution + uncertainty."""

    reliability: float
    """What it loses by saying other shares than come true; 0 is best."""

    resolution: float
    """What it gains by telling right answers from wrong ones."""

    uncertainty: float
    """Of whoever knows only the overall share."""


def brier_parts(found: Reliability) -> Brier | Undefined:
    """Split the Brier score of binned confidences.

    The score of the confidences themselves differs by what varies within a bin.

    Source: Murphy 1973.

    >>> parts = brier_parts(reliability([0.5, 0.5, 1.0, 1.0], [1, 0, 1, 1], edges=[0.75]))
    >>> parts.reliability, parts.resolution, parts.uncertainty
    (0.0, 0.0625, 0.1875)

    Not to be trusted as evidence on a few answers: reliability grows, as the error does, by chance.
    """
    if not found.n.size:
        return Undefined("no answer has a confidence")
    share = found.n / found.n.sum()
    base = float((share * found.right).sum())
    return Brier(
        reliability=float((share * (found.right - found.confidence) ** 2).sum()),
        resolution=float((share * (found.right - base) ** 2).sum()),
        uncertainty=base * (1 - base),
    )


def fit_temperature(confidence: npt.ArrayLike, right: npt.ArrayLike) -> float | Undefined:
    """Return the temperature T whose sigmoid(logit(c) / T) has the least log loss.

    Above 1: the system was too sure.  It keeps the order of answers, so no threshold changes what it
    lets through.  For two options this is temperature scaling; for more, its form for a system that
    keeps the confidence of its answer only.

    Raises DataError A202 for shapes that differ, NaN, or confidences outside of [0, 1].
    Source: Guo et al. 2017; Platt 1999 without an intercept.

    >>> sure = np.repeat([0.9, 0.6], 100)
    >>> right = np.r_[np.arange(100) < 75, np.arange(100) < 54]
    >>> round(fit_temperature(sure, right), 2)
    2.02

    Not to be trusted when fitted on the records that it is judged on, or on a few dozen answers.
    """
    from scipy.optimize import minimize_scalar

    logit, correct = _logit(confidence), finite("right", right)
    same_shape(confidence=logit, right=correct)
    if correct.size == 0 or correct.min() == correct.max():
        return Undefined("all answers are right, or all wrong: no temperature is the best")
    if not (logit * np.where(correct > 0, 1, -1)).any():
        return Undefined("every confidence is 0.5: no temperature changes it")
    sign = np.where(correct > 0, 1.0, -1.0)
    found = minimize_scalar(
        lambda inverse: float(np.logaddexp(0.0, -sign * logit * inverse).sum()),
        bounds=(0.01, 20.0),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return 1.0 / float(found.x)


def scaled(confidence: npt.ArrayLike, temperature: float) -> Floats:
    """Return confidences at a temperature.

    >>> scaled([0.9, 0.5], 2.0).round(2).tolist()
    [0.75, 0.5]
    """
    if not temperature > 0:
        raise DataError(f"a temperature of {temperature} is not above 0", code=WRONG)
    return np.asarray(1.0 / (1.0 + np.exp(-_logit(confidence) / temperature)), dtype=np.float64)


def _logit(confidence: npt.ArrayLike) -> Floats:
    sure = finite("confidence", confidence)
    if sure.size and not 0 <= sure.min() <= sure.max() <= 1:
        raise DataError("a confidence is outside of [0, 1]", code=WRONG)
    inside = np.clip(sure, EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))
