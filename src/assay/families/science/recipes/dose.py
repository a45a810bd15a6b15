"""What can be known of a dose-response curve without learning: the exact posterior, and a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import Built, DataError, Needs, PlanError, Sample

from ..domains.dose import ABOVE, BELOW, TOLERANCE, Curves, inhibited
from ..learning.head import Read
from ..learning.rows import Scale, features_of
from .answering import Reader

Floats = NDArray[np.float64]
STEP = 0.02
"""Decades between IC50s that are looked at."""

ROWS = 512
"""Curves that are looked at together."""

FITTED = 16
"""Slopes that a fit looks at."""

LEAST = 1e-12
"""A residual variance below which curves are taken for exact."""

SLOPES = 8
"""Slopes that are looked at for each, the nodes of Gauss and Legendre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """The recipe ``science.dose_oracle``: the exact posterior of the task's own generator.

    Nobody can be right more often, but by luck: its accuracy is the ceiling.  It integrates over
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
        """Lay out the grid of curves; nothing is learnt of training samples."""
        curves = Curves(noise=self.noise, null=self.null)
        _seen(train[:1], curves)
        return Built(system=_reader(posterior(curves)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HillFit:
    """The recipe ``science.hill_fit``: least squares of IC50 and slope, between the levels 1 and 0.

    What a laboratory does without a model of its noise.  It declines where the fitted IC50 is outside
    of the concentrations.  How sure it is: the share of the likelihood, at the best slope of each IC50
    and with the residual variance of the training curves, that is inside and near the answer.

    *Not to be trusted when* there are compounds without an effect: they are fitted as if they had one
    far above the range.
    """

    seeded: bool = False
    needs: Needs = Needs()

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Learn one number of the training curves: how large residuals are."""
        curves = Curves()
        seen = _seen(train, curves)[:2000]
        centres = _centres(curves)
        slopes = np.geomspace(*curves.hill, FITTED)
        shares = _shares(curves, centres, slopes)
        least = [_misfits(seen[i : i + ROWS], shares) for i in range(0, len(seen), ROWS)]
        # Two of the ten numbers of a curve are spent on the fit.
        residual = float(np.concatenate([one.min(axis=(1, 2)) for one in least]).mean())
        variance = max(residual / (curves.points - 2), LEAST)

        def of(y: Floats) -> _Weighed:
            return _fitted(_misfits(y, shares).min(axis=2), variance, curves)

        return Built(system=_reader(of), notes={"residual_sd": round(variance**0.5, 6)})


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

    declines: NDArray[np.bool_]


def _grid(curves: Curves) -> tuple[Floats, Floats]:
    """Return IC50s, shape [values], and what they inhibit at each slope, [values, slopes, points]."""
    centres = _centres(curves)
    nodes, _ = np.polynomial.legendre.leggauss(SLOPES)
    low, high = curves.hill
    return centres, _shares(curves, centres, low + (high - low) * (nodes + 1) / 2)


def _centres(curves: Curves) -> Floats:
    """Return IC50s, the centres of equal cells, none of which has a limit inside."""
    start, end = curves.low - curves.far, curves.high + curves.far
    cells = np.arange(round((end - start) / STEP), dtype=np.float64)
    return np.asarray(start + STEP * (cells + 0.5), dtype=np.float64)


def _shares(curves: Curves, centres: Floats, slopes: Floats) -> Floats:
    each = [inhibited(curves.grid, centres, np.full(len(centres), slope)) for slope in slopes]
    return np.stack(each, axis=1)


