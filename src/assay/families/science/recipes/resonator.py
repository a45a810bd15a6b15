"""``science.resonator``: the formula, with what the data sheet says put into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from assay import Answer, Bottom, Built, Needs, PlanError, Question, Reply, Sample

from ..domains.drawn import Floats, rounded
from ..domains.resonance import LIMIT, Complexes, denominator
from ..domains.rf import POLE, TOLERANCE, read_sheets

NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)
REACH = 6.0
"""Standard deviations beyond which nothing is added up."""
TINY = 1e-12
"""Instead of no deviation at all, by which nothing can be divided."""


@dataclass(frozen=True, slots=True)
class Formula:
    """Answers 1/D of the measured parameters; declines where the measured D is below a limit."""

    limit: float
    frequency_noise: float
    damping_noise: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer each question by the formula; the confidence is that of its noise model."""
        log_w, log_w0, measured = read_sheets([q.input for q in questions])
        # No passive resonator has a negative damping, whatever somebody measured.
        damping = np.maximum(measured, 0.0)
        below = denominator(log_w, log_w0, damping)
        ratio = 10.0 ** (log_w - log_w0)
        sure = right_by_noise(
            below,
            np.maximum(2.0 * np.log(10.0) * self.frequency_noise * ratio**2, TINY),
            np.maximum(self.damping_noise * ratio, TINY),
        )
        answers = answers_of(below, sure)
        for question, size, answer in zip(questions, np.abs(below), answers, strict=True):
            said = answer if answer and size >= self.limit else Bottom(POLE, answer)
            yield Reply(question.id, said, attempt=question.attempt)


def answers_of(below: Complexes, sure: Floats) -> list[Answer | None]:
    """Return 1/D with a confidence; None where D is zero, because there is nothing to propose."""
    there = below != 0
    response = 1.0 / np.where(there, below, 1.0)
    values = rounded(np.column_stack([response.real, response.imag]) + 0.0, 6).tolist()
    sureness = rounded(np.clip(sure, 0.0, 1.0), 6).tolist()
    return [
        Answer(value, confidence, instead=POLE) if exists else None
        for value, confidence, exists in zip(values, sureness, there.tolist(), strict=True)
    ]


def right_by_noise(below: Complexes, sd_real: Floats, sd_imaginary: Floats) -> Floats:
    """Return how probable it is that there is a value and 1/D is right, shape [rows].

    The true D is taken to be normal around the measured one, real and imaginary part on their own,
    with these deviations: what the errors of w0 and d come to, to first order.  1/D is right where
    the true D lies in a circle around the measured one (|H' - H| <= t |H| means |D - D'| <= t |D'|),
    and there is a value where it lies outside of the circle of the limit around zero.
    The imaginary part is integrated exactly, the real part by 96 nodes of Gauss and Legendre.

    *Not to be trusted when* most resonators have no damping: it knows no prior.

    >>> far, near = np.array([1.0 + 0.1j]), np.array([0.011 + 0j])
    >>> sd = np.array([0.004])
    >>> right_by_noise(far, sd, sd).round(3).tolist(), right_by_noise(near, sd, sd).item() < 0.5
    ([1.0], True)
    """
    radius = TOLERANCE * np.abs(below)
    half = np.minimum(radius, REACH * sd_real)
    real = below.real[:, None] + half[:, None] * NODES
    chord = np.sqrt(np.maximum(radius[:, None] ** 2 - (real - below.real[:, None]) ** 2, 0.0))
    inner = np.sqrt(np.maximum(LIMIT**2 - real**2, 0.0))
    low, high = below.imag[:, None] - chord, below.imag[:, None] + chord

    def mass(left: Floats, right: Floats) -> Floats:
        centre, sd = below.imag[:, None], sd_imaginary[:, None]
        found: Floats = ndtr((right - centre) / sd) - ndtr((left - centre) / sd)
        return found

    overlap = mass(
        np.maximum(low, -inner), np.maximum(np.minimum(high, inner), np.maximum(low, -inner))
    )
    density = np.exp(-0.5 * ((real - below.real[:, None]) / sd_real[:, None]) ** 2)
    share = (mass(low, high) - overlap) * density * WEIGHTS
    found: Floats = share.sum(axis=1) * half / (sd_real * np.sqrt(2.0 * np.pi))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Resonator:
    """The recipe of ``science.resonator``; nothing is learned."""

    limit: float = LIMIT
    """Measured |D| below which it declines."""

    frequency_noise: float = 0.001
    """Of the data sheet's log10 w0, decades: for the confidence only."""

    damping_noise: float = 0.003
    seeded: bool = False
    needs: Needs = Needs()

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for a number below 0."""
        if min(self.limit, self.frequency_noise, self.damping_noise) < 0.0:
            raise PlanError(
                f"limit is {self.limit:g}, frequency_noise {self.frequency_noise:g} and "
                f"damping_noise {self.damping_noise:g}",
                hint="none of them is below 0",
                code="A102",
            )

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the formula.

        Raises ``PlanError`` A104 on a task that asks for something else.
        """
        read_sheets([sample.input for sample in train])
        return Built(system=Formula(self.limit, self.frequency_noise, self.damping_noise))
