"""From columns to the inference of a statistic that is no ratio of sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from math import exp, inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from ..core.metric import Contrast, Metric, Over, Statistic, Strata
from ..stats import bootstrap, few, luck, strata, surest, twoway
from ..stats.arrays import Codes
from ..stats.inference import (
    NO_SEED_EFFECT,
    Census,
    Inference,
    StudentT,
    Undefined,
)
from ..stats.jackknife import NO_SPREAD, Spread
from ..stats.resamples import (
    CELLS,
    CELLS_ONE_BY_ONE,
    Prepared,
    Remembered,
    Resamples,
    resamples_for,
    unions,
)
from ..store.columns import Floats
from .table import Table, terms_of


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
    if form.strata is not None:
        seeds: Spread | Undefined = NO_SPREAD
        if Over.SEEDS in over:
            groups = np.tile(table.codes, len(table.seeds))
            seeds = twoway.spread_over_seeds(form.of, columns, groups=groups, seeds=(of_seed,))
        return _share_of_strata(form.strata, metric, table, seeds)
    groups = np.tile(codes := _unions(table, rng), len(table.seeds))
    drawn = _resamples(codes, form, records=len(groups), rng=rng)
    many = _prepared(form, table, columns, (groups, rng))
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
    if form.strata is not None and not ratio:
        groups = np.concatenate([np.tile(a.codes, len(t.seeds)) for t in (a, b)])
        seeds: Spread | Undefined = NO_SPREAD
        if Over.SEEDS in over and max(len(a.seeds), len(b.seeds)) > 1:
            of_seeds = _seeds_of_two(a, b)
            seeds = twoway.spread_over_seeds(difference, joint, groups=groups, seeds=of_seeds)
        return _difference_of_strata(form.strata, metric, (a, b), seeds)
    codes = _unions(a, rng)
    mine, yours = (np.tile(codes, len(t.seeds)) for t in (a, b))
    groups = np.concatenate([mine, yours])
    drawn = _resamples(codes, form, records=len(groups), rng=rng)
    many = None
    one = _prepared(form, a, left, (mine, rng))
    two = _prepared(form, b, right, (yours, rng))
    if one is not None and two is not None:
        many = (surest.log_less if ratio else surest.less)(one, two)
    reach = inf if ratio else metric.bounds[1] - metric.bounds[0]
    if Over.SEEDS in over and max(len(a.seeds), len(b.seeds)) > 1:
        found = twoway.statistic_over_seeds(
            difference,
            joint,
            at=(groups, *_seeds_of_two(a, b)),
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


def _seeds_of_two(a: Table, b: Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the seed of each record of two systems, by system; -1 for the records of the other."""
    mine, yours = _seed_codes(a), _seed_codes(b)
    return np.r_[mine, np.full(len(yours), -1)], np.r_[np.full(len(mine), -1), yours]


def _share_of_strata(
    form: Strata, metric: Metric, table: Table, seeds: Spread | Undefined
) -> Inference:
    """Infer a weighted mean of shares from the shares, all seeds pooled."""
    found = _strata(form, metric, table)
    if isinstance(found, Undefined):
        return found
    if isinstance(seeds, Undefined):
        return seeds
    above, below = (np.ravel(term) for term in terms_of(form.share, table.reads(metric)))
    k = len(table.seeds)
    every = replace(found, codes=np.tile(found.codes, k), groups=np.tile(found.groups, k))
    return strata.share(above, below, strata=every, seeds=seeds)


def _difference_of_strata(
    form: Strata, metric: Metric, pair: tuple[Table, Table], seeds: Spread | Undefined
) -> Inference:
    """Infer a paired difference of weighted means of shares, all seeds pooled."""
    found = _strata(form, metric, pair[0])
    if isinstance(found, Undefined):
        return found
    if isinstance(seeds, Undefined):
        return seeds
    # Sums over seeds, scaled to one another's number of seeds, stay whole counts.
    (a, b), others = pair, (len(pair[1].seeds), len(pair[0].seeds))
    one, two = (
        tuple(term.sum(axis=0) * k for term in terms_of(form.share, table.reads(metric)))
        for table, k in zip((a, b), others, strict=True)
    )
    return strata.paired((one[0], one[1]), (two[0], two[1]), strata=found, seeds=seeds)


def _strata(form: Strata, metric: Metric, table: Table) -> strata.Strata | Undefined:
    """Return the stratum of each sample; a column of a stratum is the same under every seed."""
    columns = table.reads(metric)
    stands = np.stack([columns[name][0] > 0 for name in form.weights])
    if (stands.sum(axis=0) > 1).any():
        return Undefined("a sample stands in two strata")
    return strata.Strata(
        codes=np.where(stands.any(axis=0), stands.argmax(axis=0), -1),
        groups=table.codes,
        weights=tuple(form.weights.values()),
        scale=form.scale,
    )


def _unions(table: Table, rng: int) -> NDArray[np.intp]:
    """Return the group of each sample as a code; of very many groups, the union that it is in."""
    return unions(table.n_groups, seed=rng)[table.codes]


def _resamples(codes: NDArray[np.intp], form: Statistic, *, records: int, rng: int) -> Resamples:
    n_groups, cells = int(codes.max(initial=-1)) + 1, affordable(form)
    return Resamples(n_groups=n_groups, resamples=resamples_for(records, cells=cells), seed=rng)


def affordable(form: Statistic) -> int:
    """Return how many resamples times records a statistic may cost."""
    return CELLS if form.prepare else CELLS_ONE_BY_ONE


def _prepared(
    form: Statistic, table: Table, columns: Mapping[str, Floats], at: tuple[Codes, int]
) -> Prepared | None:
    """Return what a statistic is in many resamples, worked out once for a system and all its pairs.

    ``at`` is the group of each record, and the seed of the groups' unions.
    """
    if form.prepare is None:
        return None
    groups, rng = at
    # The groups of a table are its own; another table's order of them would be another resample.
    key = form, tuple(columns), rng, sha256(groups.tobytes()).digest()
    if key not in table.prepared:
        made = form.prepare(columns, groups)
        table.prepared[key] = (
            replace(made, of=Remembered(made.of))
            if isinstance(made, luck.Distance)
            else Remembered(made)
        )
    return table.prepared[key]
