"""``science.ik-classic``: the inverse kinematics benchmark of zeroproofml 0.6.1, a planar arm of two links.

Its generator, inputs, labels, division of rows and, as options, sizes.  Drawn with NumPy: the same
distribution, other rows.  What is wrong with it stands in the task's caveats; ``science.ik`` is the
mended one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assay import OUTCOME_METRICS, Metric, Sample, Task

from ..drawn import Drawn, Floats, Sizes, generator, lazily, rounded
from .vectors import ABSOLUTE, SQUARED, WithinShare, mean_over

EDGES = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, np.inf)
"""Of the strata of |det J|: the first is closed on both sides, the others are open below."""
STRATA = tuple(f"det_b{i}" for i in range(len(EDGES) - 1))
NEAR, FOLDED = "near_pole", "folded"
SHARE = 0.1
"""Joint steps are right within a tenth of their length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicArm:
    """How the published rows are drawn.  Links have length 1, angles are radians."""

    near: float = 0.3
    """Share of rows near a singular pose: the second joint straight or folded."""

    width: float = 1e-3
    """Standard deviation of the second angle around 0 or pi; twice its sine is kept clear elsewhere."""

    step: float = 0.1
    """Standard deviation of each coordinate of the step asked of the hand."""

    damping: float = 0.01


def jacobian(first: Floats, second: Floats) -> Floats:
    """Return how the hand moves with the joints, shape [poses, 2 coordinates, 2 joints]."""
    elbow = np.stack([-np.sin(first), np.cos(first)], axis=-1)
    hand = np.stack([-np.sin(first + second), np.cos(first + second)], axis=-1)
    made: Floats = np.stack([elbow + hand, hand], axis=-1)
    return made


def damped_steps(poses: Floats, steps: Floats, damping: float) -> Floats:
    """Return J' (J J' + damping^2 I)^-1 d, shape [poses, 2]: the steps of the joints.

    At a singular pose they stay finite.

    >>> damped_steps(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), 0.01).tolist()
    [[0.0, 0.0]]
    """
    j = jacobian(poses[:, 0], poses[:, 1])
    square = j @ j.transpose(0, 2, 1) + damping**2 * np.eye(2)
    made: Floats = np.einsum("nij,ni->nj", j, np.linalg.solve(square, steps[..., None])[..., 0])
    return made


def draw(arm: ClassicArm, n: int, rng: np.random.Generator) -> Drawn:
    """Draw rows; inputs are both angles and the step of the hand, near poses first, as published."""
    near = int(n * arm.near)
    second = np.concatenate([_near(arm, near, rng), _elsewhere(arm, n - near, rng)])
    first = rng.uniform(-np.pi, np.pi, n)
    x = rounded(np.column_stack([first, second, rng.normal(0.0, arm.step, (n, 2))]))
    det = np.abs(np.sin(second))
    strata = np.searchsorted(EDGES[1:-1], det, side="left")
    tags = [{STRATA[at]} for at in strata]
    for place in range(near):
        tags[place] |= {NEAR, FOLDED} if second[place] == np.pi else {NEAR}
    return Drawn(
        x=x,
        y=damped_steps(x[:, :2], x[:, 2:], arm.damping),
        reasons=[""] * n,
        groups=[f"{i:06}" for i in range(n)],
        tags=[frozenset(found) for found in tags],
    )


def _near(arm: ClassicArm, n: int, rng: np.random.Generator) -> Floats:
    """Return second angles near 0 or pi, one of each exactly.  Joints end at pi: half are cut to it."""
    around = np.where(rng.random(n) < 0.5, 0.0, np.pi)
    angles = around + rng.normal(0.0, arm.width, n)
    if n > 1:
        angles[:2] = 0.0, np.pi
    return np.minimum(angles, np.pi)


def _elsewhere(arm: ClassicArm, n: int, rng: np.random.Generator) -> Floats:
    """Return second angles that are uniform where their sine is large enough."""
    angles = rng.uniform(-np.pi, np.pi, n)
    while (close := np.abs(np.sin(angles)) < 2 * arm.width).any():
        angles[close] = rng.uniform(-np.pi, np.pi, close.sum())
    return angles


