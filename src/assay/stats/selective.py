"""What it risks to answer only when sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, finite, same_shape, totals
from .tails import harmonic_difference


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskCoverage:
    """Risk among accepted samples at each threshold, strictest first; arrays of one shape."""

    threshold: Floats
    """Accept where confidence >= threshold.  Each distinct confidence once."""

    coverage: Floats
    """Share of samples accepted."""

    risk: Floats
    """Share of accepted samples that are wrong."""


def risk_coverage(
    confidence: npt.ArrayLike, right: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> RiskCoverage:
    """Return risk and coverage at every distinct confidence.

    ``confidence``, ``right`` (0 or 1) and ``weights`` (group counts of a resample) have shape
    [samples].  Samples of equal confidence are accepted together.  A sample that is never answered
    gets a confidence below all others.

    Raises DataError A202 for shapes that differ, NaN, or negative weights.
    Source: El-Yaniv and Wiener 2010.

    >>> curve = risk_coverage([0.9, 0.9, 0.4], [1, 0, 0])
    >>> curve.coverage.round(2).tolist(), curve.risk.round(2).tolist()
    ([0.67, 1.0], [0.5, 0.67])

    Not to be trusted for choosing a threshold: that takes ``ltt_threshold``.
    """
    threshold, wrong, weight = _blocks(confidence, right, weights)
    held = weight > 0
    accepted, errors = np.cumsum(weight[held]), np.cumsum(wrong[held])
    return RiskCoverage(
        threshold=threshold[held], coverage=accepted / weight.sum(), risk=errors / accepted
    )


def aurc(
    confidence: npt.ArrayLike, right: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> float | None:
    """Return the mean risk over all numbers of accepted samples; None where there is no sample.

    Ties are broken at random in expectation, so that a constant confidence has the error rate.

    Raises DataError A202 for shapes that differ, NaN, or negative weights.
    Source: Geifman and El-Yaniv 2017; expectation over ties in closed form.

    >>> round(aurc([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0]), 4)
    0.2083
    >>> round(aurc([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0]), 4)
    0.5

    Not to be trusted between tasks: it grows with the error rate, whatever the confidence is worth.
    """
    _, wrong, weight = _blocks(confidence, right, weights)
    wrong, weight = wrong[weight > 0], weight[weight > 0]
    if not weight.size:
        return None
    rate = wrong / weight
    after = np.cumsum(weight)
    before, errors = after - weight, np.cumsum(wrong) - wrong
    within = weight * rate + (errors - rate * before) * harmonic_difference(before, after)
    return float(within.sum() / after[-1])


def accuracy_at(
    confidence: npt.ArrayLike, right: npt.ArrayLike, weights: npt.ArrayLike, *, accepted: float
) -> float | None:
    """Return the share that is right among the surest ``accepted`` answers, by weight.

    None where there are fewer answers.  Of a block of equal confidences that is cut, any part is as
    likely: its mean counts.

    Raises DataError A202 for shapes that differ, NaN, or negative weights.
    Source: El-Yaniv and Wiener 2010, a point of the risk-coverage curve.

    >>> accuracy_at([0.9, 0.8, 0.8], [1, 1, 0], [1, 1, 1], accepted=2)
    0.75

    Not to be trusted for two systems that answer different questions, but at one coverage.
    """
    _, wrong, weight = _blocks(confidence, right, weights)
    taken = np.clip(accepted - (np.cumsum(weight) - weight), 0.0, weight)
    if accepted <= 0 or taken.sum() < accepted - 1e-9:
        return None
    rate = np.divide(wrong, weight, out=np.zeros_like(wrong), where=weight > 0)
    return 1.0 - float((taken * rate).sum() / accepted)


def _blocks(
    confidence: npt.ArrayLike, right: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return distinct confidences, falling, with the weight of wrong and of all samples at each."""
    sure, correct = finite("confidence", confidence), finite("right", right)
    weight = np.ones(sure.shape) if weights is None else finite("weights", weights)
    same_shape(confidence=sure, right=correct, weights=weight)
    if (weight < 0).any() or not np.isin(correct, (0.0, 1.0)).all():
        raise DataError("right must be 0 or 1, and weights not negative", code=WRONG)
    values, block = np.unique(-sure, return_inverse=True)
    n = len(values)
    return -values, totals(weight * (1 - correct), block, n), totals(weight, block, n)


def auroc(
    confidence: npt.ArrayLike, right: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> float | None:
    """Return how often a right answer has more confidence than a wrong one, ties counting half.

    None unless there are both.

    Raises DataError A202 for shapes that differ, NaN, or negative weights.
    Source: Mann and Whitney 1947; Hanley and McNeil 1982.

    >>> auroc([0.9, 0.8, 0.8, 0.3], [1, 1, 0, 1])
    0.5

    Not to be trusted when a handful of answers are wrong, or right.
    """
    _, wrong, weight = _blocks(confidence, right, weights)
    correct = weight - wrong
    pairs = float(correct.sum() * wrong.sum())
    above = np.cumsum(correct) - correct / 2
    return float((wrong * above).sum()) / pairs if pairs > 0 else None
