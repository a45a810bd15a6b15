"""Analytic rivals on ``science.ik``: the inverse Jacobian, and the damped one, at measured angles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay import Answer, Bottom, Built, Needs, PlanError, Question, Reply, Sample

from ..domains.arm import damped_step, nearness, step_of
from ..domains.drawn import Floats, rounded
from ..domains.ik import NOISE
from ..domains.ik_metrics import LIMIT, SINGULAR

DIGITS = 6
"""Significant digits of steps and confidences: the last bits of a sum depend on the machine."""
FEATURES = 6


def read_arms(inputs: Sequence[object]) -> tuple[Floats, Floats]:
    """Return the measured angles and the wanted moves, each of shape [rows, 2].

    Raises ``PlanError`` A104 unless every input is the six numbers of ``science.ik``.

    >>> angles, wanted = read_arms([[0.0, 1.0, 1.0, 0.0, 0.1, -0.2]])
    >>> angles.round(4).tolist(), wanted.tolist()
    ([[1.5708, 0.0]], [[0.1, -0.2]])
    """
    if not all(isinstance(one, list | tuple) and len(one) == FEATURES for one in inputs):
        raise PlanError(
            "the task does not ask for steps of an arm: its inputs are not six numbers",
            hint="ask it science.ik",
            code="A104",
        )
    rows = np.array(inputs, dtype=np.float64).reshape(-1, FEATURES)
    angles = np.arctan2(rows[:, (1, 3)], rows[:, (0, 2)])
    return angles, rows[:, 4:]


def reply_with(
    questions: Sequence[Question], steps: Floats, confidence: Floats, declines: Sequence[bool]
) -> Iterator[Reply]:
    """Yield a reply for each question: its step, or the decline that proposes it.

    A step that is not finite is none: it is declined, and nothing is proposed.
    """
    said = zip(
        questions,
        rounded(steps, DIGITS).tolist(),
        np.all(np.isfinite(steps), axis=1).tolist(),
        rounded(np.clip(confidence, 0.0, 1.0), DIGITS).tolist(),
        declines,
        strict=True,
    )
    for question, step, finite, sure, declined in said:
        answer = Answer(step, sure, instead=SINGULAR) if finite else None
        if declined or answer is None:
            yield Reply(question.id, Bottom(SINGULAR, answer), attempt=question.attempt)
        else:
            yield Reply(question.id, answer, attempt=question.attempt)


@dataclass(frozen=True, slots=True)
class Damped:
    """Answers with the damped step, everywhere."""

    damping: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer; the confidence grows with the determinant, one half where it is the damping."""
        angles, wanted = read_arms([question.input for question in questions])
        det = nearness(angles)
        steps = damped_step(angles, wanted, self.damping)
        return reply_with(questions, steps, det / (det + self.damping), [False] * len(questions))


@dataclass(frozen=True, slots=True, kw_only=True)
class DampedLeastSquares:
    """The recipe ``science.damped_least_squares``: what the reference's labels were made with.

    >>> DampedLeastSquares().damping
    0.01
    """

    damping: float = 0.01
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Learn nothing.  Raises ``PlanError`` A102 for a damping that is not above zero."""
        if not self.damping > 0:
            raise PlanError(
                f"damping is {self.damping:g}; it is above 0",
                hint="0.01 is usual; science.jacobian_inverse does without",
                code="A102",
            )
        read_arms([sample.input for sample in train])
        return Built(system=Damped(self.damping))


@dataclass(frozen=True, slots=True)
class Inverse:
    """Answers with the undamped step, unless the measured determinant is below the limit."""

    limit: float
    noise: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer or decline; the confidence is the chance that the true determinant is over the
        limit, of angles that are off by the noise and otherwise could be any.
        """  # noqa: D205
        from scipy.special import ndtr

        angles, wanted = read_arms([question.input for question in questions])
        edge = np.arcsin(self.limit)
        # Distance to the singularity that is nearest; the next one is far beyond the noise.
        distance = np.abs(angles[:, 1] - np.pi * np.round(angles[:, 1] / np.pi))
        below = ndtr((edge - distance) / self.noise) - ndtr((-edge - distance) / self.noise)
        declines = (nearness(angles) < self.limit).tolist()
        return reply_with(questions, step_of(angles, wanted), 1.0 - below, declines)


@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianInverse:
    """The recipe ``science.jacobian_inverse``: the formula, believing what is measured.

    It is told the limit and the noise, and has to be told those of the task.

    >>> JacobianInverse().limit
    0.1
    """

    limit: float = LIMIT
    noise: float = NOISE
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Learn nothing.  Raises ``PlanError`` A102 for a limit or a noise that cannot be."""
        if not (0 < self.limit < 1 and self.noise > 0):
            raise PlanError(
                f"limit is {self.limit:g} and noise {self.noise:g}; both are above 0",
                hint="give those of the task",
                code="A102",
            )
        read_arms([sample.input for sample in train])
        return Built(system=Inverse(self.limit, self.noise))
