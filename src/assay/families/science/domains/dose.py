"""``science.dose``: what is the IC50 of a noisy dose-response curve, if the assay can tell?

Ten responses, at concentrations from 1 nM to 10 uM, of a Hill curve

    E(C) = Emin + (Emax - Emin) / (1 + (C / IC50)^h)

and the logarithm of the IC50 is asked.  Where it lies outside of the concentrations the right answer
is to decline, ``below`` or ``above``.  IC50s are drawn without a gap around both limits, so noise
makes the limits themselves uncertain; a compound without an effect keeps the response of the
control wells, as one far above the range does, and has the label that can be told from its curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assay import Answer, Check, Crash, Metric, Reply, Sample, Task

from .drawn import Drawn, Floats, Sizes, generator, lazily
from .metrics import (
    DECLINE,
    OUTCOMES,
    bottom_cost,
    charged_error,
    direction_accuracy,
    direction_f1,
    macro_f1,
    mean_error,
    withheld_rate,
)

BELOW, ABOVE = "below", "above"
REASONS = (BELOW, ABOVE)
TOLERANCE = 0.5
"""Decades: an IC50 within a factor of about three is right, as repeated assays agree."""
MOST = 2.0
"""Decades that a value which is not given is charged: half of the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """How curves are drawn; every number is in the units of the plan's options."""

    low: float = -9.0
    """log10 of the lowest concentration, mol/l."""

    high: float = -5.0
    points: int = 10
    far: float = 3.0
    """Decades beyond both limits in which IC50s lie, too."""

    hill: tuple[float, float] = (0.5, 2.0)
    plate: float = 0.05
    """Standard deviation of the responses without an inhibitor, and with all of it."""

    noise: float = 0.2
    """Standard deviation of a response."""

    null: float = 0.1
    """Share of compounds without an effect."""

    @property
    def grid(self) -> Floats:
        """log10 of the concentrations, shape [points]."""
        return np.linspace(self.low, self.high, self.points)


def inhibited(grid: Floats, log_ic50: Floats, hill: Floats) -> Floats:
    """Return the share of the effect at each concentration, shape [curves, points].

    One at concentrations far below the IC50, zero far above.

    >>> inhibited(np.array([-7.0]), np.array([-7.0]), np.array([1.0])).item()
    0.5
    """
    exponent = np.clip(hill[:, None] * (grid[None, :] - log_ic50[:, None]), -300, 300)
    made: Floats = 1.0 / (1.0 + 10.0**exponent)
    return made


def draw(curves: Curves, n: int, rng: np.random.Generator) -> Drawn:
    """Draw curves with the responses that are seen, and the IC50 that is asked."""
    log_ic50 = rng.uniform(curves.low - curves.far, curves.high + curves.far, n)
    hill = rng.uniform(*curves.hill, n)
    lowest = rng.normal(0.0, curves.plate, n)
    highest = rng.normal(1.0, curves.plate, n)
    null = rng.random(n) < curves.null
    share = inhibited(curves.grid, log_ic50, hill)
    share[null] = 1.0  # nothing is inhibited at any concentration
    clean = lowest[:, None] + (highest - lowest)[:, None] * share
    seen = clean + rng.normal(0.0, curves.noise, clean.shape)
    reasons = np.where(log_ic50 < curves.low, BELOW, np.where(log_ic50 > curves.high, ABOVE, ""))
    reasons[null] = ABOVE
    near = np.minimum(np.abs(log_ic50 - curves.low), np.abs(log_ic50 - curves.high)) < 0.5
    return Drawn(
        x=seen,
        y=log_ic50[:, None],
        reasons=reasons.tolist(),
        groups=[f"{i:06}" for i in range(n)],
        tags=[
            frozenset(
                filter(
                    None,
                    (
                        str(reason) or "in_range",
                        "null" if none else "",
                        "near_limit" if close and not none else "",
                    ),
                )
            )
            for reason, none, close in zip(reasons, null, near, strict=True)
        ],
    )


@dataclass(frozen=True, slots=True)
class WithinDecades:
    """Right where the logarithm of the value is off by at most so much."""

    tolerance: float

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each value with the one asked for; the score is the error in decades."""
        for sample, reply in batch:
            wanted, said = sample.target, reply.said
            if not isinstance(wanted, Answer) or not isinstance(said, Answer):
                yield Crash("no_target", f"sample {sample.id!r} has no value to compare with")
            elif isinstance(said.value, bool) or not isinstance(said.value, int | float):
                yield Check(passed=False)
            else:
                error = abs(float(said.value) - float(str(wanted.value)))
                yield Check(passed=error <= self.tolerance, scores={"error": error})


def dose(
    *,
    seed: int = 7,
    train: int = 20_000,
    tune: int = 2_000,
    calibration: int = 2_000,
    test: int = 2_000,
    noise: float = 0.2,
    null: float = 0.1,
    decline_cost: float = DECLINE,
) -> Task:
    """Return the task: curves of each split, drawn from ``seed`` and the name of the split.

    >>> task = dose(train=40, tune=10, calibration=10, test=10)
    >>> len(task.samples("train")), len(task.samples("test")[0].input)
    (40, 10)
    """
    curves = Curves(noise=noise, null=null)
    sizes = Sizes(train=train, tune=tune, calibration=calibration, test=test)
    return Task(
        name="science.dose",
        version="1",
        says="What is the IC50 of a noisy dose-response curve, if the assay can tell?",
        samples=lazily(lambda split: draw(curves, sizes.of(split), generator(seed, split))),
        verifier=WithinDecades(TOLERANCE),
        metrics=dose_metrics(decline_cost),
        license="CC0-1.0",
    )


def dose_metrics(decline_cost: float = DECLINE) -> tuple[Metric, ...]:
    """Return what is measured of a task with two limits; the first is the headline."""
    return (
        macro_f1(REASONS),
        *OUTCOMES.values(),
        withheld_rate,
        direction_accuracy(REASONS),
        direction_f1(REASONS),
        mean_error("error", says="mean error in decades of the values given", unit="decades"),
        charged_error(
            "error",
            most=MOST,
            says=f"mean error in decades of all values there are; {MOST:g} for one not given",
            unit="decades",
        ),
        bottom_cost(decline_cost),
    )
