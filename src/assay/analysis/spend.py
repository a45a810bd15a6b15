"""What a chain of calls costs and how long it takes, when each question ends at some stage of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.policy import Person
from ..stats.resamples import RESAMPLES, Counts, Resamples, rows_for
from ..store.columns import Floats
from .timed import Timed

Spent: TypeAlias = dict[str, tuple[float, Floats]]
"""By metric: its value, and its draws of shape [resamples]."""


@dataclass(frozen=True, slots=True, eq=False)
class Spend:
    """Per stage: timed questions by block, and what a person costs."""

    usd: tuple[Floats, ...]
    """Dollars of the timed questions of each stage."""

    latency: tuple[Floats, ...]
    block: NDArray[np.intp]
    """Shape [questions]: the time block of each, as a code."""

    drawn: Counts | None
    """Shape [resamples, blocks]: how often each block was drawn; None: a census."""

    person_usd: float
    known: bool

    @classmethod
    def of(cls, timed: Sequence[Timed | None], person: Person | None, rng: int) -> Spend:
        """Gather the stages' timed questions, those of one block beside one another."""
        usd = person.usd if person else 0.0
        if any(t is None for t in timed):
            return _unknown(usd)
        every = [t for t in timed if t is not None]
        common = sorted(set(every[0].blocks).intersection(*(t.blocks for t in every[1:])))
        # The k-th question of a block stands beside the k-th question of the same block.
        rows = [_in_blocks(t, common) for t in every]
        size = min((len(r) for r in rows), default=0)
        if not size:
            return _unknown(usd)
        place = {b: i for i, b in enumerate(common)}
        places = [place[every[0].blocks[i]] for i in rows[0][:size]]
        block = np.asarray(np.unique(places, return_inverse=True)[1], dtype=np.intp)
        drawn = None
        if all(t.generalises for t in every):
            # PCG64 of [rng, 1]: other draws than those of the groups.
            seed = int(np.random.SeedSequence([rng, 1]).generate_state(1, np.uint64)[0])
            drawn = Resamples(n_groups=int(block.max()) + 1, resamples=RESAMPLES, seed=seed).all()
        return cls(
            tuple(np.asarray(t.columns["usd"])[r[:size]] for t, r in zip(every, rows, strict=True)),
            tuple(
                np.asarray(t.columns["latency_s"])[r[:size]]
                for t, r in zip(every, rows, strict=True)
            ),
            block,
            drawn,
            usd,
            known=True,
        )

    def of_policies(self, reached: Sequence[NDArray[np.float64]]) -> list[Spent]:
        """Return dollars and seconds of each policy, from who reaches each stage.

        ``reached`` has an array of shape [resamples + 1, stages] for each; its first row is what was
        seen.
        """
        tails = self.quantiles((0.5, 0.95), reached)
        return [
            {
                "usd_per_1k": self.mean("usd", shares * 1000.0),
                "latency_mean": self.mean("latency", shares),
                "latency_p50": middle,
                "latency_p95": tail,
            }
            for shares, (middle, tail) in zip(reached, tails, strict=True)
        ]

    def mean(self, which: str, shares: NDArray[np.float64]) -> tuple[float, Floats]:
        """Return the mean per question, and its draws; ``shares`` [resamples + 1, stages]."""
        columns = self.usd if which == "usd" else self.latency
        stages = len(columns)
        extra = self.person_usd if which == "usd" else 0.0
        person: Floats = np.zeros(len(shares))
        if shares.shape[1] > stages:
            person = shares[:, stages] * extra
        means = np.array([c.mean() for c in columns])
        value = shares[0, :stages] @ means + person[0]
        drawn = np.tile(means, (len(shares) - 1, 1))
        if self.drawn is not None:
            counts = self.drawn.astype(np.float64)
            sums = np.stack([np.bincount(self.block, weights=c) for c in columns], axis=1)
            drawn = (counts @ sums) / (counts @ np.bincount(self.block))[:, None]
        draws = (shares[1:, :stages] * drawn).sum(axis=1)
        return float(value), draws + person[1:]

    def quantiles(
        self, qs: Sequence[float], shares: Sequence[NDArray[np.float64]]
    ) -> list[list[tuple[float, Floats]]]:
        """Return, for each policy's ``shares``, quantiles of the latency of whoever is asked last.

        Each is a value and its draws.  The latency of a policy is a mixture: a question that ends at
        stage k takes the sum of the first k latencies.  A mixture's quantile is no mixture of
        quantiles.  A person's time is not a machine's: questions that end at the person count with
        the machines' time only.
        """
        stages, size = len(self.latency), len(self.block)
        ends = np.cumsum(np.stack(self.latency), axis=0)
        order = np.argsort(ends, axis=None)
        values = ends.ravel()[order]
        stops = [_stops(each[:, :stages]) for each in shares]
        # How many questions of each block and stage take at most so long: [blocks, values + 1, stages].
        block = self.block if self.drawn is not None else np.zeros(size, dtype=np.intp)
        upto = np.zeros((int(block.max()) + 1, values.size + 1, stages))
        upto[block[order % size], np.arange(1, values.size + 1), order // size] = 1.0
        np.cumsum(upto, axis=1, out=upto)
        seen = upto.sum(axis=0, keepdims=True)
        first = [[float(values[_least(seen, s[:1], q)[0]]) for q in qs] for s in stops]
        found = [[np.empty(len(s) - 1) for _ in qs] for s in stops]
        step = rows_for(upto[0].size)
        for start in range(0, len(stops[0]) - 1, step):
            rows = slice(start, start + step)
            # Counted once for all policies: they differ in who stops where, not in how long it takes.
            counted = seen
            if self.drawn is not None:
                counted = np.tensordot(self.drawn[rows].astype(np.float64), upto, axes=1)
            for stop, draws in zip(stops, found, strict=True):
                for q, mine in zip(qs, draws, strict=True):
                    mine[rows] = values[_least(counted, stop[1:][rows], q)]
        return [list(zip(one, draws, strict=True)) for one, draws in zip(first, found, strict=True)]


def _stops(past: NDArray[np.float64]) -> Floats:
    """Return how many end at each stage, from how many reach it."""
    stops: Floats = past - np.concatenate([past[:, 1:], np.zeros((len(past), 1))], axis=1)
    return stops


def _least(counted: Floats, stops: Floats, q: float) -> NDArray[np.intp]:
    """Return the place of the least value that a share ``q`` of the weight does not exceed.

    ``counted`` has shape [1 or resamples, values + 1, stages], ``stops`` [resamples, stages].
    """
    row = np.arange(len(stops)) if len(counted) > 1 else np.zeros(len(stops), dtype=np.intp)
    low = np.zeros(len(stops), dtype=np.intp)
    high = np.full(len(stops), counted.shape[1] - 1)
    # What differs in the last digits only is a tie.
    wanted = q * (counted[row, high] * stops).sum(axis=1) * (1 - 1e-12)
    while (low < high).any():
        middle = (low + high) // 2
        short = (counted[row, middle] * stops).sum(axis=1) < wanted
        low, high = np.where(short, middle + 1, low), np.where(short, high, middle)
    places: NDArray[np.intp] = np.maximum(high - 1, 0)
    return places


def _unknown(person_usd: float) -> Spend:
    return Spend((), (), np.zeros(0, dtype=np.intp), None, person_usd, known=False)


def _in_blocks(timed: Timed, blocks: Sequence[str]) -> NDArray[np.int64]:
    place = {b: i for i, b in enumerate(blocks)}
    kept = [(place[b], i) for i, b in enumerate(timed.blocks) if b in place]
    return np.array([i for _, i in sorted(kept)], dtype=np.int64)
