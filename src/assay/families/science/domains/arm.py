"""A planar arm with two links of length one: how its tip moves when its joints turn.

Angles are in radians, shape [rows, 2]: of the first link to the base, of the second to the first.
Steps of joints and moves of the tip have the same shape.  Where ``sin`` of the second angle is zero
the arm is straight or folded, its tip can move along one line only, and no step makes any other
move: the determinant of the Jacobian is exactly that sine.
"""

from __future__ import annotations

import numpy as np

from .drawn import Floats


def jacobian(angles: Floats) -> Floats:
    """Return the derivatives of the tip's place by the joints, shape [rows, 2, 2].

    >>> jacobian(np.array([[0.0, np.pi / 2]])).round(6).tolist()
    [[[-1.0, -1.0], [1.0, 0.0]]]
    """
    first, both = angles[:, 0], angles.sum(axis=1)
    made: Floats = np.stack(
        [
            np.stack([-np.sin(first) - np.sin(both), -np.sin(both)], axis=1),
            np.stack([np.cos(first) + np.cos(both), np.cos(both)], axis=1),
        ],
        axis=1,
    )
    return made


def nearness(angles: Floats) -> Floats:
    """Return the size of the determinant of the Jacobian, shape [rows]: zero where it is singular.

    >>> nearness(np.array([[1.0, 0.0], [1.0, -np.pi / 2]])).tolist()
    [0.0, 1.0]
    """
    made: Floats = np.abs(np.sin(angles[:, 1]))
    return made


def moved(angles: Floats, step: Floats) -> Floats:
    """Return how the tip moves, to first order, when the joints make a step.

    >>> moved(np.array([[0.0, np.pi / 2]]), np.array([[0.1, 0.0]])).round(6).tolist()
    [[-0.1, 0.1]]
    """
    by = jacobian(angles)
    made: Floats = by[:, :, 0] * step[:, :1] + by[:, :, 1] * step[:, 1:]
    return made


def step_of(angles: Floats, wanted: Floats) -> Floats:
    """Return the step of the joints that moves the tip as wanted: the inverse Jacobian.

    Not finite where the arm is singular.

    >>> pose, move = np.array([[0.3, 1.0]]), np.array([[0.1, -0.05]])
    >>> bool(np.allclose(moved(pose, step_of(pose, move)), move))
    True
    """
    by = jacobian(angles)
    with np.errstate(divide="ignore", invalid="ignore"):
        made: Floats = (
            np.stack(
                [
                    by[:, 1, 1] * wanted[:, 0] - by[:, 0, 1] * wanted[:, 1],
                    by[:, 0, 0] * wanted[:, 1] - by[:, 1, 0] * wanted[:, 0],
                ],
                axis=1,
            )
            / np.sin(angles[:, 1])[:, None]
        )
    return made


def damped_step(angles: Floats, wanted: Floats, damping: float) -> Floats:
    """Return the step that trades what the tip misses for how far the joints turn.

    It is the least of ``|J step - wanted|^2 + damping^2 |step|^2``, and finite everywhere.

    Source: Nakamura and Hanafusa, Inverse kinematic solutions with singularity robustness for
    robot manipulator control, J. Dyn. Sys., Meas., Control 108 (1986).

    >>> straight, outwards = np.array([[0.0, 0.0]]), np.array([[0.1, 0.0]])
    >>> damped_step(straight, outwards, 0.1).tolist()
    [[0.0, 0.0]]
    """
    by = jacobian(angles)
    left, right = by[:, :, 0], by[:, :, 1]
    a = (left**2).sum(axis=1) + damping**2
    b = (left * right).sum(axis=1)
    c = (right**2).sum(axis=1) + damping**2
    first, second = (left * wanted).sum(axis=1), (right * wanted).sum(axis=1)
    made: Floats = (
        np.stack([c * first - b * second, a * second - b * first], axis=1)
        / (a * c - b * b)[:, None]
    )
    return made + 0.0  # no minus zero


def tip_error(angles: Floats, step: Floats, wanted: Floats) -> Floats:
    """Return by how much the tip misses, in lengths of the wanted move, shape [rows].

    One for an arm that stands still.  Not finite where no move is wanted and one is made.

    >>> tip_error(np.array([[0.3, 1.0]]), np.zeros((1, 2)), np.array([[0.1, 0.0]])).tolist()
    [1.0]
    """
    missed = np.linalg.norm(moved(angles, step) - wanted, axis=1)
    length = np.linalg.norm(wanted, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        made: Floats = np.where(missed > 0, missed / length, 0.0)
    return made
