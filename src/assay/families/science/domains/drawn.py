"""Rows that a generator drew, and the samples that they become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, Sample

Floats = NDArray[np.float64]

SPLITS = ("train", "tune", "calibration", "test")
DIGITS = 7
"""Significant digits of what a sample holds: more than any measurement has, few enough to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Rows of one split, before they are samples."""

    x: Floats
    """What is seen, shape [rows, features]."""

    y: Floats
    """The value, shape [rows, outputs]; not read where there is a reason."""

    reasons: Sequence[str]
    """Why there is no value, one per row; empty where there is one."""

    groups: Sequence[str]
    """What a row is not independent of."""

    tags: Sequence[frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Groups of each split.

    >>> Sizes(train=9, tune=1, calibration=2, test=3).of("calibration")
    2
    """

    train: int
    tune: int
    calibration: int
    test: int

    def of(self, split: str) -> int:
        """Return how many groups a split has."""
        return {
            "train": self.train,
            "tune": self.tune,
            "calibration": self.calibration,
            "test": self.test,
        }[split]


def generator(seed: int, split: str) -> np.random.Generator:
    """Return the generator of one split: splits share no number, whatever their sizes.

    >>> float(generator(7, "train").random()) == float(generator(7, "tune").random())
    False
    """
    return np.random.Generator(np.random.PCG64([seed, SPLITS.index(split)]))


def samples_of(drawn: Drawn, split: str) -> list[Sample]:
    """Return rows as samples: ``input`` a list of numbers, the target a number, or several, or none.

    Numbers have seven significant digits.

    >>> rows = Drawn(
    ...     x=np.array([[1.0, 2.0]]), y=np.array([[0.5]]), reasons=[""], groups=["a"],
    ...     tags=[frozenset()],
    ... )
    >>> [sample] = samples_of(rows, "test")
    >>> sample.id, sample.input, sample.target.value
    ('test/000000', [1.0, 2.0], 0.5)
    """
    x, y = rounded(drawn.x).tolist(), rounded(drawn.y).tolist()
    single = drawn.y.shape[1] == 1
    return [
        Sample(
            id=f"{split}/{i:06}",
            input=x[i],
            target=Bottom(reason) if reason else Answer(y[i][0] if single else y[i]),
            group=f"{split}/{group}",
            tags=tags,
        )
        for i, (reason, group, tags) in enumerate(
            zip(drawn.reasons, drawn.groups, drawn.tags, strict=True)
        )
    ]


def rounded(values: Floats, digits: int = DIGITS) -> Floats:
    """Return numbers with so many significant digits.

    >>> rounded(np.array([123456.789, -0.00012345678912])).tolist()
    [123456.8, -0.0001234568]
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    found, sure = (
        _together(flat, digits) if flat.size > FEW and digits <= 15 else (flat.copy(), None)
    )
    for i in range(flat.size) if sure is None else np.flatnonzero(~sure):
        found[i] = float(f"{flat[i]:.{digits - 1}e}")
    return found.reshape(np.shape(values))


def _together(flat: Floats, digits: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return rounded numbers, and of which it is sure that they are what writing them out would give.

    Powers of ten up to 22 and whole numbers of 15 digits are exact, so that one product or quotient is
    rounded as reading the digits is.  Not sure: next to a half, where the product's own error decides.
    """
    size = np.abs(flat)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = digits - 1 - np.floor(np.log10(size))
        near = np.abs(power) <= 22
        up, down = (
            POWERS[np.where(near, np.maximum(p, 0), 0).astype(np.intp)] for p in (power, -power)
        )
        scaled = flat * up / down
        whole = np.rint(scaled)
        apart = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5)
        length = np.abs(scaled)
        sure = near & (length >= 10.0 ** (digits - 1)) & (length < 10.0**digits)
        sure &= apart > 2.0**-50 * 10.0**digits
        return np.where(sure, whole * down / up, flat), sure | (size == 0.0) | ~np.isfinite(flat)


POWERS = np.array([float(f"1e{k}") for k in range(23)])
"""Those that are exact."""

FEW = 64
"""Up to so many numbers are written out one by one: that is faster."""


def lazily(draw: Callable[[str], Drawn]) -> Callable[[str], Sequence[Sample]]:
    """Return a task's ``samples``: each split is drawn when it is asked for, and once."""
    made: dict[str, list[Sample]] = {}

    def samples(split: str) -> Sequence[Sample]:
        if split not in made:
            made[split] = samples_of(draw(split), split)
        return made[split]

    return samples
