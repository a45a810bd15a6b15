"""Several systems' records in one order: who answers which question, and who was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..core.errors import PlanError
from ..core.policy import Declines, Policy
from ..stats.resamples import Resamples, unions
from ..store.columns import CODE, Floats
from .table import Table

DECLINED = tuple(CODE[name] for name in ("withheld", "declined"))
ANSWERED = tuple(CODE[name] for name in ("correct", "wrong", "invented", "scored"))
RIGHT = tuple(CODE[name] for name in ("correct", "declined"))


@dataclass(frozen=True, slots=True)
class Chain:
    """The stages' tables in order, on common samples and with the same seeds."""

    tables: tuple[Table, ...]

    def terms(self, policy: Policy) -> tuple[Floats, Floats, tuple[Floats, ...]]:
        """Return right answers, observed questions, and who was still asked at each stage.

        Shapes [seeds, samples].  A person's answers count as the share that is right.
        """
        first = self.tables[0]
        waiting = np.ones(first.outcome.shape)
        right, seen = np.zeros_like(waiting), np.ones_like(waiting)
        asked = []
        for place, (table, stage) in enumerate(zip(self.tables, policy.stages, strict=True)):
            asked.append(waiting.copy())
            cut = table
            if stage.at_least is not None:
                # A system that no seed changes has one threshold, whatever the seed.
                (only, *_) = stage.at_least.values()
                cut = table.above({s: stage.at_least.get(s, only) for s in table.seeds})
            outcome = cut.outcome
            last = place == len(self.tables) - 1 and policy.person is None
            stands = np.isin(outcome, ANSWERED) | last
            if policy.declines is Declines.STAND:
                stands |= np.isin(table.outcome, DECLINED)
            crashed = outcome == CODE["crashed"]
            seen[(waiting > 0) & crashed] = 0.0
            done = (waiting > 0) & (stands | crashed)
            right[done & np.isin(outcome, RIGHT)] = 1.0
            waiting = np.where(done, 0.0, waiting)
        if policy.person is not None:
            asked.append(waiting)
            right += waiting * policy.person.right
        return right * seen, seen, tuple(asked)


def chain_of(tables: Sequence[Table], seeds: tuple[int, ...]) -> Chain:
    """Join tables on their common samples, one row per seed.  Raises ``PlanError`` A104 for none."""
    common = set(tables[0].samples).intersection(*(t.samples for t in tables[1:]))
    samples = [s for s in tables[0].samples if s in common]
    if not samples:
        raise PlanError(
            "the systems of a cascade have no question in common",
            hint="give them the same limit",
            code="A104",
        )
    return Chain(tuple(_repeated(t.only(samples), seeds) for t in tables))


def _repeated(table: Table, seeds: tuple[int, ...]) -> Table:
    """Return a table with one row per seed; a system that no seed changes says the same again."""
    if table.seeds == seeds:
        return table
    rows = [0] * len(seeds)
    return replace(
        table,
        seeds=seeds,
        outcome=table.outcome[rows],
        confidence=table.confidence[rows],
        extra={},
        reasons={},
    )


def common_seeds(tables: Sequence[Table]) -> tuple[int, ...]:
    """Return the seeds that all tables have, or have one of.  Raises ``PlanError`` A104."""
    several = {t.seeds for t in tables if len(t.seeds) > 1}
    if len(several) > 1:
        raise PlanError(
            "the systems of a cascade ran with different seeds",
            hint="one run asks all of them with the plan's seeds",
            code="A104",
        )
    return next(iter(several), tables[0].seeds)


def reach(
    chain: Chain, policies: Sequence[Policy], *, resamples: int, rng: int
) -> list[NDArray[np.float64]]:
    """Return, for each policy, who reaches each stage: the share, then that in every resample.

    Arrays of shape [resamples + 1, stages].  All policies see the same resamples of groups, which
    are drawn piece by piece; very many groups are joined at random first (``resamples.unions``).
    """
    first = chain.tables[0]
    joined = unions(first.n_groups, seed=rng)
    codes, count = joined[first.codes], int(joined.max(initial=-1)) + 1

    def totals(values: Floats) -> Floats:
        return np.bincount(codes, weights=values.sum(axis=0), minlength=count).astype(np.float64)

    columns, starts = [], [0]
    for policy in policies:
        # Only totals by group are kept: the records of all policies would be a hundred times that.
        _, seen, asked = chain.terms(policy)
        columns += [totals(seen), *(totals(a * seen) for a in asked)]
        starts.append(len(columns))
    terms = np.stack(columns, axis=1)
    drawn = Resamples(n_groups=count, resamples=resamples, seed=rng)
    sums = [terms.sum(axis=0)[None, :]]
    sums += [piece.astype(np.float64) @ terms for piece in drawn.pieces(terms.shape[1])]
    every = np.concatenate(sums)
    found = []
    for start, stop in pairwise(starts):
        below, above = every[:, start : start + 1], every[:, start + 1 : stop]
        found.append(np.divide(above, below, out=np.zeros_like(above), where=below > 0))
    return found
