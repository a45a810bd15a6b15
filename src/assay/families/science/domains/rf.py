"""``science.rf``: how does a resonator respond at a frequency, if it has a steady state there?

A second-order resonator with the resonance w0 and the damping d = 1/Q has at the frequency w, with
r = w/w0, the response

    H(jw) = 1 / D,    D = 1 - r^2 + j d r

and its real and imaginary part are asked.  Seen are w and a data sheet: w0 and d as somebody has
measured them, with errors.  Where |D| is below the limit of every linear instrument (a lossless
resonator that is driven at its resonance never settles) the right answer is to decline, ``pole``.

Sweeps are laid around the resonance of the data sheet, not around the true one: so a frequency says
nothing about the resonator that its data sheet does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log10

import numpy as np
from numpy.typing import NDArray

from assay import PlanError, Task

from .drawn import Drawn, Floats, Sizes, generator, lazily, rounded
from .metrics import DECLINE
from .resonance import LIMIT, denominator
from .rf_metrics import rf_metrics
from .rf_verifier import WithinShare

POLE = "pole"
REASONS = (POLE,)
TOLERANCE = 0.25
"""Relative error that is right: two decibels."""
SHARP = (2.0, 500.0)
"""Quality factors of calibration and test; those of train and tune end at 30."""
FEATURES = (
    "log10 of the frequency",
    "log10 of the measured resonance",
    "measured damping",
    "distance from the measured resonance, compressed",
    "measured damping, compressed",
)
"""What is seen.  The last two follow from the others: asinh of how many thousandths of a decade, and
how many times 0.003.  Without them a network has to find a thousandth of the sweep by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """How resonators, data sheets and sweeps are drawn; frequencies in rad/s."""

    resonance: tuple[float, float] = (0.5, 5.0)
    """Limits of w0, log-uniform."""

    sweep: tuple[float, float] = (0.1, 10.0)
    """Limits of the wide part of a sweep."""

    quality: tuple[float, float] = (2.0, 30.0)
    """Limits of Q, log-uniform."""

    trained: float = 30.0
    """Filters with a Q above this have the tag ``extrapolation``."""

    lossless: float = 0.15
    """Share of filters without any damping."""

    frequency_noise: float = 0.001
    """Standard deviation of the measured log10 w0, decades."""

    damping_noise: float = 0.003
    """Standard deviation of the measured damping."""

    wide: int = 8
    """Frequencies over the whole sweep, one in each of so many equal parts of its logarithm."""

    near: int = 16
    """Frequencies around the measured resonance, denser towards it."""

    margin: float = 0.01
    """How far the near part reaches at least, relative to the measured resonance."""

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for a share outside of [0, 1] and a deviation below 0."""
        if not 0.0 <= self.lossless <= 1.0 or min(self.frequency_noise, self.damping_noise) < 0.0:
            raise PlanError(
                f"lossless is {self.lossless:g}, frequency_noise {self.frequency_noise:g} and "
                f"damping_noise {self.damping_noise:g}",
                hint="give a share in [0, 1], and deviations of 0 or more",
                code="A102",
            )


def draw(filters: Filters, n: int, rng: np.random.Generator) -> Drawn:
    """Draw filters, each with its data sheet and the response at every frequency of its sweep."""
    log_w0 = rng.uniform(*_logs(filters.resonance), n)
    quality = 10.0 ** rng.uniform(*_logs(filters.quality), n)
    lossless = rng.random(n) < filters.lossless
    damping = np.where(lossless, 0.0, 1.0 / quality)
    seen_w0 = rounded(log_w0 + rng.normal(0.0, filters.frequency_noise, n))
    seen_d = rounded(damping + rng.normal(0.0, filters.damping_noise, n))
    # Rounded before anything is computed from it: what is seen is what the response is of.
    log_w = rounded(_sweep(filters, seen_w0, seen_d, rng))
    below = denominator(log_w, log_w0[:, None], damping[:, None])
    pole = np.abs(below) < LIMIT
    height = np.where(pole, 0.0, 1.0 / np.maximum(np.abs(below), LIMIT))
    highest = np.arange(height.shape[1]) == height.argmax(axis=1)[:, None]
    ratio = 10.0 ** (log_w - log_w0[:, None])
    marks = {
        "in_band": np.abs(ratio - 1.0) <= np.maximum(damping, LIMIT)[:, None],
        "extrapolation": np.broadcast_to((~lossless & (quality > filters.trained))[:, None], pole.shape),
        "lossless": np.broadcast_to(lossless[:, None], pole.shape),
        "peak": highest,
        POLE: pole,
    }  # fmt: skip
    response = 1.0 / np.where(pole, 1.0, below)
    per = log_w.shape[1]
    return Drawn(
        x=_features(log_w.ravel(), np.repeat(seen_w0, per), np.repeat(seen_d, per)),
        # Adding zero: the imaginary part of a lossless resonator is 0, not -0.
        y=np.column_stack([response.real.ravel(), response.imag.ravel()]) + 0.0,
        reasons=np.where(pole, POLE, "").ravel().tolist(),
        groups=[f"{i:06}" for i in range(n) for _ in range(per)],
        tags=_tagged({name: where.ravel() for name, where in marks.items()}),
    )


def _logs(limits: tuple[float, float]) -> tuple[float, float]:
    return log10(limits[0]), log10(limits[1])


def _sweep(filters: Filters, seen_w0: Floats, seen_d: Floats, rng: np.random.Generator) -> Floats:
    """Return log10 of the frequencies of each filter, shape [filters, wide + near]."""
    n = len(seen_w0)
    low, high = _logs(filters.sweep)
    parts = (np.arange(filters.wide) + rng.random((n, filters.wide))) / max(filters.wide, 1)
    steps = (np.arange(filters.near) + rng.random((n, filters.near))) / max(filters.near, 1)
    place = 2.0 * steps - 1.0
    reach = np.log10(1.0 + np.maximum(seen_d, 0.0) + filters.margin)
    near = seen_w0[:, None] + reach[:, None] * place * np.abs(place)
    return np.concatenate([low + (high - low) * parts, near], axis=1)


def _features(log_w: Floats, seen_w0: Floats, seen_d: Floats) -> Floats:
    """Return what is seen, shape [rows, features]."""
    away, damping = np.arcsinh((log_w - seen_w0) / 0.001), np.arcsinh(seen_d / 0.003)
    return np.column_stack([log_w, seen_w0, seen_d, away, damping])


def read_sheets(inputs: Sequence[object]) -> tuple[Floats, Floats, Floats]:
    """Return log10 w, the measured log10 w0 and the measured damping of each input.

    Raises ``PlanError`` A104 where an input is no list of as many numbers as ``FEATURES``.

    >>> [part.tolist() for part in read_sheets([[0.5, 0.25, 0.125, 0.0, 0.0]])]
    [[0.5], [0.25], [0.125]]
    """
    for given in inputs:
        if (
            not isinstance(given, list)
            or len(given) != len(FEATURES)
            or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)
        ):
            raise PlanError(
                f"the task does not ask for responses: its inputs are not {len(FEATURES)} numbers",
                hint="ask it science.rf",
                code="A104",
            )
    rows = np.array(inputs, dtype=np.float64).reshape(-1, len(FEATURES))
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _tagged(marks: dict[str, NDArray[np.bool_]]) -> list[frozenset[str]]:
    names = list(marks)
    rows = np.stack([marks[name] for name in names], axis=1).tolist()
    known: dict[tuple[bool, ...], frozenset[str]] = {}
    return [
        known.setdefault(
            tuple(row), frozenset(name for name, is_so in zip(names, row, strict=True) if is_so)
        )
        for row in rows
    ]


def rf(  # noqa: PLR0913  (each is an option of a plan)
    *,
    seed: int = 7,
    train: int = 800,
    tune: int = 80,
    calibration: int = 200,
    test: int = 200,
    lossless: float = 0.15,
    frequency_noise: float = 0.001,
    damping_noise: float = 0.003,
    decline_cost: float = DECLINE,
) -> Task:
    """Return the task: filters of each split, drawn from ``seed`` and the name of the split.

    Calibration and test hold sharper resonators than train and tune do.

    Raises ``PlanError`` A102 for a share outside of [0, 1] and a deviation below 0.

    >>> task = rf(train=2, tune=1, calibration=1, test=3)
    >>> len(task.samples("train")), len(task.samples("test")), len(task.samples("test")[0].input)
    (48, 72, 5)
    """
    filters = Filters(
        lossless=lossless, frequency_noise=frequency_noise, damping_noise=damping_noise
    )
    sizes = Sizes(train=train, tune=tune, calibration=calibration, test=test)
    asked = replace(filters, quality=SHARP)
    kinds = {"train": filters, "tune": filters, "calibration": asked, "test": asked}
    return Task(
        name="science.rf",
        version="1",
        says="How does a resonator respond at a frequency, if it has a steady state there?",
        samples=lazily(lambda split: draw(kinds[split], sizes.of(split), generator(seed, split))),
        verifier=WithinShare(TOLERANCE),
        metrics=rf_metrics(decline_cost),
        license="CC0-1.0",
    )
