"""What each system gives up and saves against the best one, and what a right answer must be worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, inf

import numpy as np

from ..core.front import Point, Standing, Tradeoff, Worth
from ..core.metric import Better, Estimate, Metric, Over, Ratio
from ..stats.hull import switches
from ..stats.inference import Inference, Resampled, Undefined
from ..store.columns import Floats
from .case import Case
from .infer import infer, infer_timed, summarise
from .redraws import Redraws, bracketed, redraw
from .timed import Timed

DOLLARS = "usd_per_1k"
SAMPLES = frozenset({Over.SAMPLES})

per_million_tokens = Metric(
    name="usd_per_million_tokens",
    says="dollars for a million tokens, in and out",
    better=Better.LOWER,
    form=Ratio(
        numerator=lambda c: c["usd"] * 1e6,
        denominator=lambda c: c["tokens_in"] + c["tokens_out"],
    ),
    columns=("usd", "tokens_in", "tokens_out"),
    unit="$",
    bounds=(0.0, inf),
    timed=True,
)


def tradeoffs(
    case: Case, points: Sequence[Point], benefit: str, redraws: Redraws
) -> tuple[Tradeoff, ...]:
    """Compare every system on a front with the best one on ``benefit``.

    Every system has a price.  Right answers per dollar have percentile intervals over the same
    resamples for all systems.
    """
    systems = [p.system for p in points]
    sign = 1.0 if case.better(benefit) is Better.HIGHER else -1.0
    scores = {s: sign * (case.estimate(s, benefit).value or 0.0) for s in systems}
    best = max(systems, key=scores.__getitem__)
    draws = _right_per_usd(redraws.draws[benefit], redraws.draws[DOLLARS])
    known = ~np.isnan(draws).any(axis=1)
    # Beside a system that costs nothing, right answers per dollar have no order in any resample.
    compared = len(systems) > 1 and DOLLARS not in redraws.fixed and bool(known.any())
    leads = _leads(draws[known]) if compared else None
    legacy = _value_scores(case, points, benefit)
    return tuple(
        Tradeoff(
            system=s,
            against=best,
            gap=None if s == best else case.compare(s, best, benefit),
            cost_ratio=None if s == best else case.compare(s, best, DOLLARS),
            latency_ratio=None if s == best else case.compare(s, best, "latency_mean"),
            p50=case.estimate(s, "latency_p50"),
            p99=case.estimate(s, "latency_p99"),
            usd_per_million_tokens=_per_token(case, s),
            right_per_usd=_per_usd(case, s, benefit, draws[:, i], DOLLARS in redraws.fixed),
            leads=None if leads is None else float(leads[i]),
            value_score=legacy.get(s),
        )
        for i, s in enumerate(systems)
    )


def worths(case: Case, systems: Sequence[str], benefit: str) -> tuple[Worth, ...]:
    """Return for which value of a right answer each vertex of the hull is the best to ask.

    The free alternative is the best control: what nobody has to pay for.
    """
    per = [case.estimate(s, DOLLARS).value for s in systems]
    right = [case.estimate(s, benefit).value for s in systems]
    if None in per or None in right:
        return ()
    cost, accuracy = np.array(per, dtype=np.float64) / 1000.0, np.array(right, dtype=np.float64)
    known = {
        c: v for c in sorted(case.controls) if (v := case.estimate(c, benefit).value) is not None
    }
    control = [max(known, key=known.__getitem__)] if known else []
    free = max(known.values(), default=0.0)
    found = switches(cost, accuracy, free=free)
    if not found:
        return ()  # nobody does better than the control, which costs nothing: no value pays
    # Drawn in one go: right answers and dollars of a resample come from the same questions.
    drawn = redraw(case, (*systems, *control), [benefit, DOLLARS]).draws
    spent, got = drawn[DOLLARS] / 1000.0, drawn[benefit]
    free_draws = got[:, -1] if control else np.zeros(len(got))
    starts = []
    before: int | None = None
    for index, value in found:
        more = spent[:, index] - (0.0 if before is None else spent[:, before])
        better = got[:, index] - (free_draws if before is None else got[:, before])
        draws = np.full(len(more), inf)
        np.divide(np.maximum(more, 0.0), better, out=draws, where=better > 0)
        base = replace(case.estimate(systems[index], benefit), metric="usd_per_right")
        said = f"percentile bootstrap, {draws.size:,} paired resamples"
        starts.append(bracketed(base, Resampled(value=value, draws=draws, method=said)))
        before = index
    ends = [*starts[1:], None]
    return tuple(
        Worth(system=systems[index], start=start, end=end)
        for (index, _), start, end in zip(found, starts, ends, strict=True)
    )


def _right_per_usd(right: Floats, per_1k: Floats) -> Floats:
    found = np.full(right.shape, np.nan)
    np.divide(right * 1000.0, per_1k, out=found, where=per_1k > 0)
    return found


def _leads(draws: Floats) -> Floats:
    """Return how often each system is at the top; equals share the place."""
    top = draws == draws.max(axis=1, keepdims=True)
    shares: Floats = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _per_usd(case: Case, system: str, benefit: str, draws: Floats, held: bool) -> Estimate:  # noqa: FBT001
    base = case.estimate(system, benefit)
    price = case.estimate(system, DOLLARS).value
    made = replace(base, metric="right_per_usd", value=None, low=None, high=None)
    if not price or base.value is None:
        return replace(made, method="undefined: it costs nothing at these prices")
    value = base.value * 1000.0 / price
    if np.nanmax(draws) == np.nanmin(draws):
        return replace(made, value=value, method="no resample differs from another")
    said = f"percentile bootstrap, {draws.size:,} paired resamples"
    said += ", dollars held as measured" if held else ""
    return bracketed(made, Resampled(value=value, draws=draws, method=said))


def _per_token(case: Case, system: str) -> Estimate:
    table, timed = case.tables[system], case.timed.get(system)
    counted = {"usd", "tokens_in", "tokens_out"}
    inference: Inference = Undefined("tokens were not counted")
    n, groups = 0, 0
    if case.is_paid_by_record(system) and counted <= set(table.extra):
        inference = infer(per_million_tokens, table, over=SAMPLES, rng=case.rng)
        n, groups = len(table.samples), table.n_groups
    elif timed is not None and counted <= set(timed.columns):
        n, groups = len(timed.blocks), len(set(timed.blocks))
        # A question whose tokens are not known counts on neither side of a ratio.
        if not any(np.isnan(timed.columns[name]).any() for name in counted):
            inference = infer_timed(per_million_tokens, timed)
    return summarise(
        per_million_tokens.name,
        inference,
        n=n,
        n_groups=groups,
        n_seeds=1,
        over=SAMPLES,
        origin=case.origins[system],
    )


def _value_scores(case: Case, points: Sequence[Point], benefit: str) -> dict[str, float]:
    """Return the legacy score: (1 - accuracy lost) x (times cheaper) x (times quicker at p99).

    The base is the most accurate system on the front, of equals the last.  Source:
    single-shot-eval, ``value_score``; its p99 is the largest but 1 % of the timings, however few.
    """
    on = [p.system for p in points if p.standing is Standing.ON]
    accuracy = {p.system: case.estimate(p.system, benefit).value or 0.0 for p in points}
    if not on:
        return {}
    base = max(reversed(on), key=accuracy.__getitem__)
    cost = {p.system: case.estimate(p.system, DOLLARS).value or 0.0 for p in points}
    if not all(p.system in case.timed for p in points):
        return {}
    slow = {p.system: _largest_but_one_percent(case.timed[p.system]) for p in points}
    return {
        s: (1.0 - (accuracy[base] - accuracy[s]))
        * (cost[base] / cost[s] if cost[s] else inf)
        * (slow[base] / slow[s] if slow[s] else inf)
        for s in accuracy
    }


def _largest_but_one_percent(timed: Timed) -> float:
    ordered = np.sort(timed.columns["latency_s"])
    return float(ordered[ceil(0.99 * ordered.size) - 1])
