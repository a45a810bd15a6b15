"""From columns to an inference: which method fits what the number generalises over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.metric import Contrast, Estimate, Metric, Origin, Over, Statistic
from ..stats import blocks, clusters, order, seeds
from ..stats.away import away, gap
from ..stats.inference import (
    Census,
    Inference,
    Undefined,
)
from ..stats.quotient import is_census
from ..store.columns import Floats
from .metrics import QUANTILES, determinism
from .statistics import infer_statistic, infer_statistic_difference, student_over_seeds
from .table import Table
from .timed import Timed

UNIT = (0.0, 1.0)


def infer(metric: Metric, table: Table, *, over: frozenset[Over], rng: int) -> Inference:
    """Infer one metric of one system.

    ``over`` empty: a census.  Samples: clusters of samples, seeds pooled.  Samples and seeds:
    both variances.  Seeds alone: Student's t over the seeds, these samples taken as they are.
    """
    if isinstance(metric.form, Statistic):
        if (far := metric.form.distance) is not None:
            return away(infer(far.undirected(metric), table, over=over, rng=rng), far.centre)
        return infer_statistic(metric, metric.form, table, over=over, rng=rng)
    above, below = table.terms(metric)
    if not below.sum():
        return Undefined(f"nothing to divide by: {metric.says or metric.name}")
    if not over:
        return Census(float(above.sum() / below.sum()))
    if over == {Over.SEEDS}:
        return _over_seeds_only(above, below, bounds=metric.bounds)
    if Over.SEEDS in over:
        by_seed = _by_group(above, table), _by_group(below, table)
        if metric.bounds == UNIT and clusters.are_counts(*by_seed):
            return seeds.share_over_seeds(*by_seed)
        return seeds.over_seeds(*by_seed, bounds=metric.bounds)
    groups = np.tile(table.codes, len(table.seeds))
    if metric.bounds == UNIT and clusters.are_counts(above, below):
        return clusters.share(above.ravel(), below.ravel(), groups=groups)
    found = clusters.ratio(above.ravel(), below.ravel(), groups=groups, bounds=metric.bounds)
    if found is clusters.NO_VARIATION and metric.contrast is Contrast.RATIO:
        # One price for every call: a number all the same, and one that speaks of these calls only.
        return Census(float(above.sum() / below.sum()))
    return found


def infer_difference(
    metric: Metric, a: Table, b: Table, *, over: frozenset[Over], rng: int
) -> Inference:
    """Infer ``a - b`` on the samples that both were asked, or ``a / b`` on a ratio scale."""
    both = set(b.samples)
    common = [s for s in a.samples if s in both]
    if not common:
        return Undefined("the two systems have no sample in common")
    a, b = a.only(common), b.only(common)
    if isinstance(metric.form, Statistic):
        if (far := metric.form.distance) is not None:
            distances = [infer(metric, table, over=over, rng=rng) for table in (a, b)]
            apart = infer_difference(far.undirected(metric), a, b, over=over, rng=rng)
            return gap(distances[0], distances[1], apart)
        return infer_statistic_difference(metric, metric.form, a, b, over=over, rng=rng)
    one, two = a.terms(metric), b.terms(metric)
    if not one[1].sum() or not two[1].sum():
        return Undefined(f"nothing to divide by: {metric.says or metric.name}")
    ratio = metric.contrast is Contrast.RATIO
    if not over:
        left_value, right_value = (float(n.sum() / d.sum()) for n, d in (one, two))
        if ratio and not right_value:
            return Undefined("a total is zero")
        return Census(left_value / right_value if ratio else left_value - right_value)
    if Over.SEEDS in over:
        grouped = tuple((_by_group(n, t), _by_group(d, t)) for (n, d), t in ((one, a), (two, b)))
        if ratio:
            return seeds.log_ratio_over_seeds(grouped[0], grouped[1])
        return seeds.paired_over_seeds(grouped[0], grouped[1], bounds=metric.bounds)
    # Sums over seeds, scaled to one another's number of seeds, stay whole counts.
    left = tuple(x.sum(axis=0) * len(b.seeds) for x in one)
    right = tuple(x.sum(axis=0) * len(a.seeds) for x in two)
    pair = (left[0], left[1]), (right[0], right[1])
    if ratio:
        return clusters.paired_log_ratio(*pair, groups=a.codes)
    return clusters.paired(*pair, groups=a.codes, bounds=metric.bounds)


def infer_timed(metric: Metric, timed: Timed) -> Inference:
    """Infer a metric of the serial pass over time blocks."""
    above, below = timed.terms(metric)
    if not below.sum():
        return Undefined("nothing says what a question cost: no tokens, bill or price")
    value = float(above.sum() / below.sum())
    if metric.name == determinism.name or not timed.generalises:
        return Census(value)
    return clusters.ratio(above, below, groups=_codes(timed), bounds=metric.bounds)


def infer_timed_ratio(metric: Metric, a: Timed, b: Timed) -> Inference:
    """Infer ``a / b`` of a metric of the serial pass, blocks paired."""
    common = sorted(set(a.blocks) & set(b.blocks))
    if not common:
        return Undefined("no time block in common")
    pairs = [
        (t.by_block(n, common), t.by_block(d, common))
        for t in (a, b)
        for n, d in (t.terms(metric),)
    ]
    if any(not d.sum() for _, d in pairs):
        return Undefined("nothing says what a question cost: no tokens, bill or price")
    ratios = [float(n.sum() / d.sum()) for n, d in pairs]
    if metric.contrast is Contrast.DIFFERENCE:
        return Census(ratios[0] - ratios[1])
    if not (a.generalises and b.generalises):
        return Census(ratios[0] / ratios[1]) if ratios[1] else Undefined("a total is zero")
    return clusters.paired_log_ratio(pairs[0], pairs[1], groups=np.arange(len(common)))


def infer_quantile(name: str, timed: Timed) -> Inference:
    """Infer a latency quantile by ranks, time blocks kept; undefined where n does not support it."""
    values, q = timed.columns["latency_s"], QUANTILES[name]
    if timed.generalises:
        return blocks.quantile(values, q, blocks=_codes(timed))
    found = order.quantile(values, q)
    return found if found.value is None else Census(found.value)


def infer_quantile_ratio(name: str, a: Timed, b: Timed) -> Inference:
    """Infer ``a / b`` of a latency quantile by the ranks of either."""
    one, two = infer_quantile(name, a), infer_quantile(name, b)
    ranked = order.OrderStatistic | blocks.BlockQuantile
    if isinstance(one, ranked) and isinstance(two, ranked):
        return order.QuantileRatio(above=one, below=two)
    if one.value and two.value:
        return Census(one.value / two.value)
    return Undefined("a quantile is undefined")


def summarise(
    metric: str,
    inference: Inference,
    *,
    n: int,
    n_groups: int,
    n_seeds: int,
    over: frozenset[Over],
    confidence: float = 0.95,
    origin: Origin = Origin.MEASURED,
) -> Estimate:
    """Return an inference as the estimate that tables print."""
    ends = inference.interval(confidence)
    census = is_census(inference)
    return Estimate(
        metric=metric,
        value=inference.value,
        low=ends[0] if ends and not census else None,
        high=ends[1] if ends and not census else None,
        confidence=confidence,
        n=n,
        n_groups=n_groups,
        n_seeds=n_seeds,
        over=frozenset() if census else over,
        method=inference.method,
        origin=origin,
    )


def _by_group(values: Floats, table: Table) -> Floats:
    """Return totals of shape [groups, seeds]."""
    codes, count = table.codes, table.n_groups
    return np.stack([np.bincount(codes, weights=row, minlength=count) for row in values], axis=1)


def _codes(timed: Timed) -> NDArray[np.intp]:
    """Return the time block of each question as a code."""
    return np.unique(timed.blocks, return_inverse=True)[1]


def _over_seeds_only(above: Floats, below: Floats, *, bounds: tuple[float, float]) -> Inference:
    if len(above) < 2:
        return Undefined("one seed says nothing of other seeds")
    if not below.sum(axis=1).all():
        return Undefined("nothing to divide by under some seed")
    return student_over_seeds(above.sum(axis=1) / below.sum(axis=1), bounds=bounds)
