"""Every system on every objective, in the same resamples: what a front's uncertainty rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.metric import Estimate, Metric, Over, Statistic
from ..stats.arrays import Codes, totals
from ..stats.bootstrap import counts, one_by_one
from ..stats.inference import Resampled
from ..stats.resamples import RESAMPLES, Prepared, Resamples, resamples_for, unions
from ..store.columns import Floats
from .case import Case
from .metrics import QUANTILES, accuracy, determinism, usd_per_1k, usd_per_correct
from .statistics import affordable
from .timed import Timed

_PARTS = (usd_per_1k.name, accuracy.name)


@dataclass(frozen=True, slots=True)
class Redraws:
    """Draws of shape [resamples, systems] by metric; NaN where a resample has no value.

    10,000 of them, or fewer where a metric that is no ratio is resampled over very many records.
    """

    systems: tuple[str, ...]
    draws: Mapping[str, Floats]
    fixed: frozenset[str]
    """Metrics held as measured: a census of these time blocks, which nothing else is known of."""


def redraw(case: Case, systems: Sequence[str], metrics: Sequence[str]) -> Redraws:
    """Resample groups, and time blocks, with the same counts for all systems.

    Groups that one system was not asked count for the others only.  Dollars move with the samples
    where the records hold tokens or bills, and with the time blocks where they rest on seconds.
    Timings are resampled where there are enough blocks and processes to speak of another day, and
    held fixed elsewhere.
    """
    rng = np.random.Generator(np.random.PCG64(case.rng))
    wanted = list(dict.fromkeys(metrics))
    # Dollars per right answer are two numbers that resample in ways of their own.
    parts = dict.fromkeys(
        part for m in wanted for part in (_PARTS if m == usd_per_correct.name else (m,))
    )
    columns = [(m, s) for m in parts for s in systems]
    recorded = [(m, s) for m, s in columns if _in_records(case, m, s)]
    timed = [c for c in columns if c not in recorded]
    moving = [
        (m, s)
        for m, s in timed
        if m != determinism.name and s in case.timed and case.timed[s].generalises
    ]
    resamples = _affordable(case, recorded)
    found = _samples(case, recorded, resamples) | _blocks(case, moving, resamples, rng)
    for name, system in timed:
        if (name, system) not in found:
            value = case.estimate(system, name).value
            found[name, system] = np.full(resamples, np.nan if value is None else value)
    draws = {m: np.stack([found[m, s] for s in systems], axis=1) for m in parts}
    if usd_per_correct.name in wanted:
        per_1k, right = (draws[part] for part in _PARTS)
        each = np.full(right.shape, np.nan)
        np.divide(per_1k, 1000.0 * right, out=each, where=right > 0)
        draws[usd_per_correct.name] = each
    fixed = {m for m, s in timed if (m, s) not in moving}
    fixed |= {usd_per_correct.name} & set(wanted) if _PARTS[0] in fixed else set()
    return Redraws(tuple(systems), {m: draws[m] for m in wanted}, frozenset(fixed))


def _affordable(case: Case, columns: Sequence[tuple[str, str]]) -> int:
    """Return how many resamples there are, the same for all."""
    found = [RESAMPLES]
    for name, system in columns:
        form = case.metric(name).form
        if isinstance(form, Statistic):
            found.append(resamples_for(case.tables[system].outcome.size, cells=affordable(form)))
    return min(found)


def _in_records(case: Case, metric: str, system: str) -> bool:
    if metric == usd_per_1k.name:
        return case.is_paid_by_record(system)
    return not case.metric_is_timed(metric)


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
    case: Case, columns: Sequence[tuple[str, str]], resamples: int
) -> dict[tuple[str, str], Floats]:
    """Resample groups of samples: a draw for each metric of each system."""
    if not columns:
        return {}
    place: dict[str, int] = {}
    for system in dict.fromkeys(s for _, s in columns):
        for group in case.tables[system].groups:
            place.setdefault(group, len(place))
    union = unions(len(place), seed=case.rng)
    width = int(union.max()) + 1
    codes = {s: union[[place[g] for g in case.tables[s].groups]] for _, s in columns}
    ratios, terms, others, statistics = [], [], [], []
    for name, system in columns:
        metric = case.metric(name)
        if isinstance(metric.form, Statistic):
            others.append((name, system))
            statistics.append(_statistic(case, system, metric, codes[system]))
            continue
        ratios.append((name, system))
        terms += [
            totals(term.sum(axis=0), codes[system], width)
            for term in case.tables[system].terms(metric)
        ]
    table: Floats = np.stack(terms, axis=1) if terms else np.empty((width, 0))
    drawn = Resamples(n_groups=width, resamples=resamples, seed=case.rng)
    records = max((case.tables[s].outcome.size for _, s in others), default=0)
    sums, values = [], []
    for piece in drawn.pieces(records):
        sums.append(piece.astype(np.float64) @ table)
        values.append([of(piece) for of in statistics])
    shares = _ratio(np.concatenate(sums))
    return {c: shares[:, k] for k, c in enumerate(ratios)} | {
        c: np.concatenate([value[k] for value in values]) for k, c in enumerate(others)
    }


def _statistic(case: Case, system: str, metric: Metric, codes: Codes) -> Prepared:
    """Return a function from counts of groups to the statistic, NaN where it has no value."""
    table = case.tables[system]
    assert isinstance(metric.form, Statistic)
    columns = {name: np.ravel(values) for name, values in table.reads(metric).items()}
    every = np.tile(codes, len(table.seeds))
    if metric.form.prepare:
        return metric.form.prepare(columns, every)
    return one_by_one(metric.form.of, columns, groups=every)


def _ratio(sums: Floats) -> Floats:
    """Return ratios of neighbouring totals, NaN where there is nothing to divide by."""
    above, below = sums[:, ::2], sums[:, 1::2]
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _blocks(
    case: Case, columns: Sequence[tuple[str, str]], resamples: int, rng: np.random.Generator
) -> dict[tuple[str, str], Floats]:
    """Resample time blocks, which hold all systems in turn."""
    if not columns:
        return {}
    names = sorted({block for _, system in columns for block in case.timed[system].blocks})
    drawn = counts(len(names), resamples=resamples, rng=rng).astype(np.float64)
    found = {}
    for name, system in columns:
        timed = case.timed[system]
        if name in QUANTILES:
            found[name, system] = _quantile(timed, QUANTILES[name], names, drawn)
            continue
        terms = [timed.by_block(term, names) for term in timed.terms(case.metric(name))]
        found[name, system] = _ratio(drawn @ np.stack(terms, axis=1))[:, 0]
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
