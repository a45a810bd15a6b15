"""``science.rf_oracle``: the best that anybody can answer who knows how resonators are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri

from assay import Bottom, Built, Needs, Question, Reply, Sample

from ..domains.drawn import Floats
from ..domains.resonance import LIMIT, Complexes, denominator
from ..domains.rf import POLE, SHARP, TOLERANCE, Filters, read_sheets
from .resonator import TINY, answers_of

COARSE, FINE = (32, 24), (96, 64)
"""Nodes of w0 and of d: to look for the best answer, and to say how probable it is."""
REACH = 7.0
TOGETHER = 16
"""Questions whose nodes are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Where D may lie, given what is seen: nodes with probabilities."""

    below: Complexes
    """Shape [rows, d, w0]."""

    weight: Floats
    """Shape [rows, d]: every node of w0 is as probable as the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best answer to each question."""

    below: Complexes
    """Its D, shape [rows]."""

    right: Floats
    """Probability that there is a value and the answer is right."""

    pole: Floats
    """Probability that there is none."""


def posterior(
    filters: Filters, seen: tuple[Floats, Floats, Floats], nodes: tuple[int, int]
) -> Posterior:
    """Return the posterior of D of some rows, by quadrature over the true w0 and d.

    Both are independent given the data sheet, and the sweep says nothing more (it is laid around
    what was measured).  log10 w0 is normal, cut where no resonance lies: nodes are the middles of
    parts of equal probability.  d is zero with some probability; else its logarithm has a flat
    prior, and nodes are the middles of equal parts of what the measurement leaves.
    """
    log_w, seen_w0, seen_d = seen
    across, along = nodes
    sd = max(filters.frequency_noise, TINY)
    low, high = (float(np.log10(limit)) for limit in filters.resonance)
    first, last = ndtr((low - seen_w0) / sd), ndtr((high - seen_w0) / sd)
    share = first[:, None] + (last - first)[:, None] * ((np.arange(across) + 0.5) / across)
    log_w0 = np.clip(seen_w0[:, None] + sd * ndtri(share), low, high)
    damping, weight = _dampings(filters, seen_d, along)
    below = denominator(log_w[:, None, None], log_w0[:, None, :], damping[:, :, None])
    return Posterior(below=below, weight=weight)


def _dampings(filters: Filters, seen_d: Floats, nodes: int) -> tuple[Floats, Floats]:
    """Return nodes of the damping and their probabilities, shape [rows, 1 + nodes]; the first is 0."""
    sd = max(filters.damping_noise, TINY)
    least, most = 1.0 / filters.quality[1], 1.0 / filters.quality[0]
    bottom = np.log(np.clip(seen_d - REACH * sd, least, most * (1.0 - 1e-9)))
    top = np.log(np.clip(seen_d + REACH * sd, least * (1.0 + 1e-9), most))
    step = (np.maximum(top, bottom) - bottom) / nodes
    damping = np.exp(bottom[:, None] + step[:, None] * (np.arange(nodes) + 0.5))
    prior = (1.0 - filters.lossless) / np.log(most / least)
    damping = np.concatenate([np.zeros((len(seen_d), 1)), damping], axis=1)
    with np.errstate(divide="ignore"):
        odds = np.log(
            np.concatenate(
                [
                    np.full_like(step, filters.lossless)[:, None],
                    np.tile(prior * step[:, None], nodes),
                ],
                axis=1,
            )
        )
    odds -= 0.5 * ((seen_d[:, None] - damping) / sd) ** 2
    weight = np.exp(odds - odds.max(axis=1, keepdims=True))
    return damping, weight / weight.sum(axis=1, keepdims=True)


def mass(given: Posterior, inside: Floats) -> Floats:
    """Return the probability of a region, from how far each node lies inside of it (negative: out).

    Between two nodes of w0 the border is where a line through both would cross it.
    """
    slope = np.abs(np.gradient(inside, axis=-1))
    # The share of a node's own part that lies inside.
    share = np.clip(0.5 + inside / np.maximum(slope, TINY), 0.0, 1.0)
    found: Floats = (share.mean(axis=-1) * given.weight).sum(axis=-1)
    return found


def best(filters: Filters, seen: tuple[Floats, Floats, Floats]) -> Found:
    """Return the answer that is right most probably, for each row, whatever the others are."""
    coarse = posterior(filters, seen, COARSE)
    fine = posterior(filters, seen, FINE)
    chosen = _search(coarse)
    size = np.abs(fine.below)
    around = TOLERANCE * np.abs(chosen)[:, None, None] - np.abs(fine.below - chosen[:, None, None])
    return Found(
        below=chosen,
        right=mass(fine, np.minimum(around, size - LIMIT)),
        pole=mass(fine, LIMIT - size),
    )


def _search(given: Posterior) -> Complexes:
    """Return the centre of the circle that holds most: first on a lattice, then step by step.

    An answer is right where the true D lies in a circle of a quarter of the answer's |D| around it.
    """
    weight = given.weight[:, :, None] / given.below.shape[2]
    chosen: Complexes = (given.below * weight).sum(axis=(1, 2))
    off = given.below - chosen[:, None, None]
    width = np.sqrt((weight * off.real**2).sum(axis=(1, 2)))
    height = np.sqrt((weight * off.imag**2).sum(axis=(1, 2)))
    # Where the mean is right in any case there is nothing to look for.
    (hard,) = np.nonzero(_held(given, chosen[:, None])[:, 0] < 1.0 - 1e-9)
    some = Posterior(below=given.below[hard], weight=given.weight[hard])
    for offsets, step in ((_LATTICE, 0.5), *((_AROUND, 0.5 ** (2 + i)) for i in range(5))):
        real = chosen.real[hard, None] + offsets.real * step * width[hard, None]
        imag = chosen.imag[hard, None] + offsets.imag * step * height[hard, None]
        # Nothing passive has a negative damping.
        tried: Complexes = real + 1j * np.maximum(imag, 0.0)
        at = _held(some, tried).argmax(axis=1)
        chosen[hard] = tried[np.arange(len(hard)), at]
    return chosen


_LATTICE = np.array([complex(a, b) for a in range(-6, 7) for b in range(-4, 6)])
_AROUND = np.array([0j, *(complex(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b)])


def _held(given: Posterior, tried: Complexes) -> Floats:
    """Return how much of each row lies in the circles of answers ``tried``, shape [rows, tried]."""
    real, imag = given.below.real[:, None], given.below.imag[:, None]
    weight = np.where(np.abs(given.below) >= LIMIT, given.weight[:, :, None], 0.0)[:, None]
    off = (real - tried.real[:, :, None, None]) ** 2 + (imag - tried.imag[:, :, None, None]) ** 2
    inside = off <= (TOLERANCE**2 * (tried.real**2 + tried.imag**2))[:, :, None, None]
    found: Floats = (inside * weight).sum(axis=(2, 3)) / given.below.shape[2]
    return found


@dataclass(frozen=True, slots=True)
class Oracle:
    """Answers what is right most probably; declines where *no value* is more probable than that."""

    filters: Filters

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer each question; the confidence is the probability that there is a value and it is right."""
        log_w, log_w0, damping = read_sheets([q.input for q in questions])
        for start in range(0, len(questions), TOGETHER):
            part = slice(start, start + TOGETHER)
            found = best(self.filters, (log_w[part], log_w0[part], damping[part]))
            answers = answers_of(found.below, found.right)
            declines = (found.pole > found.right).tolist()
            for question, answer, no in zip(questions[part], answers, declines, strict=True):
                said = Bottom(POLE, answer) if no or answer is None else answer
                yield Reply(question.id, said, attempt=question.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class RfOracle:
    """The recipe of ``science.rf_oracle``: the exact Bayes answer under the generator's own priors.

    The priors are those of calibration and test.  It maximises accuracy, and nothing else: not the
    squared error, not the peaks kept.
    """

    lossless: float = 0.15
    frequency_noise: float = 0.001
    damping_noise: float = 0.003
    seeded: bool = False
    needs: Needs = Needs()

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for what no task can have."""
        _ = self.filters

    @property
    def filters(self) -> Filters:
        """How the resonators of calibration and test are drawn."""
        return Filters(
            quality=SHARP,
            lossless=self.lossless,
            frequency_noise=self.frequency_noise,
            damping_noise=self.damping_noise,
        )

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the oracle; it learns from no sample.

        Raises ``PlanError`` A104 on a task that asks for something else.
        """
        read_sheets([sample.input for sample in train])
        return Built(system=Oracle(self.filters))