def _seen(train: Sequence[Sample], curves: Curves) -> Floats:
    """Return the training curves.  Raises ``DataError`` A200 for rows that are none."""
    seen = features_of(train)
    if seen.shape[1] != curves.points:
        raise DataError(
            f"a curve has {curves.points} responses, and a row here {seen.shape[1]}",
            hint="science.hill_fit and science.dose_oracle are for the task science.dose",
        )
    return seen


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
    inside = _inside(centres, curves)
    sums = np.cumsum(np.pad(by_value[:, inside], ((0, 0), (1, 0))), axis=1)
    here = centres[inside]
    places = np.arange(len(here))
    windows = _within(sums, places)
    # Where several windows hold the same, the middle one is as good on both sides.
    best = windows >= windows.max(axis=1, keepdims=True) * (1 - 1e-9)
    middle = (best * places).sum(axis=1) / best.sum(axis=1)
    below = by_value[:, centres < curves.low].sum(axis=1) / total
    above = (by_value[:, centres > curves.high].sum(axis=1) + nothing) / total
    within = windows.max(axis=1) / total
    return _Weighed(
        below=below,
        above=above,
        value=np.interp(middle, places, here),
        within=within,
        declines=np.asarray(below + above > within),
    )


def _inside(centres: Floats, curves: Curves) -> NDArray[np.bool_]:
    return np.asarray((centres >= curves.low) & (centres <= curves.high))


def _fitted(misfits: Floats, variance: float, curves: Curves) -> _Weighed:
    """Return what sums of squares at the best slope, shape [rows, values], come to."""
    centres = _centres(curves)
    inside = _inside(centres, curves)
    best = centres[misfits.argmin(axis=1)]
    within = misfits[:, inside]
    place, here = within.argmin(axis=1), centres[inside]
    weights = np.exp(-(misfits - misfits.min(axis=1, keepdims=True)) / (2 * variance))
    sums = np.cumsum(np.pad(weights[:, inside], ((0, 0), (1, 0))), axis=1)
    windows = _within(sums, np.arange(len(here)))
    below, above = centres < curves.low, centres > curves.high
    declines = (best < curves.low) | (best > curves.high)
    # A decline is for the side of the fit; an answer would be withheld for the likelier one.
    sides = [
        np.where(declines, side[misfits.argmin(axis=1)], weights @ side) for side in (below, above)
    ]
    return _Weighed(
        below=sides[0],
        above=sides[1],
        value=here[place] + _vertex(within, place),
        within=np.take_along_axis(windows, place[:, None], axis=1)[:, 0] / weights.sum(axis=1),
        declines=np.asarray(declines),
    )


def _vertex(misfits: Floats, place: NDArray[np.int64]) -> Floats:
    """Return how far the least of a parabola through three cells is from the middle one."""
    rows, inner = np.arange(len(place)), np.clip(place, 1, misfits.shape[1] - 2)
    left, middle, right = (misfits[rows, inner + step] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    ends = (inner != place) | (bend <= 0)
    moved = STEP * (left - right) / (2 * np.where(ends, 1.0, bend))
    return np.where(ends, 0.0, np.clip(moved, -STEP / 2, STEP / 2))


def _within(sums: Floats, places: NDArray[np.int64]) -> Floats:
    """Return what is within the tolerance of each place, of running sums: the outermost cells by half."""
    reach, last = round(TOLERANCE / STEP), sums.shape[1] - 1
    found = [
        sums[:, np.minimum(places + wide + 1, last)] - sums[:, np.maximum(places - wide, 0)]
        for wide in (reach - 1, reach)
    ]
    return np.asarray((found[0] + found[1]) / 2, dtype=np.float64)


def _reader(of: Callable[[Floats], _Weighed]) -> Reader:
    reasons = (ABOVE, BELOW)

    def read(y: Floats) -> Read:
        # A grid of numbers belongs to each row: all rows at once could be more than there is memory.
        found = [of(y[i : i + ROWS]) for i in range(0, len(y), ROWS)]
        below, above, value, within, declines = (
            np.concatenate([getattr(one, name) for one in found])
            for name in ("below", "above", "value", "within", "declines")
        )
        return Read(
            value=value[:, None],
            confidence=np.clip(within, 0.0, 1.0),
            declines=declines.astype(np.bool_),
            reason=np.where(above >= below, 1, 2),
            fault=np.zeros(len(y), dtype=np.bool_),
        )

    scale = Scale(x_mean=np.zeros(1), x_sd=np.ones(1), y_mean=np.zeros(1), y_sd=np.ones(1))
    return Reader(read=read, scale=scale, reasons=reasons)
