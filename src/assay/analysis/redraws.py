"""Every system on every objective, in the same resamples: what a front's uncertainty rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.metric import Estimate, Metric, Over, Statistic
from ..stats.arrays import totals
from ..stats.bootstrap import counts
from ..stats.inference import Resampled
from ..store.columns import Floats
from .case import Case
from .metrics import QUANTILES, determinism
from .table import Timed

RESAMPLES = 2000
_ROWS = 200
"""Resamples held at a time: bounds the memory, whatever the number of groups."""


@dataclass(frozen=True, slots=True)
class Redraws:
    """Draws of shape [resamples, systems] by metric; NaN where a resample has no value."""

    systems: tuple[str, ...]
    draws: Mapping[str, Floats]
    fixed: frozenset[str]
    """Metrics held as measured: a census of these time blocks, which nothing else is known of."""


def redraw(case: Case, systems: Sequence[str], metrics: Sequence[str]) -> Redraws:
    """Resample groups, and time blocks, with the same counts for all systems.

    Groups that one system was not asked count for the others only.  Timings are resampled where
    there are enough blocks and processes to speak of another day, and held fixed elsewhere.
    """
    rng = np.random.Generator(np.random.PCG64(case.rng))
    wanted = list(dict.fromkeys(metrics))
    found = _samples(case, systems, [m for m in wanted if not case.metric_is_timed(m)], rng)
    timed = [m for m in wanted if case.metric_is_timed(m)]
    passes = [case.timed[s] for s in systems] if timed else []
    moving = [m for m in timed if m != determinism.name and all(p.generalises for p in passes)]
    found |= _blocks(case, passes, moving, rng)
    for name in timed:
        if name not in moving:
            values = [case.estimate(s, name).value for s in systems]
            row = np.array([np.nan if v is None else v for v in values])
            found[name] = np.broadcast_to(row, (RESAMPLES, len(systems)))
    fixed = frozenset(timed) - frozenset(moving)
    return Redraws(tuple(systems), {m: found[m] for m in wanted}, fixed)


def bracketed(base: Estimate, inference: Resampled) -> Estimate:
    """Return an estimate with the value, the interval and the method of resamples."""
    ends = inference.interval()
    return replace(
        base,
        value=inference.value,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        over=frozenset({Over.SAMPLES}),
        method=inference.method,
    )


def _samples(
    case: Case, systems: Sequence[str], metrics: Sequence[str], rng: np.random.Generator
) -> dict[str, Floats]:
    if not metrics:
        return {}
    place: dict[str, int] = {}
    for system in systems:
        for group in case.tables[system].groups:
            place.setdefault(group, len(place))
    codes = {s: np.array([place[g] for g in case.tables[s].groups]) for s in systems}
    forms = [case.metrics[m] for m in metrics]
    columns: list[Floats] = []
    for metric in forms:
        if isinstance(metric.form, Statistic):
            continue
        for system in systems:
            columns += [
                totals(term.sum(axis=0), codes[system], len(place))
                for term in case.tables[system].terms(metric)
            ]
    terms: Floats = np.stack(columns, axis=1) if columns else np.empty((len(place), 0))
    statistics = [
        _statistic(case, system, metric, codes[system])
        for metric in forms
        if isinstance(metric.form, Statistic)
        for system in systems
    ]
    sums, values = _resample(terms, statistics, rng)
    found = {}
    width = len(systems)
    for metric in forms:
        if isinstance(metric.form, Statistic):
            found[metric.name], values = values[:, :width], values[:, width:]
        else:
            found[metric.name], sums = _ratio(sums[:, : 2 * width]), sums[:, 2 * width :]
    return found


def _statistic(
    case: Case, system: str, metric: Metric, codes: np.ndarray
) -> Callable[[np.ndarray], float]:
    """Return a function from counts of groups to the statistic, NaN where it has no value."""
    table = case.tables[system]
    assert isinstance(metric.form, Statistic)
    of = metric.form.of
    columns = {name: np.ravel(values) for name, values in table.reads(metric).items()}
    every = np.tile(codes, len(table.seeds))

    def value(drawn: np.ndarray) -> float:
        found = of(columns, drawn[every].astype(np.float64))
        return np.nan if found is None else found

    return value


def _resample(
    terms: Floats, statistics: Sequence[Callable[[np.ndarray], float]], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the totals of every resample, and the statistics."""
    groups = len(terms)
    alike, share = terms, None
    if not statistics:
        alike, share = _alike(terms)
    sums, values = [], []
    for start in range(0, RESAMPLES, _ROWS):
        rows = min(_ROWS, RESAMPLES - start)
        drawn: np.ndarray = (
            counts(groups, resamples=rows, rng=rng)
            if share is None
            else rng.multinomial(groups, share, size=rows)
        )
        sums.append(drawn.astype(np.float64) @ alike)
        values += [[of(row) for of in statistics] for row in drawn]
    return np.concatenate(sums), np.array(values).reshape(RESAMPLES, len(statistics))


def _alike(terms: Floats) -> tuple[Floats, Floats | None]:
    """Join groups with the same totals where that makes many groups few: the law is the same."""
    if len(terms) < 1000:
        return terms, None
    # One number for each row is quick to sort; that no two kinds share one is then checked.
    key = terms @ np.sqrt(np.arange(terms.shape[1]) + 2.0)
    _, first, kind, tally = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    if len(first) * 10 > len(terms) or not np.array_equal(terms[first][kind], terms):
        return terms, None
    shares: Floats = tally / len(terms)
    kinds: Floats = terms[first]
    return kinds, shares


def _ratio(sums: Floats) -> Floats:
    """Return ratios of neighbouring totals, NaN where there is nothing to divide by."""
    above, below = sums[:, ::2], sums[:, 1::2]
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _blocks(
    case: Case, passes: Sequence[Timed], metrics: Sequence[str], rng: np.random.Generator
) -> dict[str, Floats]:
    """Resample time blocks, which hold all systems in turn."""
    if not metrics:
        return {}
    names = sorted({block for timed in passes for block in timed.blocks})
    drawn = counts(len(names), resamples=RESAMPLES, rng=rng).astype(np.float64)
    found = {}
    for name in metrics:
        if name in QUANTILES:
            each = [_quantile(timed, QUANTILES[name], names, drawn) for timed in passes]
            found[name] = np.stack(each, axis=1)
            continue
        terms = [
            timed.by_block(term, names)
            for timed in passes
            for term in timed.terms(case.metric(name))
        ]
        found[name] = _ratio(drawn @ np.stack(terms, axis=1))
    return found


def _quantile(timed: Timed, q: float, names: Sequence[str], drawn: Floats) -> Floats:
    """Return the sample quantile of every resample of blocks."""
    place = {block: i for i, block in enumerate(names)}
    latency = timed.columns["latency_s"]
    order = np.argsort(latency, kind="stable")
    codes = np.array([place[block] for block in timed.blocks])[order]
    ordered = latency[order]
    found = np.full(len(drawn), np.nan)
    for row, weights in enumerate(drawn):
        drawn_here = np.repeat(ordered, weights[codes].astype(np.int64))
        if drawn_here.size:
            # Sorted already: the two neighbours are interpolated as numpy does by default.
            at = q * (drawn_here.size - 1)
            below = int(at)
            above = min(below + 1, drawn_here.size - 1)
            found[row] = drawn_here[below] + (at - below) * (drawn_here[above] - drawn_here[below])
    return found
