"""``science.ik``: how must the joints of an arm turn for its tip to move as wanted, if they can?

A planar arm with two links reports its two angles with an error of known size, and its tip is to
make a small move: resolved-rate inverse kinematics.  The step is that of the inverse Jacobian at the
*true* angles, undamped.  Where the arm is nearly straight or folded, so that the determinant of the
Jacobian is below a limit, there is none: the right answer is to decline, ``singular``.  On which
side of the limit an arm is cannot be known for certain from angles that are measured.

Distances to the singularity are drawn from all its decades, on all of its four sides, in every split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np

from assay import Answer, Check, Crash, PlanError, Reply, Sample, Task

from .arm import nearness, step_of, tip_error
from .drawn import Drawn, Floats, Sizes, generator, rounded, samples_of
from .ik_metrics import EDGES, LIMIT, SINGULAR, STRATA, ik_metrics
from .metrics import DECLINE

ANGLES = ("first", "second")
"""What the true angles are called beside a right step."""
NOISE = 0.03
"""Standard deviation of a measured angle, radians: 1.7 degrees, of a cheap encoder and a joint with play."""
TOLERANCE = 0.2
"""Share of the wanted move by which the tip may miss."""
CAP = 10.0
"""Lengths of the wanted move that a miss counts at most: a mean is of all rows, not of the wildest."""
CAP_SQUARED = 100.0
"""Squared radians that an error of the joints counts at most; right steps reach five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """How poses and moves are drawn; lengths are in links, angles in radians."""

    noise: float = NOISE
    limit: float = LIMIT
    near: float = 0.5
    """Share of the poses whose distance to the singularity is drawn by its logarithm."""

    closest: float = 2e-3
    """The smallest distance that is drawn by its logarithm; the largest is a right angle."""

    move: float = 0.1
    """Length of the wanted move.  Steps are proportional to it, so that other lengths ask nothing new."""

    moves: int = 2
    """Moves that are wanted at each pose."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn; ``PlanError`` A102."""
        if not 0.0 < self.noise <= 0.1:
            raise PlanError(
                f"noise is {self.noise:g}; it is above 0 and at most 0.1 radians",
                hint="0.03 is usual",
                code="A102",
            )
        if not self.closest < self.limit <= 0.2:
            raise PlanError(
                f"limit is {self.limit:g}; it is above {self.closest:g} and at most 0.2",
                hint="0.1 is usual",
                code="A102",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Poses:
    """Arms as they stand, what they say of it, and the moves that are wanted."""

    angles: Floats
    """True, shape [poses, 2]."""

    measured: Floats
    """Once for each pose, shape [poses, 2]."""

    wanted: Floats
    """Shape [poses, moves, 2]."""


def draw_poses(arms: Arms, n: int, rng: np.random.Generator) -> Poses:
    """Draw poses.  The first angle is uniform; the second is either uniform or at a distance to 0 or
    pi whose logarithm is uniform, on either side.  Moves have one length and any direction.

    >>> poses = draw_poses(Arms(), 3, np.random.default_rng(1))
    >>> poses.measured.shape, poses.wanted.shape
    ((3, 2), (3, 2, 2))
    """  # noqa: D205  (one sentence is not enough)
    anywhere = rng.uniform(-np.pi, np.pi, (n, 2))
    near = rng.random(n) < arms.near
    distance = (np.pi / 2) * (arms.closest / (np.pi / 2)) ** rng.random(n)
    side = rng.choice([-1.0, 1.0], n)
    folded = rng.integers(0, 2, n)
    second = np.where(near, folded * np.pi + side * distance, anywhere[:, 1])
    angles = np.stack([anywhere[:, 0], second], axis=1)
    towards = rng.uniform(-np.pi, np.pi, (n, arms.moves))
    return Poses(
        angles=angles,
        measured=angles + rng.normal(0.0, arms.noise, (n, 2)),
        wanted=arms.move * np.stack([np.cos(towards), np.sin(towards)], axis=2),
    )


def draw(arms: Arms, n: int, rng: np.random.Generator) -> Drawn:
    """Draw poses as rows: sine and cosine of both measured angles, and the move; the step is asked."""
    return rows_of(arms, draw_poses(arms, n, rng))


def rows_of(arms: Arms, poses: Poses) -> Drawn:
    """Return the rows of poses: a pose is a group, and has as many rows as moves."""
    moves = poses.wanted.shape[1]
    angles, measured = (np.repeat(a, moves, axis=0) for a in (poses.angles, poses.measured))
    wanted = poses.wanted.reshape(-1, 2)
    det = nearness(angles)
    singular = det < arms.limit
    return Drawn(
        x=np.stack(
            [
                *(f(measured[:, joint]) for joint in (0, 1) for f in (np.cos, np.sin)),
                wanted[:, 0],
                wanted[:, 1],
            ],
            axis=1,
        ),
        y=np.where(singular[:, None], 0.0, step_of(angles, wanted)),
        reasons=[SINGULAR if there_is_none else "" for there_is_none in singular],
        groups=[f"{i // moves:06}" for i in range(len(wanted))],
        tags=list(_tags(arms, angles, det)),
    )


def _tags(arms: Arms, angles: Floats, det: Floats) -> Iterator[frozenset[str]]:
    strata = np.searchsorted(arms.limit * np.array(EDGES), det, side="right")
    close = np.abs(det - arms.limit) < 2 * arms.noise
    singular, straight = det < arms.limit, np.cos(angles[:, 1]) > 0
    for i, stratum in enumerate(strata):
        found = {STRATA[stratum], "straight" if straight[i] else "folded"}
        if singular[i]:
            found.add(SINGULAR)
        if close[i]:
            found.add("near_limit")
        yield frozenset(found)


def with_angles(samples: Sequence[Sample], poses: Poses) -> list[Sample]:
    """Return the samples of poses with the true angles beside each right step."""
    angles = rounded(np.repeat(poses.angles, poses.wanted.shape[1], axis=0), 12).tolist()
    return [
        replace(s, target=replace(s.target, scores=dict(zip(ANGLES, true, strict=True))))
        if isinstance(s.target, Answer)
        else s
        for s, true in zip(samples, angles, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class TipWithin:
    """Right where the tip, of the arm as it truly stands, misses by at most a share of its move.

    The true angles stand beside the right step, which no system sees of a question.  A step that is
    far from the right one may be right, too: what counts is where the tip goes.
    """

    tolerance: float

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Check each step that was said.

        The scores are ``tip_error`` in lengths of the move, ``squared_error`` of the joints, and the
        share of ``signs`` that are right.
        """
        known = [_known(sample) for sample, _ in batch]
        steps = [
            _pair(reply.said.value) if isinstance(reply.said, Answer) else None
            for _, reply in batch
        ]
        rows = [i for i, known_ in enumerate(known) if known_ and steps[i]]
        made = np.array([steps[i] for i in rows], dtype=np.float64).reshape(-1, 2)
        true = np.array([known[i] for i in rows], dtype=np.float64).reshape(-1, 3, 2)
        checks = dict(zip(rows, self._checks(made, true), strict=True))
        for i, (sample, _) in enumerate(batch):
            if known[i] is None:
                yield Crash("no_target", f"sample {sample.id!r} has no pose to move")
            else:
                yield checks.get(i, Check(passed=False))

    def _checks(self, made: Floats, true: Floats) -> Iterator[Check]:
        angles, right, wanted = true[:, 0], true[:, 1], true[:, 2]
        with np.errstate(over="ignore", invalid="ignore"):
            missed = tip_error(angles, made, wanted)
            squared = ((made - right) ** 2).sum(axis=1)
        missed = np.where(np.isnan(missed), np.inf, missed)
        signs = (np.sign(made) == np.sign(right)).mean(axis=1)
        for miss, square, sign in zip(
            missed.tolist(), squared.tolist(), signs.tolist(), strict=True
        ):
            yield Check(
                passed=miss <= self.tolerance,
                scores={
                    "tip_error": min(miss, CAP),
                    "squared_error": min(square, CAP_SQUARED),
                    "signs": sign,
                },
            )


Pair: TypeAlias = tuple[float, float]


def _known(sample: Sample) -> tuple[Pair, Pair, Pair] | None:
    """Return the true angles, the right step and the wanted move of a sample."""
    target, seen = sample.target, sample.input
    if not isinstance(target, Answer) or not isinstance(seen, list | tuple):
        return None
    angles = _pair([target.scores.get(name) for name in ANGLES])
    right, wanted = _pair(target.value), _pair(seen[4:])
    return (angles, right, wanted) if angles and right and wanted else None


def _pair(value: object) -> Pair | None:
    match value:
        case [bool(), _] | [_, bool()]:
            return None
        case [int() | float() as first, int() | float() as second]:
            return float(first), float(second)
        case _:
            return None


def ik(  # noqa: PLR0913  (each is an option of a plan)
    *,
    seed: int = 7,
    train: int = 10_000,
    tune: int = 1_000,
    calibration: int = 2_000,
    test: int = 2_000,
    noise: float = NOISE,
    limit: float = LIMIT,
    tolerance: float = TOLERANCE,
    decline_cost: float = DECLINE,
) -> Task:
    """Return the task: poses of each split with two moves each, drawn from ``seed`` and its name.

    Raises ``PlanError`` A102 for a noise, limit or tolerance that makes no task.

    >>> task = ik(train=40, tune=10, calibration=10, test=10)
    >>> len(task.samples("train")), len(task.samples("test")[0].input)
    (80, 6)
    """
    check_tolerance(tolerance)
    arms = Arms(noise=noise, limit=limit)
    sizes = Sizes(train=train, tune=tune, calibration=calibration, test=test)

    @cache
    def samples(split: str) -> Sequence[Sample]:
        poses = draw_poses(arms, sizes.of(split), generator(seed, split))
        return with_angles(samples_of(rows_of(arms, poses), split), poses)

    return Task(
        name="science.ik",
        version="1",
        says="How must an arm's joints turn for its tip to move as wanted, if they can?",
        samples=samples,
        verifier=TipWithin(tolerance),
        metrics=ik_metrics(limit, decline_cost),
        license="CC0-1.0",
    )


def check_tolerance(tolerance: float) -> None:
    """Raise ``PlanError`` A102 unless a tolerance is a share of the move.

    >>> check_tolerance(0.2)
    """
    if not 0.0 < tolerance < 1.0:
        raise PlanError(
            f"tolerance is {tolerance:g}; it is a share of the move, between 0 and 1",
            hint="0.2 is usual; at 1 an arm that stands still is right",
            code="A102",
        )
