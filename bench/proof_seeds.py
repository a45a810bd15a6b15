"""What proof.py simulates over seeds: few of them, beside a hundred groups."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np
from proof_case import RESAMPLES, Case, Hit, Rng, holds

from assay.stats import bootstrap, seeds, selective, surest, twoway
from assay.stats.inference import Inference

FEW = (2, 3, 5, 10)


def over(rng: Rng, groups: int, n_seeds: int, luck: float = 0.3) -> np.ndarray:
    return (
        rng.normal(size=(groups, 1))
        + luck * rng.normal(size=(1, n_seeds))
        + rng.normal(size=(groups, n_seeds))
    )


def seed_cases() -> Iterator[Case]:
    t = "over n seeds, 100 groups"
    for name, way, short, cost in (
        ("mean, variance sum", over_mean, "", 1),
        ("mean, two-way percentile bootstrap", two_way, "few seeds", 6),
        ("median, variance sum", over_median, "", 6),
        ("AUROC, variance sum", over_auroc, "", 6),
        ("share, variance sum", over_share, "", 1),
        ("paired difference of means, variance sum", over_difference, "", 1),
    ):
        data = "seeds carry a third as much as groups"
        yield Case(t, name, data, way, FEW, cost, 0.95, short, printed=not short)
    for name, way in (
        ("a mean is better", over_mean_strictly),
        ("a share is", over_share_strictly),
    ):
        yield Case(
            "tests over n seeds, 100 groups, at 0.25 %",
            f"{name}, variance sum",
            "seeds carry as much as groups",
            way,
            FEW,
            target=0.0025,
        )


def over_mean(rng: Rng, k: int) -> Hit:
    x = over(rng, 100, k)
    return holds(seeds.over_seeds(x, np.ones(x.shape)), 0.0)


def over_mean_strictly(rng: Rng, k: int) -> Hit:
    x = over(rng, 100, k, 0.1 * sqrt(k + 1))
    return bool(seeds.over_seeds(x, np.ones(x.shape)).p_at_least(0.0) <= 0.0025)


def over_share_strictly(rng: Rng, k: int) -> Hit:
    x = over(rng, 100, k, 0.1 * sqrt(k + 1)) > 0
    p = seeds.share_over_seeds(x, np.ones(x.shape)).p_at_least(0.5)
    return None if p is None else p <= 0.0025


def over_share(rng: Rng, k: int) -> Hit:
    x = over(rng, 100, k) > 0
    return holds(seeds.share_over_seeds(x, np.ones(x.shape)), 0.5)


def over_difference(rng: Rng, k: int) -> Hit:
    hard = rng.normal(size=(100, 1))
    terms = [(hard + over(rng, 100, k), np.ones((100, k))) for _ in range(2)]
    return holds(seeds.paired_over_seeds(*terms), 0.0)


def two_way(rng: Rng, k: int) -> Hit:
    x = over(rng, 100, k)
    groups, drawn = (bootstrap.counts(m, resamples=RESAMPLES, rng=rng) for m in (100, k))
    return holds(
        twoway.resample_ratio_two_ways(x, np.ones(x.shape), groups=groups, seeds=drawn), 0.0
    )


def median(columns: Any, weights: np.ndarray) -> float | None:
    rank = np.cumsum(weights[columns["order"]])
    at = int(np.searchsorted(rank, rank[-1] / 2))
    return float(columns["x"][columns["order"][at]])


def over_median(rng: Rng, k: int) -> Hit:
    x = over(rng, 100, k).ravel()
    # The order is found once: a column is what the statistic reads, whatever it means.
    columns = {"x": x, "order": np.argsort(x)}
    return holds(statistic(median, columns, k, rng), 0.0)


def over_auroc(rng: Rng, k: int) -> Hit:
    right = np.repeat(rng.random(100) < 0.5, k)
    better = 1 + 0.3 * rng.normal(size=k)  # each seed separates as well as it does
    x = rng.normal(size=(100, 1)) + 0.5 * rng.normal(size=(100, k))
    x = x.ravel() + right * np.tile(better, 100)
    y, groups = right.astype(float), np.repeat(np.arange(100), k)
    columns = {"x": x, "y": y}
    return holds(
        statistic(
            lambda c, w: selective.auroc(c["x"], c["y"], weights=w),
            columns, k, rng, many=surest.auroc(x, y, groups=groups),
        ),
        AUROC,
    )  # fmt: skip


AUROC = 0.7328218199752544
"""Phi(1 / sqrt(2 * 1.25 + 0.09)): a right answer of any seed above a wrong one of any seed."""


def statistic(of: Any, columns: Any, k: int, rng: Rng, *, many: Any = None) -> Inference:
    groups, seed = np.repeat(np.arange(100), k), np.tile(np.arange(k), 100)
    drawn = bootstrap.counts(100, resamples=200, rng=rng)
    return twoway.statistic_over_seeds(of, columns, at=(groups, seed), drawn=drawn, many=many)
