"""What a chain of calls costs and how long it takes, when each question ends at some stage of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.policy import Person
from ..stats import bootstrap
from ..store.columns import Floats
from .table import Timed

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Spend:
    """Per stage: timed questions by block, and what a person costs."""

    usd: tuple[Floats, ...]
    """Dollars of the timed questions of each stage."""

    latency: tuple[Floats, ...]
    weights: NDArray[np.float64] | None
    """Shape [resamples, questions]: how often each question's block was drawn; None: a census."""

    person_usd: float
    known: bool

    @classmethod
    def of(cls, timed: Sequence[Timed | None], person: Person | None, rng: int) -> Spend:
        """Gather the stages' timed questions, those of one block beside one another."""
        usd = person.usd if person else 0.0
        if any(t is None for t in timed):
            return cls((), (), None, usd, known=False)
        every = [t for t in timed if t is not None]
        common = sorted(set(every[0].blocks).intersection(*(t.blocks for t in every[1:])))
        # The k-th question of a block stands beside the k-th question of the same block.
        rows = [_in_blocks(t, common) for t in every]
        size = min((len(r) for r in rows), default=0)
        if not size:
            return cls((), (), None, usd, known=False)
        weights = None
        if all(t.generalises for t in every):
            place = {b: i for i, b in enumerate(common)}
            block = np.array([place[every[0].blocks[i]] for i in rows[0][:size]])
            generator = np.random.Generator(np.random.PCG64([rng, 1]))
            drawn = bootstrap.counts(len(common), resamples=RESAMPLES, rng=generator)
            weights = drawn[:, block].astype(np.float64)
        return cls(
            tuple(np.asarray(t.columns["usd"])[r[:size]] for t, r in zip(every, rows, strict=True)),
            tuple(
                np.asarray(t.columns["latency_s"])[r[:size]]
                for t, r in zip(every, rows, strict=True)
            ),
            weights,
            usd,
            known=True,
        )

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
        if self.weights is not None:
            total = self.weights.sum(axis=1)
            drawn = np.stack([self.weights @ c / total for c in columns], axis=1)
        draws = (shares[1:, :stages] * drawn).sum(axis=1)
        return float(value), draws + person[1:]

    def quantile(self, q: float, shares: NDArray[np.float64]) -> tuple[float, Floats]:
        """Return a quantile of the latency of whoever is asked last, and its draws.

        The latency of a policy is a mixture: a question that ends at stage k takes the sum of the
        first k latencies.  A mixture's quantile is no mixture of quantiles.  A person's time is
        not a machine's: questions that end at the person count with the machines' time only.
        """
        stages = len(self.latency)
        ends = np.cumsum(np.stack(self.latency), axis=0)
        order = np.argsort(ends, axis=None)
        values = ends.ravel()[order]
        past = shares[:, :stages]
        stops = past - np.concatenate([past[:, 1:], np.zeros((len(past), 1))], axis=1)
        size = ends.shape[1]
        ones = np.ones(size) / size

        def at(stop: NDArray[np.float64], weight: NDArray[np.float64]) -> Floats:
            mass = (stop[:, :, None] * weight[:, None, :]).reshape(len(stop), -1)[:, order]
            mass = np.cumsum(mass, axis=1)
            before = (mass < q * mass[:, -1:]).sum(axis=1)
            found: Floats = values[np.minimum(before, values.size - 1)]
            return found

        weights = np.tile(ones, (len(stops) - 1, 1))
        if self.weights is not None:
            weights = self.weights / self.weights.sum(axis=1, keepdims=True)
        return float(at(stops[:1], ones[None, :])[0]), at(stops[1:], weights)


def _in_blocks(timed: Timed, blocks: Sequence[str]) -> NDArray[np.int64]:
    place = {b: i for i, b in enumerate(blocks)}
    kept = [(place[b], i) for i, b in enumerate(timed.blocks) if b in place]
    return np.array([i for _, i in sorted(kept)], dtype=np.int64)
