"""``science.dose-classic``: the censored dose-response benchmark of zeroproofml 0.6.1.

Its generator, inputs, labels and, as options, sizes.  Drawn with NumPy: the same distribution, other
curves.  What is wrong with it stands in the task's caveats; ``science.dose`` is the mended one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assay import Sample, Task

from ..dose import ABOVE, BELOW, TOLERANCE, WithinDecades, dose_metrics, inhibited
from ..drawn import Drawn, Floats, Sizes, generator, lazily

NULL = "null"
IN_RANGE = "in_range"
CLASSES = (BELOW, "", ABOVE)
"""Reasons of the three regimes, in their order of log10 IC50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicCurves:
    """How the published curves are drawn."""

    low: float = -9.0
    """log10 of the lowest concentration, mol/l."""

    high: float = -5.0
    points: int = 10
    ranges: tuple[tuple[float, float], ...] = ((-13.0, -10.2), (-8.8, -5.2), (-3.8, -1.0))
    """log10 of the IC50s of each regime, uniform; regimes are equally frequent."""

    hill: tuple[float, float] = (0.8, 1.5)
    plate: float = 0.02
    """Standard deviation of the responses without an inhibitor, and with all of it."""

    noise: float = 0.05
    null: float = 0.1
    """Share of curves of which one end is set to the other, and the label to ``above``."""

    flatness: float = 0.01
    """Standard deviation of the difference between both ends of such a curve."""

    @property
    def grid(self) -> Floats:
        """log10 of the concentrations, shape [points]: the same for every curve, and an input."""
        return np.linspace(self.low, self.high, self.points)


def draw(curves: ClassicCurves, n: int, rng: np.random.Generator) -> Drawn:
    """Draw curves; inputs are log10 of a concentration and its response by turns, shape [n, 2 points]."""
    regime = rng.integers(0, len(curves.ranges), n)
    lowest = rng.normal(0.0, curves.plate, n)
    highest = rng.normal(1.0, curves.plate, n)
    null = rng.random(n) < curves.null
    # The published fault: such a curve lies at the end that full inhibition has, not none.
    highest = np.where(null, lowest + rng.normal(0.0, curves.flatness, n), highest)
    hill = rng.uniform(*curves.hill, n)
    log_ic50 = rng.uniform(*np.array(curves.ranges)[regime].T)
    share = inhibited(curves.grid, log_ic50, hill)
    clean = lowest[:, None] + (highest - lowest)[:, None] * share
    seen = clean + rng.normal(0.0, curves.noise, clean.shape)
    reasons = [ABOVE if none else CLASSES[at] for at, none in zip(regime, null, strict=True)]
    return Drawn(
        x=np.stack([np.broadcast_to(curves.grid, seen.shape), seen], axis=-1).reshape(n, -1),
        y=log_ic50[:, None],
        reasons=reasons,
        groups=[f"{i:06}" for i in range(n)],
        tags=[
            frozenset({reason or IN_RANGE, NULL} if none else {reason or IN_RANGE})
            for reason, none in zip(reasons, null, strict=True)
        ],
    )


def classic_dose(
    *,
    seed: int = 1,
    train: int = 10_000,
    tune: int = 1_000,
    calibration: int = 1_000,
    test: int = 2_000,
) -> Task:
    """Return the task: curves of each split, drawn from ``seed`` and the name of the split.

    Published sizes are 200,000 for train, 20,000 for tune and 30,000 for test.

    >>> task = classic_dose(train=40, tune=10, calibration=10, test=300)
    >>> task.samples("test")[0].input[::2][:3]
    [-9.0, -8.555556, -8.111111]
    """
    curves = ClassicCurves()
    sizes = Sizes(train=train, tune=tune, calibration=calibration, test=test)
    samples = lazily(lambda split: draw(curves, sizes.of(split), generator(seed, split)))
    return Task(
        name="science.dose-classic",
        version="1",
        says="What is the IC50 of a curve, or on which side of the range (zeroproofml 0.6.1)?",
        samples=samples,
        verifier=WithinDecades(TOLERANCE),
        metrics=dose_metrics(),
        license="CC0-1.0",
        caveats=lambda: caveats(samples),
    )


def caveats(samples: Callable[[str], Sequence[Sample]]) -> tuple[str, ...]:
    """Say what numbers on this task are to be read with; the shares are those of test."""
    asked = samples("test")
    null = sum(NULL in sample.tags for sample in asked)
    return (
        (
            f"labels contradict each other: curves of compounds without an effect (labelled above) and of "
            f"IC50s far below the range (labelled below) are the same flat curve; {null:,} of {len(asked):,} "
            f"test curves ({null / max(len(asked), 1):.1%}) have the label that cannot be told, and whoever knows "
            f"everything else has a macro-F1 of {ceiling(asked):.3f}"
        ),
        (
            "too easy: IC50s of the three regimes lie 1.4 decades apart, so two constants on the mean "
            "response reach that ceiling; half of the inputs, the concentrations, are the same for all"
        ),
    )


def ceiling(asked: Sequence[Sample]) -> float:
    """Return the macro-F1 of right answers everywhere, but ``below`` for each curve without an effect.

    >>> round(ceiling(classic_dose(test=2_000).samples("test")), 2)
    0.9
    """
    null = sum(NULL in sample.tags for sample in asked)
    below, above = (
        sum(reason in sample.tags and NULL not in sample.tags for sample in asked)
        for reason in (BELOW, ABOVE)
    )
    there = [1.0] * (below + above + null < len(asked))
    scores = [2 * n / (2 * n + null) for n in (below, above) if n + null]
    return sum(there + scores) / max(len(there + scores), 1)
