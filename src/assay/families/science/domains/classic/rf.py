"""``science.rf-classic``: the resonator benchmark of zeroproofml 0.6.1, at single frequencies.

Its generator, inputs, labels and, as options, sizes.  Drawn with NumPy: the same distribution, other
filters.  What is wrong with it stands in the task's caveats; ``science.rf`` is the mended one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import OUTCOME_METRICS, Metric, Task

from ..drawn import Drawn, Floats, Sizes, generator, lazily, rounded
from .vectors import ABSOLUTE, SQUARED, WithinShare, mean_over

IN_BAND, EXTRAPOLATION = "in_band", "extrapolation"
SHARE = 0.1
"""A response is right within a tenth of its length: the reference counts a peak from 0.9 of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicFilters:
    """How the published filters are drawn; every range is log-uniform."""

    frequency: tuple[float, float] = (0.1, 10.0)
    resonance: tuple[float, float] = (0.5, 5.0)
    quality: tuple[float, float] = (2.0, 30.0)
    """Of train and of what thresholds are chosen on."""

    quality_test: float = 500.0
    """The largest of test: the published command's; its library function has 200."""

    points: int = 64
    """Frequencies asked of each filter."""


def log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> Floats:
    """Return log10 of numbers that are uniform on a logarithmic scale, to seven digits."""
    return rounded(rng.uniform(np.log10(low), np.log10(high), n))


def response(logs: Floats) -> NDArray[np.complex128]:
    """Return w0^2 / (s^2 + w0 s / Q + w0^2) at s = jw, from log10 of w, w0 and Q, shape [rows, 3].

    At resonance it is -jQ.

    >>> np.round(np.abs(response(np.array([[0.0, 0.0, 1.0]]))), 6).tolist()
    [10.0]
    """
    w, w0, q = 10.0**logs.T
    made: NDArray[np.complex128] = w0**2 / (w0**2 - w**2 + 1j * w * w0 / q)
    return made


def draw(filters: ClassicFilters, n: int, rng: np.random.Generator, *, most: float) -> Drawn:
    """Draw ``n`` filters with quality factors up to ``most``, each at ``points`` frequencies."""
    each = filters.points
    w0 = log_uniform(rng, *filters.resonance, n)
    q = log_uniform(rng, filters.quality[0], most, n)
    w = log_uniform(rng, *filters.frequency, n * each)
    x = np.stack([w, w0.repeat(each), q.repeat(each)], axis=-1)
    heard = response(x)
    outside = (q > np.log10(filters.quality[1])).repeat(each)
    return Drawn(
        x=x,
        y=np.stack([heard.real, heard.imag], axis=-1),
        reasons=[""] * (n * each),
        groups=[f"{i // each:06}" for i in range(n * each)],
        tags=[frozenset({EXTRAPOLATION if beyond else IN_BAND}) for beyond in outside],
    )


def classic_rf(
    *,
    seed: int = 1,
    train: int = 256,
    tune: int = 32,
    calibration: int = 32,
    test: int = 128,
) -> Task:
    """Return the task: filters of each split, drawn from ``seed`` and the name of the split.

    Published sizes are 2,048 filters for train, 512 for tune and 1,024 for test.

    >>> task = classic_rf(train=4, tune=2, calibration=2, test=2)
    >>> len(task.samples("test")), len(task.samples("test")[0].target.value)
    (128, 2)
    """
    filters = ClassicFilters()
    sizes = Sizes(train=train, tune=tune, calibration=calibration, test=test)

    def drawn(split: str) -> Drawn:
        most = filters.quality_test if split == "test" else filters.quality[1]
        return draw(filters, sizes.of(split), generator(seed, split), most=most)

    return Task(
        name="science.rf-classic",
        version="1",
        says="What is the response of a resonator at a frequency (zeroproofml 0.6.1)?",
        samples=lazily(drawn),
        verifier=WithinShare(SHARE),
        metrics=classic_rf_metrics(),
        license="CC0-1.0",
        caveats=lambda: CAVEATS,
    )


CAVEATS = (
    (
        "nothing is asked that a formula does not give: the inputs are the frequency and the true parameters "
        "of the filter, without noise, and one line of arithmetic has no error"
    ),
    (
        "no label is singular: every pole lies off the frequencies asked, every sample has a value, and "
        "whoever declines is wrong"
    ),
    (
        "calibration resembles train (quality factors up to 30) and not test (up to 500), as published: "
        "thresholds chosen on it promise nothing for test"
    ),
)


def classic_rf_metrics() -> tuple[Metric, ...]:
    """Return what is measured; the first is the headline."""
    return (
        mean_over("pointwise_mse", SQUARED, says="mean squared error of the values given"),
        mean_over("in_band_mse", SQUARED, says="the same, Q up to 30", tag=IN_BAND),
        mean_over("extrapolation_mse", SQUARED, says="the same, Q above 30", tag=EXTRAPOLATION),
        mean_over("pointwise_mae", ABSOLUTE, says="mean absolute error of the values given"),
        *OUTCOME_METRICS,
    )
