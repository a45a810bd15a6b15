"""What can be known of a dose-response curve without learning: the exact posterior, and a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import Built, Needs, PlanError, Sample

from ..domains.dose import ABOVE, BELOW, TOLERANCE, Curves, inhibited
from ..learning.head import Read
from ..learning.rows import Scale
from .answering import Reader

Floats = NDArray[np.float64]
STEP = 0.02
"""Decades between IC50s that are looked at."""

SLOPES = 8
"""Slopes that are looked at for each, the nodes of Gauss and Legendre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """The recipe ``science.dose_oracle``: the exact posterior of the task's own generator.

    Nobody can do better on the whole: the share that it gets right is the ceiling.  It integrates over
    the IC50, the slope and both plate levels (these in closed form: they are normal, and the response
    is linear in them), and answers where the likeliest window of a value is likelier than none.
    ``noise`` and ``null`` are those of the task.

    >>> Oracle().seeded
    False
    """

    noise: float = 0.2
    null: float = 0.1
    seeded: bool = False
    needs: Needs = Needs()

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for a noise or a share that no generator has."""
        if self.noise <= 0 or not 0 <= self.null <= 1:
            raise PlanError(
                "science.dose_oracle: noise is above 0, and null a share",
                hint="give it the options of the task",
                code="A102",
            )

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Lay out the grid of curves; training samples are not looked at."""
        curves = Curves(noise=self.noise, null=self.null)
        return Built(system=_reader(posterior(curves)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HillFit:
    """The recipe ``science.hill_fit``: least squares of IC50 and slope between plate levels 0 and 1.

    What a laboratory does without a model of its noise.  It declines where the fitted IC50 is outside
    of the concentrations; how sure it is comes from how much worse the fit is there, against the
    residuals of the training curves.
    """

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Learn one number of the training curves: how large residuals are."""
        from ..learning.rows import features_of

        curves = Curves()
        centres, shares = _grid(curves)
        seen = features_of(train)[:2000]
        least = _misfits(seen, shares).min(axis=(1, 2))
        # Two of the ten numbers of a curve are spent on the fit.
        variance = float(np.median(least)) / (curves.points - 2)
        return Built(
            system=_reader(
                lambda y: _weighed(-_misfits(y, shares) / (2 * variance), centres, curves)
            )
        )


def posterior(curves: Curves) -> Callable[[Floats], _Weighed]:
    """Return a function from responses, shape [rows, points], to the posterior of the IC50."""
    centres, shares = _grid(curves)
    flat = shares.reshape(-1, curves.points)
    nobody = np.ones((1, curves.points))

    def of(y: Floats) -> _Weighed:
        logs = _log_likelihood(y, flat, curves).reshape(len(y), *shares.shape[:2])
        none = _log_likelihood(y, nobody, curves)[:, 0]
        return _weighed(logs, centres, curves, none=none)

    return of


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Shares of the posterior, one per row."""

    below: Floats
    above: Floats
    value: Floats
    """Centre of the likeliest window."""

    within: Floats
    """Share of it: the value is there, and within the tolerance."""


def _grid(curves: Curves) -> tuple[Floats, Floats]:
    """Return IC50s, shape [values], and what they inhibit at each slope, [values, slopes, points]."""
    start, end = curves.low - curves.far, curves.high + curves.far
    centres = np.arange(start + STEP / 2, end, STEP)
    nodes, _ = np.polynomial.legendre.leggauss(SLOPES)
    low, high = curves.hill
    slopes = low + (high - low) * (nodes + 1) / 2
    each = [inhibited(curves.grid, centres, np.full(len(centres), slope)) for slope in slopes]
    return centres, np.stack(each, axis=1)


def _log_likelihood(y: Floats, shares: Floats, curves: Curves) -> Floats:
    """Return the log-density of curves, [rows], under each share, [nodes]: shape [rows, nodes].

    The levels are normal with deviation ``plate``, so a curve is normal with covariance
    ``noise^2 I + plate^2 U U'`` where U has the columns 1 - share and share.
    """
    noise, plate = curves.noise**2, curves.plate**2
    rest = 1.0 - shares
    of_rest, of_share = y @ rest.T - (shares * rest).sum(1), y @ shares.T - (shares**2).sum(1)
    square = (y**2).sum(1)[:, None] - 2 * y @ shares.T + (shares**2).sum(1)
    a, b = noise / plate + (rest**2).sum(1), (rest * shares).sum(1)
    c = noise / plate + (shares**2).sum(1)
    determinant = a * c - b**2
    explained = (c * of_rest**2 - 2 * b * of_rest * of_share + a * of_share**2) / determinant
    made: Floats = -0.5 * ((square - explained) / noise + np.log(determinant))
    return made


def _misfits(y: Floats, shares: Floats) -> Floats:
    """Return sums of squares between curves and levels 0 and 1, shape [rows, values, slopes]."""
    flat = shares.reshape(-1, shares.shape[-1])
    made: Floats = (y**2).sum(1)[:, None] - 2 * y @ flat.T + (flat**2).sum(1)
    return made.reshape(len(y), *shares.shape[:2])


def _weighed(
    logs: Floats, centres: Floats, curves: Curves, *, none: Floats | None = None
) -> _Weighed:
    """Return what log-weights of [rows, values, slopes] come to; ``none`` is that of no effect."""
    _, gauss = np.polynomial.legendre.leggauss(logs.shape[2])
    top = logs.max(axis=(1, 2), keepdims=True)
    by_value = (np.exp(logs - top) * gauss).sum(axis=2) / 2 / len(centres)
    if none is None:
        nothing = np.zeros(len(logs))
    else:
        by_value *= 1.0 - curves.null
        nothing = curves.null * np.exp(np.minimum(none - top[:, 0, 0], 700.0))
    total = by_value.sum(axis=1) + nothing
    inside = (centres >= curves.low) & (centres <= curves.high)
    sums = np.cumsum(np.pad(by_value[:, inside], ((0, 0), (1, 0))), axis=1)
    here = centres[inside]
    reach = round(TOLERANCE / STEP)
    places = np.arange(len(here))
    left = np.maximum(places - reach, 0)
    right = np.minimum(places + reach + 1, len(here))
    windows = sums[:, right] - sums[:, left]
    # Where several windows hold the same, the middle one is as good on both sides.
    best = windows >= windows.max(axis=1, keepdims=True) * (1 - 1e-9)
    middle = (best * places).sum(axis=1) / best.sum(axis=1)
    return _Weighed(
        below=by_value[:, centres < curves.low].sum(axis=1) / total,
        above=(by_value[:, centres > curves.high].sum(axis=1) + nothing) / total,
        value=np.interp(middle, places, here),
        within=windows.max(axis=1) / total,
    )


def _reader(of: Callable[[Floats], _Weighed]) -> Reader:
    reasons = (ABOVE, BELOW)

    def read(y: Floats) -> Read:
        found = of(y)
        return Read(
            value=found.value[:, None],
            confidence=np.clip(found.within, 0.0, 1.0),
            declines=np.asarray(found.below + found.above > found.within),
            reason=np.where(found.above >= found.below, 1, 2),
            fault=np.zeros(len(y), dtype=np.bool_),
        )

    scale = Scale(x_mean=np.zeros(1), x_sd=np.ones(1), y_mean=np.zeros(1), y_sd=np.ones(1))
    return Reader(read=read, scale=scale, reasons=reasons)
