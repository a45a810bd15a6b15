"""What ``supply.agreement`` measures, position by position.

A position without an answer that can be compared counts as the worst there is: ``WORST`` nats, and no
agreement.  So a model that fails, declines or reads a text otherwise never looks better than a bad one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from assay import Better, Metric, Ratio, Statistic

from .divergence import WORST

Array: TypeAlias = Any
_UNIT = (0.0, 1.0)


def _charged(score: str, worst: float) -> Callable[[Any], Array]:
    def of(columns: Any) -> Array:
        given = np.nan_to_num(columns[f"check:{score}"], nan=worst)
        return np.where(columns["scored"] > 0, given, worst) * columns["asked"]

    return of


def _mean(name: str, score: str, *, says: str, better: Better, worst: float) -> Metric:
    bounds = (0.0, WORST) if better is Better.LOWER else (min(worst, 0.0), 1.0)
    return Metric(
        name=name,
        says=says,
        better=better,
        form=Ratio(numerator=_charged(score, worst), denominator=lambda c: c["asked"] * 1.0),
        columns=(f"check:{score}", "scored", "asked"),
        unit="nats" if better is Better.LOWER else "",
        bounds=bounds,
    )


def _quantile(name: str, share: float, *, says: str) -> Metric:
    values = _charged("kl", WORST)

    def of(columns: Any, weights: Any) -> float | None:
        counts = weights * columns["asked"]
        if not counts.sum():
            return None
        found = values(columns)
        order = np.argsort(found, kind="stable")
        reached = np.cumsum(counts[order])
        place = int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12)))
        return float(found[order][min(place, len(order) - 1)])

    return Metric(
        name=name,
        says=says,
        better=Better.LOWER,
        form=Statistic(of=of),
        columns=("check:kl", "scored", "asked"),
        unit="nats",
        bounds=(0.0, WORST),
    )


def _exponential(name: str, score: str, *, says: str) -> Metric:
    values = _charged(score, WORST)

    def of(columns: Any, weights: Any) -> float | None:
        counts = weights * columns["asked"]
        total = float(counts.sum())
        return float(np.exp((values(columns) * counts).sum() / total)) if total else None

    return Metric(
        name=name,
        says=says,
        better=Better.LOWER,
        form=Statistic(of=of),
        columns=(f"check:{score}", "scored", "asked"),
        bounds=(0.0, float("inf")),
    )


METRICS = (
    _mean(
        "kl_mean",
        "kl",
        says="mean KL(source || system) over positions, the whole vocabulary",
        better=Better.LOWER,
        worst=WORST,
    ),
    _quantile("kl_p99", 0.99, says="KL(source || system) that 99 of 100 positions do not pass"),
    _quantile("kl_max", 1.0, says="the largest KL(source || system) of a position"),
    _mean(
        "top1",
        "top1",
        says="positions where both find the same token the most probable",
        better=Better.HIGHER,
        worst=0.0,
    ),
    _mean(
        "topk",
        "topk",
        says="share of the ten most probable tokens that both have",
        better=Better.HIGHER,
        worst=0.0,
    ),
    _mean(
        "logit_cosine",
        "cosine",
        says="mean cosine of both models' logits, each less its mean",
        better=Better.HIGHER,
        worst=-1.0,
    ),
    _exponential("perplexity", "nll", says="perplexity of the prompts' own text"),
    _exponential(
        "perplexity_ratio",
        "nll_difference",
        says="perplexity of the prompts' own text, over the source's",
    ),
)
