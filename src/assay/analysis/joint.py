"""One metric of several systems in the same resamples, smoothed, beside what chance would reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..core.metric import Columns, Metric, Ratio, Statistic, Strata
from ..stats.arrays import Codes, totals
from ..stats.bootstrap import one_by_one
from ..stats.resamples import Counts, Prepared, Resamples, effective, unions
from ..store.columns import Floats
from .table import Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joint:
    """A metric of systems that were asked the same samples."""

    metric: Metric
    systems: tuple[str, ...]
    values: Floats
    """Shape [systems]; NaN where a system has no value."""

    draws: Floats
    """Shape [resamples, systems]; NaN where a resample has no value."""

    smoothed: Floats
    """The same resamples with two groups more, on the upper bound and on the lower: see ``jointly``."""

    chance: float | None
    """What the metric comes to for one who knows nothing, None where nobody can say."""

    chances: Floats
    """The same in each resample, shape [resamples]; NaN without ``chance``."""

    n: int
    n_groups: int
    df: float
    """Groups of one size, less one."""


def jointly(
    metric: Metric,
    tables: Mapping[str, Table],
    *,
    chances: Floats,
    resamples: int,
    seed: int,
) -> Joint:
    """Resample groups of samples with the same counts for all systems; seeds are pooled.

    ``tables`` hold the same samples in one order; ``chances``, shape [samples], what each comes to by chance,
    NaN where nobody can say.  Where a metric has two bounds, ``smoothed`` draws from two groups more, one that lies
    on the upper bound and one on the lower: without them, five right of five would be certain.  They are the same
    for all systems.

    Source: percentile bootstrap, Efron 1979; two groups more as of a uniform prior, which for a share is close to
    Beta(1 + right, 1 + wrong).

    Not to be trusted when there are fewer than about 10 groups.
    """
    first = next(iter(tables.values()))
    union = unions(first.n_groups, seed=seed)[first.codes]
    width = int(union.max(initial=-1)) + 1
    sizes = np.bincount(unions(first.n_groups, seed=seed), minlength=width).astype(np.float64)
    low, high = metric.bounds
    bounded = isfinite(low) and isfinite(high)
    known = not np.isnan(chances).any() and _has_every_stratum(metric, first)
    guesses = totals(chances if known else np.zeros(chances.shape), union, width)
    asked = totals(np.ones(chances.shape), union, width)
    fixed = np.stack([sizes, guesses, asked], axis=1)
    of = [_prepared(metric, table, union, width) for table in tables.values()]
    records = max(t.outcome.size for t in tables.values())
    drawn = Resamples(n_groups=width + 2 if bounded else width, resamples=resamples, seed=seed)
    values, smoothed, expected = [], [], []
    for piece in drawn.pieces(records):
        real, extra = piece[:, :width], piece[:, width:].astype(np.float64)
        groups, guessed, count = (real.astype(np.float64) @ fixed).T
        each = np.stack([one(real) for one in of], axis=1)
        values.append(each)
        if bounded:
            # A resample of nothing but the two groups has no value of its own, and needs none.
            seen = np.where(groups[:, None] > 0, each * groups[:, None], 0.0)
            more = extra[:, 0] * high + extra[:, 1] * low
            each = (seen + more[:, None]) / (groups + extra.sum(axis=1))[:, None]
        smoothed.append(each)
        whole = guesses.sum() / asked.sum()
        expected.append(np.divide(guessed, count, out=np.full(len(real), whole), where=count > 0))
    return Joint(
        metric=metric,
        systems=tuple(tables),
        values=np.array([_value(metric, table) for table in tables.values()]),
        draws=np.concatenate(values),
        smoothed=np.concatenate(smoothed),
        chance=float(chances.mean()) if known else None,
        chances=np.concatenate(expected) if known else np.full(resamples, np.nan),
        n=len(first.samples),
        n_groups=first.n_groups,
        df=max(effective(first.codes) - 1, 1.0),
    )


def _has_every_stratum(metric: Metric, table: Table) -> bool:
    """Whether a mean over strata is over all of them: a stratum that was not asked is left out of it.

    What it comes to by chance is then another number: whoever refuses everything is half right of harmful
    and safe prompts, and wholly of harmful ones.
    """
    if isinstance(metric.form, Ratio) or metric.form.strata is None:
        return True
    columns = table.reads(metric)
    return all(columns[name].any() for name in metric.form.strata.weights)


def _value(metric: Metric, table: Table) -> float:
    """Return the metric on the records as they are, NaN where it is undefined."""
    if isinstance(metric.form, Ratio):
        above, below = (float(term.sum()) for term in table.terms(metric))
        return above / below if below else np.nan
    columns = {name: np.ravel(values) for name, values in table.reads(metric).items()}
    found = metric.form.of(columns, np.ones(table.outcome.size))
    return np.nan if found is None else found


def _prepared(metric: Metric, table: Table, union: Codes, width: int) -> Prepared:
    """Return a function from counts of groups to the metric, NaN where it has no value."""
    if isinstance(metric.form, Statistic):
        columns = {name: np.ravel(values) for name, values in table.reads(metric).items()}
        every = np.tile(union, len(table.seeds))
        if metric.form.prepare:
            return metric.form.prepare(columns, every)
        if metric.form.strata:
            return _weighted(metric.form.strata, columns, every, width)
        return one_by_one(metric.form.of, columns, groups=every)
    terms = np.stack(
        [totals(term.sum(axis=0), union, width) for term in table.terms(metric)], axis=1
    )

    def ratio(drawn: Counts) -> Floats:
        above, below = (drawn.astype(np.float64) @ terms).T
        found = np.full(above.shape, np.nan)
        np.divide(above, below, out=found, where=below > 0)
        return found

    return ratio


def _weighted(strata: Strata, columns: Columns, union: Codes, width: int) -> Prepared:
    """Return ``strata.mean`` of many resamples at once."""
    above, below = strata.share.numerator(columns) * 1.0, strata.share.denominator(columns) * 1.0
    gone = np.isnan(above) | np.isnan(below)
    above, below = np.where(gone, 0.0, above), np.where(gone, 0.0, below)
    parts = []
    for name, weight in strata.weights.items():
        here = columns[name]
        if here.any():
            terms = [totals(here * term, union, width) for term in (above, below)]
            asked = float(terms[1].sum())
            whole = float(terms[0].sum()) / asked if asked else np.nan
            parts.append((weight, np.stack(terms, axis=1), whole))
    worth = sum(weight for weight, _, _ in parts)

    def mean(drawn: Counts) -> Floats:
        found = np.zeros(len(drawn)) if worth else np.full(len(drawn), np.nan)
        for weight, terms, whole in parts:
            hits, asked = (drawn.astype(np.float64) @ terms).T
            share = np.full(len(drawn), whole)
            np.divide(hits, asked, out=share, where=asked > 0)
            found += strata.scale * weight / worth * share
        return found

    return mean
