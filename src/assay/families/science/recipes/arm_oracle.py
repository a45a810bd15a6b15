"""The ceiling on ``science.ik``: the reply that is most probably right, by integration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay import Built, Needs, Question, Reply, Sample

from ..domains.drawn import Floats
from ..domains.ik import NOISE, TOLERANCE, Arms, check_tolerance
from ..domains.ik_metrics import LIMIT
from .arm import read_arms, reply_with
from .arm_posterior import Posterior, posterior

TRIED = np.linspace(-4.0, 4.0, 17)
"""Second angles that a step is made for, in standard deviations from the measured one."""
ROUNDS = 14
"""Times that the best of them is looked around, each time by 0.7 as far."""
GAIN = 1e-4
"""A step for another angle than the measured one has to be right so much more often: else the tip
would be moved worse on average, for nothing."""
SETTLED = 1.0 - 1e-6
TINY = 1e-9
"""Sine of an arm that was measured to be exactly straight: its step is not right, but finite."""
ROWS = 2048
"""Questions that are integrated at once: what is held at a time does not grow with the split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps of joints; see ``Posterior.chance`` for how they are seen."""

    turn: Floats
    both: Floats


def step_for(move: Floats, second: Floats, slack: Floats) -> Steps:
    """Return the step that is right for an arm with this second angle, shapes [rows, 2] and [rows].

    With a ``slack`` the step is shorter, and right for more angles: where the wanted place is at a
    distance r from the middle of the circle on which the tip's moves lie, the widest arc is within the
    slack of it when the radius is the length of the tangent, ``sqrt(r^2 - slack^2)``.  Where it is
    within the slack of the one line along which any arm can move, the second link need not turn.

    >>> step = step_for(np.array([[0.6, 0.8]]), np.array([0.1]), np.array([0.0]))
    >>> aside, out = -step.both * np.sin(0.1), step.turn + step.both * np.cos(0.1)
    >>> aside.round(6).tolist(), out.round(6).tolist()
    ([0.6], [0.8])
    """
    sine = np.sin(second)
    reach = -move[:, 0] / np.where(np.abs(sine) < TINY, TINY, sine)
    both = np.sign(reach) * np.sqrt(np.maximum(reach**2 - slack**2, 0.0))
    turn = move[:, 1] - reach * np.cos(second)
    idle = (np.abs(move[:, 0]) <= slack) & (slack > 0)
    return Steps(turn=np.where(idle, move[:, 1], turn), both=np.where(idle, 0.0, both))


@dataclass(frozen=True, slots=True)
class Search:
    """Where the step with the greatest chance is sought, for each of some rows."""

    at: Posterior
    move: Floats
    tolerance: float

    def better(self, held: Found, offset: Floats, slack: Floats) -> Found:
        """Return what was found so far, or the step for another angle and slack where it is better."""
        made = step_for(self.move, self.at.measured + offset, slack)
        chance = self.at.chance(made.turn, made.both, self.move, self.tolerance)
        gained = chance > held.chance + 1e-9
        return Found(
            offset=np.where(gained, offset, held.offset),
            slack=np.where(gained, slack, held.slack),
            chance=np.where(gained, chance, held.chance),
        )

    def best(self) -> Found:
        """Return the best of steps for angles around the measured one, looked around once more."""
        none = np.zeros(len(self.move))
        found = self.better(Found(offset=none, slack=none, chance=none - 1.0), none, none)
        for tried in TRIED * self.at.arms.noise:
            found = self.better(found, none + tried, none + self.tolerance)
        wide, deep = self.at.arms.noise / 4, self.tolerance / 4
        for _ in range(ROUNDS):
            for aside, more in ((wide, 0.0), (-wide, 0.0), (0.0, deep), (0.0, -deep)):
                slack = np.clip(found.slack + more, 0.0, self.tolerance)
                found = self.better(found, found.offset + aside, slack)
            wide, deep = wide * 0.7, deep * 0.7
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The angle, from the measured one, and the slack of a step, and its chance; shape [rows]."""

    offset: Floats
    slack: Floats
    chance: Floats


def most_probable(at: Posterior, move: Floats, tolerance: float) -> tuple[Steps, Floats]:
    """Return the step that is right with the greatest chance, and that chance, shape [rows]."""
    none = np.zeros(len(move))
    plain = step_for(move, at.measured, none)
    chance = at.chance(plain.turn, plain.both, move, tolerance)
    unsure = chance < SETTLED
    offset, slack = none.copy(), none.copy()
    found = Search(at.only(unsure), move[unsure], tolerance).best()
    gained = found.chance > chance[unsure] + GAIN
    offset[unsure] = np.where(gained, found.offset, 0.0)
    slack[unsure] = np.where(gained, found.slack, 0.0)
    chance[unsure] = np.where(gained, found.chance, chance[unsure])
    return step_for(move, at.measured + offset, slack), chance


@dataclass(frozen=True, slots=True)
class Knowing:
    """Knows how arms were drawn, and replies what is most probably right."""

    arms: Arms
    tolerance: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Answer, or decline where that is right more probably."""
        for first in range(0, len(questions), ROWS):
            yield from self._answer(questions[first : first + ROWS])

    def _answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        angles, wanted = read_arms([question.input for question in questions])
        steps, chance, singular = self.weigh(angles, wanted)
        return reply_with(questions, steps, chance, (singular > chance).tolist())

    def weigh(self, angles: Floats, wanted: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the best steps, the chance that each is right, and that there is none to give.

        Shapes [rows, 2], [rows] and [rows].
        """
        length = np.linalg.norm(wanted, axis=1)
        unit = wanted / np.where(length > 0, length, 1.0)[:, None]
        cos, sin = np.cos(angles[:, 0]), np.sin(angles[:, 0])
        move = np.stack(
            [cos * unit[:, 0] + sin * unit[:, 1], cos * unit[:, 1] - sin * unit[:, 0]], axis=1
        )
        at = posterior(self.arms, angles[:, 1])
        best, chance = most_probable(at, move, self.tolerance)
        steps = np.stack([best.turn, best.both - best.turn], axis=1) * length[:, None]
        return steps, chance, at.singular


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOracle:
    """The recipe ``science.ik_oracle``: no system can be right more often, but by luck.

    It is told the limit, the noise and the tolerance, and has to be told those of the task.

    >>> ArmOracle().tolerance
    0.2
    """

    limit: float = LIMIT
    noise: float = NOISE
    tolerance: float = TOLERANCE
    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Learn nothing.  Raises ``PlanError`` A102 for numbers that make no task."""
        arms = Arms(noise=self.noise, limit=self.limit)
        check_tolerance(self.tolerance)
        read_arms([sample.input for sample in train])
        return Built(system=Knowing(arms, self.tolerance))
