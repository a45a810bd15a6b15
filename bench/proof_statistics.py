"""What proof.py simulates of statistics that are no ratios: resampled groups, as a report has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf, log, sqrt
from typing import Any

import numpy as np
from proof_case import RESAMPLES, Case, Rng, holds
from scipy.special import ndtr

from assay.stats import bootstrap, calibration, few, luck, surest
from assay.stats.inference import Inference, Resampled


def statistic_cases() -> Iterator[Case]:
    t, used = "a statistic that is no ratio", "percentile bootstrap as the report has it"
    for size, data in ((1, "n groups of one"), (5, "n groups of 5, correlation 0.5")):
        for what, way in STATISTICS.items():
            yield Case(
                t, used, f"{what}, {data}",
                lambda rng, n, way=way, size=size: holds(resampled(way, rng, n, size), way.truth),
                cost=8,
            )  # fmt: skip
    yield Case(
        t, "percentiles as they are, not used", "AURC, n groups of 5, correlation 0.5",
        lambda rng, n: holds(resampled(STATISTICS["AURC"], rng, n, 5, used=False), 0.125),
        cost=8, short="few groups", printed=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """A statistic of values in groups, and its truth."""

    draw: Callable[[Rng, int, int], Any]
    """Returns a function from counts to values, and the groups of the records."""

    truth: float
    bounds: tuple[float, float]
    debias: bool = False


def alike(rng: Rng, groups: int, size: int) -> np.ndarray:
    """Draw normal values that have a correlation of 0.5 within groups."""
    shared = rng.normal(size=groups) if size > 1 else np.zeros(groups)
    own = sqrt(0.5) if size > 1 else 1.0
    return np.repeat(sqrt(0.5) * shared, size) + own * rng.normal(size=groups * size)


def drawn_median(rng: Rng, n: int, size: int) -> Any:
    x, groups = alike(rng, n, size), np.repeat(np.arange(n), size)
    order = np.argsort(x)

    def values(drawn: np.ndarray) -> np.ndarray:
        below = np.cumsum(drawn[:, groups[order]], axis=1, dtype=np.int64)
        return x[order][(below < below[:, -1:] / 2).sum(axis=1)]

    return values, groups


def drawn_auroc(rng: Rng, n: int, size: int) -> Any:
    groups, right = np.repeat(np.arange(n), size), (alike(rng, n, size) > 0).astype(float)
    return surest.auroc(alike(rng, n, size) + right, right, groups=groups), groups


def answers(rng: Rng, n: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw how likely each answer is to be right, from 0.5 to 1 evenly, and whether it is."""
    likely = 0.5 + 0.5 * ndtr(alike(rng, n, size))
    right = (ndtr(alike(rng, n, size)) < likely).astype(float)
    return likely, right, np.repeat(np.arange(n), size)


def drawn_aurc(rng: Rng, n: int, size: int) -> Any:
    sure, right, groups = answers(rng, n, size)
    return surest.aurc(sure, right, groups=groups), groups


def drawn_selective(rng: Rng, n: int, size: int) -> Any:
    sure, right, groups = answers(rng, n, size)
    asked = np.full(n, float(size))
    return surest.accuracy_at(sure, right, groups=groups, asked=asked, share=0.8), groups


def drawn_error(rng: Rng, n: int, size: int) -> Any:
    likely, right, groups = answers(rng, n, size)
    sure = likely**2 / (likely**2 + (1 - likely) ** 2)  # twice too sure, on the scale of logits
    edges = calibration.equal_width()
    return surest.calibration_error(sure, right, groups=groups, edges=edges), groups


def drawn_none(rng: Rng, n: int, size: int) -> Any:
    sure = ndtr(alike(rng, n, size)) ** 0.125  # most are above 0.9
    right, groups = (ndtr(alike(rng, n, size)) < sure).astype(float), np.repeat(np.arange(n), size)
    edges = calibration.equal_width()
    return surest.calibration_error(sure, right, groups=groups, edges=edges), groups


def drawn_gap(rng: Rng, n: int, size: int) -> Any:
    (far, groups), (near, _) = drawn_error(rng, n, size), drawn_none(rng, n, size)
    return surest.less(far, near), groups


FAR_OFF = log(2) / 2 - 0.25
"""The mean of c**2 / (c**2 + (1 - c)**2) - c over 0.5 to 1."""

STATISTICS = {
    "median": Way(drawn_median, 0.0, (-np.inf, np.inf)),
    "AUROC": Way(drawn_auroc, float(ndtr(sqrt(0.5))), (0.0, 1.0)),
    "AURC": Way(drawn_aurc, 0.125, (0.0, np.inf)),
    "selective accuracy at 80 %": Way(drawn_selective, 0.8, (0.0, 1.0)),
    "calibration error": Way(drawn_error, FAR_OFF, (0.0, np.inf), debias=True),
    "calibration error of a calibrated system": Way(drawn_none, 0.0, (0.0, np.inf), debias=True),
    "difference of the two errors": Way(drawn_gap, FAR_OFF, (-np.inf, np.inf), debias=True),
}


def resampled(way: Way, rng: Rng, n: int, size: int, *, used: bool = True) -> Inference:
    of, groups = way.draw(rng, n, size)
    drawn = bootstrap.counts(n, resamples=RESAMPLES, rng=rng)
    found = bootstrap.resample_statistic(
        lambda *_: float(of(np.ones((1, n), dtype=np.int16))[0]),
        {},
        groups=groups,
        drawn=drawn,
        many=of,
    )
    if not used:
        return replace(found, df=inf) if isinstance(found, Resampled) else found
    found = bootstrap.debiased(found, bounds=way.bounds) if way.debias else found
    steady = few.steadied(found, bounds=way.bounds)
    return luck.doubted(
        steady, float(of(np.ones((1, n), dtype=np.int16))[0]), of=of, bounds=way.bounds
    )
