"""From which confidence on it is safe to answer: thresholds with a guarantee."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from assay.core.errors import DataError

from .arrays import WRONG, Floats, codes, finite, level, same_shape
from .binomial import upper_bound
from .inference import Undefined
from .tails import binomial_at_most

SPARE = 2
"""Errors that the strictest threshold of a grid may make and still pass, if groups suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One threshold of the sequence, tested."""

    threshold: float
    accepted: int
    """Groups whose sample is accepted."""

    errors: int
    p: float
    """Of the hypothesis that the risk is above the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The least strict threshold that the calibration samples support."""

    threshold: float
    accepted: int
    errors: int
    p: float
    risk_at_most: float
    """Clopper-Pearson bound at 1 - delta on the risk among accepted samples."""

    groups: int
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoThreshold:
    """No threshold passes; decline everything, or ask a better system."""

    why: str
    steps: tuple[Step, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Samples that no training saw, shape [samples] each.

    Raises DataError A202 for shapes that differ or NaN confidences.
    """

    confidence: Floats
    """``-inf`` where the system never answers."""

    right: npt.NDArray[np.bool_]
    """Whether the answer, if given, would be right; never for a sample without an answer."""

    groups: npt.NDArray[np.integer]

    def __post_init__(self) -> None:
        same_shape(confidence=self.confidence, right=self.right, groups=self.groups)
        if np.isnan(self.confidence).any():
            raise DataError(
                "A confidence is NaN", hint="Use -inf where the system never answers.", code=WRONG
            )

    def one_per_group(self, rng: np.random.Generator) -> Calibration:
        """Draw one random sample of each group."""
        order = rng.permutation(self.confidence.size)
        group, _ = codes("groups", self.groups)
        _, first = np.unique(group[order], return_index=True)
        return self.only(order[first])

    def only(self, which: npt.NDArray[np.generic]) -> Calibration:
        """Return the samples at these places, or under this mask."""
        return Calibration(
            confidence=self.confidence[which], right=self.right[which], groups=self.groups[which]
        )


def ltt_threshold(
    calibration: Calibration,
    *,
    grid: npt.ArrayLike,
    max_risk: float,
    delta: float = 0.05,
    rng: np.random.Generator,
) -> Threshold | NoThreshold:
    """Choose the least strict threshold whose risk is at most ``max_risk``, wrongly once in 1/delta.

    ``grid`` holds thresholds fixed before calibration (``grid_from``).  They are tested strictest
    first, each by an exact binomial test at ``delta`` on one random sample per group, and the
    first failure ends the sequence.  So P(true risk of the choice > max_risk) <= delta.

    Raises DataError A202 for ``max_risk`` or ``delta`` outside of (0, 1) or NaN in the grid.
    Source: Angelopoulos, Bates, Candes, Jordan and Lei 2021 (Learn then Test), fixed sequence.

    >>> sure = Calibration(
    ...     confidence=np.linspace(0, 1, 200), right=np.arange(200) > 60, groups=np.arange(200)
    ... )
    >>> rng = np.random.default_rng(0)
    >>> chosen = ltt_threshold(sure, grid=[0.6, 0.4, 0.2], max_risk=0.05, rng=rng)
    >>> chosen.threshold, chosen.accepted, chosen.errors, round(chosen.risk_at_most, 3)
    (0.4, 120, 0, 0.025)

    Not to be trusted when the mix of samples, or the share without an answer, is another in use;
    the risk is that of a random sample of a random group.
    """
    level("max_risk", max_risk)
    level("delta", delta)
    drawn = calibration.one_per_group(rng)
    confidence, right = drawn.confidence, drawn.right
    steps: list[Step] = []
    passed: Step | None = None
    for threshold in np.unique(finite("grid", grid))[::-1]:
        held = confidence >= threshold
        accepted, errors = int(held.sum()), int((held & ~right).sum())
        p = binomial_at_most(errors, accepted, max_risk)
        steps.append(Step(threshold=float(threshold), accepted=accepted, errors=errors, p=p))
        if p > delta:
            break
        passed = steps[-1]
    if passed is None:
        return NoThreshold(why=_why_none(steps, max_risk, delta), steps=tuple(steps))
    bound = upper_bound(passed.errors, passed.accepted, confidence=1 - delta)
    return Threshold(
        threshold=passed.threshold,
        accepted=passed.accepted,
        errors=passed.errors,
        p=passed.p,
        risk_at_most=1.0 if isinstance(bound, Undefined) else bound,
        groups=confidence.size,
        steps=tuple(steps),
    )


