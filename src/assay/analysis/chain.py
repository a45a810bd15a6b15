"""Several systems' records in one order: who answers which question, and who was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..core.errors import PlanError
from ..core.policy import Declines, Policy
from ..stats import bootstrap
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
        table, seeds=seeds, outcome=table.outcome[rows], confidence=table.confidence[rows], extra={}
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
    asked: Sequence[Floats], seen: Floats, table: Table, drawn: bootstrap.Counts
) -> NDArray[np.float64]:
    """Return who reaches each stage: the share, then the share in every resample of groups."""
    codes, count = table.codes, table.n_groups
    below = np.bincount(codes, weights=seen.sum(axis=0), minlength=count)
    above = [np.bincount(codes, weights=(a * seen).sum(axis=0), minlength=count) for a in asked]
    value = np.array([[a.sum() / below.sum() for a in above]])
    draws = np.stack([bootstrap.ratio_draws(a, below, drawn) for a in above], axis=1)
    return np.concatenate([value, np.nan_to_num(draws)])
