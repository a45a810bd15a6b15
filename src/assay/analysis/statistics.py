"""From columns to the inference of a statistic that is no ratio of sums."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from ..core.metric import Contrast, Metric, Over, Statistic
from ..stats import bootstrap, few, luck, surest, twoway
from ..stats.inference import (
    NO_SEED_EFFECT,
    Census,
    Inference,
    StudentT,
    Undefined,
)
from ..stats.resamples import CELLS, CELLS_ONE_BY_ONE, Resamples, resamples_for, unions
from ..store.columns import Floats
from .table import Table


def student_over_seeds(each: Floats, *, bounds: tuple[float, float]) -> Inference:
    """Infer the mean of one value per seed, these samples taken as they are."""
    if np.ptp(each) == 0:
        return Undefined(NO_SEED_EFFECT)
    return StudentT(
        value=float(each.mean()),
        se=float(each.std(ddof=1)) / sqrt(len(each)),
        df=len(each) - 1,
        low=bounds[0],
        high=bounds[1],
        method=f"Student's t over {len(each)} seeds, these samples only",
    )


def infer_statistic(
    metric: Metric, form: Statistic, table: Table, *, over: frozenset[Over], rng: int
) -> Inference:
    """Infer a statistic of one system."""
    columns = {name: np.ravel(values) for name, values in table.reads(metric).items()}
    value = form.of(columns, np.ones(table.outcome.size))
    if value is None:
        return Undefined("the statistic is undefined on these records")
    if not over:
        return Census(value)
    of_seed = _seed_codes(table)
    if over == {Over.SEEDS}:
        if len(table.seeds) < 2:
            return twoway.ONE_SEED
        each = [form.of(columns, (of_seed == k).astype(float)) for k in range(len(table.seeds))]
        if None in each:
            return Undefined("the statistic is undefined under some seed")
        return student_over_seeds(np.array(each, dtype=np.float64), bounds=metric.bounds)
    groups = np.tile(codes := _unions(table, rng), len(table.seeds))
    drawn = _resamples(codes, form, records=len(groups), rng=rng)
    many = form.prepare and form.prepare(columns, groups)
    if Over.SEEDS in over:
        return twoway.statistic_over_seeds(
            form.of,
            columns,
            at=(groups, of_seed),
            drawn=drawn,
            many=many,
            bounds=metric.bounds,
        )
    found = bootstrap.resample_statistic(form.of, columns, groups=groups, drawn=drawn, many=many)
    found = bootstrap.debiased(found, bounds=metric.bounds) if form.debias else found
    steady = few.steadied(found, bounds=metric.bounds)
    return luck.doubted(steady, value, of=many, bounds=metric.bounds)


def infer_statistic_difference(
    metric: Metric, form: Statistic, a: Table, b: Table, *, over: frozenset[Over], rng: int
) -> Inference:
    """Infer ``a - b`` of a statistic on samples that both were asked, or ``a / b``."""
    size = len(a.samples) * len(a.seeds)
    left, right = (
        {name: np.ravel(values) for name, values in t.reads(metric).items()} for t in (a, b)
    )
    joint = {name: np.concatenate([values, right[name]]) for name, values in left.items()}

    ratio = metric.contrast is Contrast.RATIO

    def difference(columns: Mapping[str, Floats], weights: Floats) -> float | None:
        one = form.of({k: v[:size] for k, v in columns.items()}, weights[:size])
        two = form.of({k: v[size:] for k, v in columns.items()}, weights[size:])
        if one is None or two is None:
            return None
        if not ratio:
            return one - two
        # A ratio is compared by its logarithm, and turned back at the end.
        return log(one) - log(two) if one > 0 and two > 0 else None

    value = difference(joint, np.ones(size + len(b.samples) * len(b.seeds)))
    if value is None:
        return Undefined(f"the statistic is undefined on these records{', or zero' * ratio}")
    if not over:
        return Census(exp(value) if ratio else value)
    codes = _unions(a, rng)
    mine, yours = (np.tile(codes, len(t.seeds)) for t in (a, b))
    groups = np.concatenate([mine, yours])
    drawn = _resamples(codes, form, records=len(groups), rng=rng)
    many = None
    if form.prepare:
        apart = surest.log_less if ratio else surest.less
        many = apart(form.prepare(left, mine), form.prepare(right, yours))
    reach = inf if ratio else metric.bounds[1] - metric.bounds[0]
    if Over.SEEDS in over and max(len(a.seeds), len(b.seeds)) > 1:
        absent = np.full(len(yours), -1), np.full(len(mine), -1)
        found = twoway.statistic_over_seeds(
            difference,
            joint,
            at=(groups, np.r_[_seed_codes(a), absent[0]], np.r_[absent[1], _seed_codes(b)]),
            drawn=drawn,
            many=many,
            bounds=(-reach, reach),
        )
    else:
        found = bootstrap.resample_statistic(
            difference, joint, groups=groups, drawn=drawn, many=many
        )
        found = bootstrap.debiased(found) if form.debias else found
        found = few.steadied(found, bounds=(-reach, reach))
        found = luck.doubted(found, value, of=many, bounds=(-reach, reach))
    return few.power_of_e(found) if ratio else found


def _seed_codes(table: Table) -> NDArray[np.intp]:
    """Return the seed of each record, counted from 0."""
    return np.repeat(np.arange(len(table.seeds)), len(table.samples))


def _unions(table: Table, rng: int) -> NDArray[np.intp]:
    """Return the group of each sample as a code; of very many groups, the union that it is in."""
    return unions(table.n_groups, seed=rng)[table.codes]


def _resamples(codes: NDArray[np.intp], form: Statistic, *, records: int, rng: int) -> Resamples:
    n_groups, cells = int(codes.max(initial=-1)) + 1, affordable(form)
    return Resamples(n_groups=n_groups, resamples=resamples_for(records, cells=cells), seed=rng)


def affordable(form: Statistic) -> int:
    """Return how many resamples times records a statistic may cost."""
    return CELLS if form.prepare else CELLS_ONE_BY_ONE
