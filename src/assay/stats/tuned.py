"""Thresholds that are the best on calibration samples, and promise nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.core.errors import DataError

from .arrays import WRONG, Floats, level
from .threshold import Calibration, NoThreshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """A threshold and what it came to on the samples that it was chosen on."""

    threshold: float
    accepted: int
    """Samples, not groups."""

    errors: int
    worth: float
    """What was maximised, or met: a share of the samples, or a utility for each."""

    why: str = ""
    """Why it is not what was asked for; empty where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoff:
    """What a question is worth by what becomes of it.

    Raises DataError A202 unless right > declined > wrong: otherwise always or never answering is
    best, and there is nothing to choose.
    """

    right: float
    wrong: float
    declined: float

    def __post_init__(self) -> None:
        if not self.right > self.declined > self.wrong:
            raise DataError(
                f"right {self.right:g}, declined {self.declined:g}, wrong {self.wrong:g}: there is "
                "a threshold to choose only where right > declined > wrong",
                code=WRONG,
            )


def at_coverage(calibration: Calibration, *, coverage: float) -> Tuned | NoThreshold:
    """Choose the strictest threshold that answers at least ``coverage`` of the samples.

    Where even answering all that has an answer falls short, that is the choice, and ``why`` says
    so.  No threshold where nothing has an answer.

    Raises DataError A202 for a coverage outside of (0, 1).
    Source: El-Yaniv and Wiener 2010, a point of the risk-coverage curve.

    >>> sure = Calibration(
    ...     confidence=np.array([0.9, 0.8, 0.7, 0.6]),
    ...     right=np.array([True, True, False, True]),
    ...     groups=np.arange(4),
    ... )
    >>> found = at_coverage(sure, coverage=0.5)
    >>> found.threshold, found.accepted, found.errors
    (0.8, 2, 0)

    Not to be trusted for the coverage or the risk in use: both were looked at when choosing.
    """
    level("coverage", coverage)
    cuts, accepted, errors = _curve(calibration)
    if not cuts.size:
        return NoThreshold(why="no calibration sample has an answer")
    share = accepted / calibration.confidence.size
    reached = np.flatnonzero(share >= coverage - 1e-12)
    at = int(reached[0]) if reached.size else cuts.size - 1
    why = "" if reached.size else f"it has an answer to {share[-1]:.1%} of the samples, no more"
    return _tuned(cuts, accepted, errors, at, float(share[at]), why)


def by_utility(calibration: Calibration, payoff: Payoff) -> Tuned | NoThreshold:
    """Choose the threshold with the largest mean payoff over the samples that have an answer.

    Among equals the strictest.  No threshold where declining everything is worth as much.  What
    has no answer at any threshold is left out: no threshold changes it.

    Source: Chow 1970, the reject option with costs; empirical maximum.

    >>> sure = Calibration(
    ...     confidence=np.array([0.9, 0.8, 0.7, 0.6]),
    ...     right=np.array([True, True, False, True]),
    ...     groups=np.arange(4),
    ... )
    >>> found = by_utility(sure, Payoff(right=1.0, wrong=-4.0, declined=0.0))
    >>> found.threshold, found.worth
    (0.8, 0.5)

    Not to be trusted for the payoff in use: it is the largest of many, and will be less.
    """
    cuts, accepted, errors = _curve(calibration)
    if not cuts.size:
        return NoThreshold(why="no calibration sample has an answer")
    everything = accepted[-1]
    gained = payoff.right * (accepted - errors) + payoff.wrong * errors
    worth = (gained + payoff.declined * (everything - accepted)) / everything
    at = int(np.argmax(worth))
    if worth[at] <= payoff.declined:
        return NoThreshold(why="no threshold is worth more than declining everything")
    return _tuned(cuts, accepted, errors, at, float(worth[at]), "")


def _curve(calibration: Calibration) -> tuple[Floats, Floats, Floats]:
    """Return distinct confidences, falling, with the samples accepted and wrong at each."""
    answered = calibration.confidence > -np.inf
    values, block = np.unique(-calibration.confidence[answered], return_inverse=True)
    wrong = (~calibration.right[answered]).astype(np.float64)
    accepted = np.cumsum(np.bincount(block, minlength=len(values)).astype(np.float64))
    errors = np.cumsum(np.bincount(block, weights=wrong, minlength=len(values)).astype(np.float64))
    return -values, accepted, errors


def _tuned(
    cuts: Floats, accepted: Floats, errors: Floats, at: int, worth: float, why: str
) -> Tuned:
    return Tuned(
        threshold=float(cuts[at]),
        accepted=int(accepted[at]),
        errors=int(errors[at]),
        worth=worth,
        why=why,
    )