def accepts_needed(max_risk: float, *, delta: float = 0.05, errors: int = 0) -> int:
    """Return the fewest accepted groups that pass with ``errors`` errors among them.

    >>> accepts_needed(0.05), accepts_needed(0.05, errors=1)
    (59, 93)
    """
    level("max_risk", max_risk)
    level("delta", delta)
    high = errors + 1
    while binomial_at_most(errors, high, max_risk) > delta:
        high *= 2
    low = errors
    while high - low > 1:
        middle = (low + high) // 2
        passes = binomial_at_most(errors, middle, max_risk) <= delta
        low, high = (low, middle) if passes else (middle, high)
    return high


def grid_from(
    tune_confidence: npt.ArrayLike,
    *,
    n_groups: int,
    max_risk: float,
    delta: float = 0.05,
    points: int = 50,
) -> tuple[float, ...] | Undefined:
    """Lay a grid of thresholds over tune confidences, strictest first.

    The strictest is expected to accept two standard deviations more of the ``n_groups`` calibration
    groups than pass with no error, or with up to ``SPARE`` where that leaves two thirds of the
    groups to gain; the last accepts every sample that has a confidence (``-inf``: never answers).
    Undefined where calibration has too few groups for any threshold.

    Raises DataError A202 for NaN, or ``max_risk`` or ``delta`` outside of (0, 1).
    Source: Learn then Test needs the sequence fixed before calibration, and its start passable.

    >>> grid = grid_from(np.linspace(0, 1, 1001), n_groups=500, max_risk=0.05, points=4)
    >>> [round(threshold, 2) for threshold in grid]
    [0.71, 0.47, 0.24, 0.0]
    >>> grid_from([0.5], n_groups=40, max_risk=0.05).why
    '40 groups; no fewer than 59 accepted without an error show a risk of at most 0.05'

    Not to be trusted when tune confidences run higher than those of calibration (a head that was
    fitted on tune): the strictest threshold then accepts too few.
    """
    sure = np.asarray(tune_confidence, dtype=np.float64)
    if sure.ndim != 1 or np.isnan(sure).any():
        raise DataError("tune confidences must be one-dimensional, without NaN", code=WRONG)
    fewest = accepts_needed(max_risk, delta=delta)
    if fewest > n_groups:
        return Undefined(
            f"{n_groups} groups; no fewer than {fewest} accepted without an error show a risk of "
            f"at most {max_risk:g}"
        )
    ordered = np.sort(sure[sure > -np.inf])[::-1]
    if not ordered.size:
        return Undefined("no tune sample has a confidence")
    starts = [_start(max_risk, delta, errors) for errors in range(SPARE + 1)]
    start = max([each for each in starts if each <= n_groups / 3], default=starts[0])
    share = min(start / n_groups, 1.0)
    strictest = min(ceil(share * sure.size), ordered.size)
    accepted = np.unique(np.linspace(strictest, ordered.size, points).round().astype(np.intp))
    return tuple(float(each) for each in np.unique(ordered[accepted - 1])[::-1])


def _start(max_risk: float, delta: float, errors: int) -> float:
    wanted = accepts_needed(max_risk, delta=delta, errors=errors)
    return wanted + 2 * sqrt(wanted)


def _why_none(steps: list[Step], max_risk: float, delta: float) -> str:
    if not steps:
        return "the grid is empty"
    first, fewest = steps[0], accepts_needed(max_risk, delta=delta)
    if first.accepted < fewest:
        return (
            f"the strictest threshold accepts {first.accepted} groups; no fewer than {fewest} "
            f"without an error show a risk of at most {max_risk:g}"
        )
    return (
        f"the strictest threshold makes {first.errors} errors in {first.accepted} groups, too many "
        f"to show a risk of at most {max_risk:g}"
    )