def divided(pool: Drawn, train: int, test: int) -> tuple[Drawn, Drawn]:
    """Divide rows as published: of each stratum the first go to train and the rest to test, in order."""
    first: list[int] = []
    last: list[int] = []
    for stratum in STRATA:
        rows = [i for i, tags in enumerate(pool.tags) if stratum in tags]
        cut = round(train / (train + test) * len(rows))
        first += rows[:cut]
        last += rows[cut:]
    return _rows(pool, first), _rows(pool, last)


def _rows(pool: Drawn, rows: Sequence[int]) -> Drawn:
    return Drawn(
        x=pool.x[rows],
        y=pool.y[rows],
        reasons=[pool.reasons[i] for i in rows],
        groups=[pool.groups[i] for i in rows],
        tags=[pool.tags[i] for i in rows],
    )


def classic_ik(
    *,
    seed: int = 1,
    train: int = 8_000,
    tune: int = 1_000,
    calibration: int = 1_000,
    test: int = 2_000,
) -> Task:
    """Return the task: one pool divided into train and test, and pools of their own for the others.

    Published sizes are 160,000 for train and 40,000 for test; there are no others.  The sizes of train
    and test are kept to a few rows: each stratum is rounded.

    >>> task = classic_ik(train=80, tune=10, calibration=10, test=20)
    >>> len(task.samples("tune")[0].input), len(task.samples("tune")[0].target.value)
    (4, 2)
    """
    arm = ClassicArm()
    sizes = Sizes(train=train, tune=tune, calibration=calibration, test=test)

    def drawn(split: str) -> Drawn:
        if split not in ("train", "test"):
            return draw(arm, sizes.of(split), generator(seed, split))
        pool = draw(arm, train + test, generator(seed, "train"))
        return divided(pool, train, test)[split == "test"]

    samples = lazily(drawn)
    return Task(
        name="science.ik-classic",
        version="1",
        says="By how much do two joints turn for a step of the hand (zeroproofml 0.6.1)?",
        samples=samples,
        verifier=WithinShare(SHARE),
        metrics=classic_ik_metrics(),
        license="CC0-1.0",
        caveats=lambda: caveats(samples),
    )


def caveats(samples: Callable[[str], Sequence[Sample]]) -> tuple[str, ...]:
    """Say what numbers on this task are to be read with; the counts are those of test."""
    asked = samples("test")
    near, folded = (sum(tag in sample.tags for sample in asked) for tag in (NEAR, FOLDED))
    edge = [NEAR in sample.tags for sample in asked if STRATA[3] in sample.tags]
    return (
        (
            "nothing is singular: every label is damped (0.01) and so finite, all samples have a value, and "
            "whoever declines is wrong; damped least squares on the inputs has no error"
        ),
        (
            f"poses near a singularity are those of train: the second angle is 0 or pi give or take 0.001 in both, "
            f"in {near:,} of {len(asked):,} test rows; in {folded:,} it is pi to the last digit"
        ),
        (
            f"train and test are divided in the order of drawing: where |det J| is 0.001 to 0.01, train has poses "
            f"near a singularity first, and {len(edge) - sum(edge):,} of {len(edge):,} test rows are none"
        ),
    )


def classic_ik_metrics() -> tuple[Metric, ...]:
    """Return what is measured; the first is the headline."""
    strata = (
        mean_over(
            f"near_pole_mse_b{i}", SQUARED, says=f"the same where |det J| is {of}", tag=STRATA[i]
        )
        for i, of in enumerate(
            ("at most 1e-5", "1e-5 to 1e-4", "1e-4 to 0.001", "0.001 to 0.01", "above 0.01")
        )
    )
    return (
        mean_over("mse", SQUARED, says="mean squared error of the values given"),
        mean_over("mae", ABSOLUTE, says="mean absolute error of the values given"),
        *strata,
        *OUTCOME_METRICS,
    )
