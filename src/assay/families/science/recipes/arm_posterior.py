"""What measured angles say of an arm's true ones, where the generator of ``science.ik`` drew them.

The first angle is normal around the measured one.  The second is normal times its prior: uniform, or
with a uniform logarithm of the distance to the singularity.  A step is right for an arc of second
angles, once the first is given; so its chance is a difference of the cumulated posterior, averaged
over the error of the first angle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..domains.drawn import Floats
from ..domains.ik import Arms

WINDOW = 8.0
"""Standard deviations of the noise that are looked at: what is beyond has a chance of 1e-15."""
CELLS = 128
"""Parts of the window; the cumulated posterior is a cubic in each."""
WITHIN = 4
"""Angles in each cell that are added."""
NEAR = 128
"""Distances to the singularity that are added, of those below the limit."""
FINE = 10
"""Errors of the first angle are averaged in steps of the tolerance over this: chances have kinks there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """The second angle of each row, given the measured one."""

    arms: Arms
    measured: Floats
    """Second angle, shape [rows]."""

    singular: Floats
    """Chance that the determinant is below the limit, shape [rows]."""

    density: Floats
    """At the ends of the cells, shape [rows, cells + 1]; below the limit it goes on as at the limit,
    and is never read there."""

    cumulated: Floats
    """Up to the ends of the cells, shape [rows, cells + 1]."""

    def only(self, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Posterior:
        """Return the posterior of some rows."""
        return replace(
            self,
            measured=self.measured[rows],
            singular=self.singular[rows],
            density=self.density[rows],
            cumulated=self.cumulated[rows],
        )

    def regular(self, offset: Floats) -> Floats:
        """Return the chance that the arm is over the limit, and its angle below measured + offset.

        Offsets have shape [rows, any].
        """
        edge, place = np.arcsin(self.arms.limit), _place(self.measured)[:, None]
        before, after = -edge - place, edge - place
        jump = self._cubic(after) - self._cubic(before)
        inside = (offset > before) & (offset < after)
        made: Floats = self._cubic(np.where(inside, before, offset)) - np.where(
            offset >= after, jump, 0.0
        )
        return made

    def chance(self, turn: Floats, both: Floats, move: Floats, tolerance: float) -> Floats:
        """Return the chance that there is a step and this one is right, shape [rows].

        The step turns the first link by ``turn`` and the second, seen from the ground, by ``both``; the
        wanted move has length one and is seen from the first link as measured.  The tip of an arm with
        second angle t moves by ``turn (0, 1) + both (-sin t, cos t)``, along the first link and across
        it: a circle, and right are the angles of an arc.
        """
        error, weights = _first(self.arms.noise, tolerance)
        cos, sin = np.cos(error), np.sin(error)
        along = move[:, :1] * cos - move[:, 1:] * sin
        across = move[:, :1] * sin + move[:, 1:] * cos - turn[:, None]
        reach = np.hypot(along, across)
        radius = np.abs(both)[:, None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            cosine = (reach**2 + radius**2 - tolerance**2) / (2.0 * reach * radius)
        still = np.abs(reach - radius) <= tolerance  # the circle, or the way to it, is a point
        cosine = np.where(np.isfinite(cosine), cosine, np.where(still, -1.0, 1.0))
        half = np.arccos(np.clip(cosine, -1.0, 1.0))
        sign = np.where(both < 0, -1.0, 1.0)[:, None]
        middle = np.arctan2(-sign * along, sign * across) - self.measured[:, None]
        # Of an arc over more than half of the circle the rest is taken: it is no wider than the window
        # is far from its other end.
        most = half > np.pi / 2
        half = np.where(most, np.pi - half, half)
        middle = np.where(most, middle + np.pi, middle)
        middle -= 2 * np.pi * np.round(middle / (2 * np.pi))
        inside = self.regular(middle + half) - self.regular(middle - half)
        inside = np.where(most, (1.0 - self.singular)[:, None] - inside, inside)
        found: Floats = (inside * weights).sum(axis=1)
        return found

    def _cubic(self, offset: Floats) -> Floats:
        width = 2 * WINDOW * self.arms.noise / CELLS
        at = np.clip(offset / width + CELLS / 2, 0.0, CELLS)
        cell = np.minimum(at.astype(np.intp), CELLS - 1)
        u = at - cell
        low, high = (np.take_along_axis(self.cumulated, cell + k, axis=1) for k in (0, 1))
        before, after = (width * np.take_along_axis(self.density, cell + k, axis=1) for k in (0, 1))
        made: Floats = low + u * (
            before
            + u * (3 * (high - low) - 2 * before - after + u * (2 * (low - high) + before + after))
        )
        return made


def posterior(arms: Arms, measured: Floats) -> Posterior:
    """Return what second angles, shape [rows], say of the true ones.

    >>> far, close = posterior(Arms(), np.array([1.0, 0.02])).singular.round(3).tolist()
    >>> far, close > 0.9
    (0.0, True)
    """
    place = _place(measured)
    ends = np.linspace(-WINDOW, WINDOW, CELLS + 1) * arms.noise
    width = ends[1] - ends[0]
    nodes, weights = _legendre(WITHIN)
    inner = (ends[:-1, None] + width * (nodes + 1) / 2).ravel()
    mass = (_density(arms, place, inner).reshape(len(place), CELLS, -1) * weights).sum(axis=2)
    cumulated = np.concatenate(
        [np.zeros((len(place), 1)), np.cumsum(mass * width / 2, axis=1)], axis=1
    )
    made = Posterior(
        arms=arms,
        measured=measured,
        singular=np.zeros(len(place)),
        density=_density(arms, place, ends),
        cumulated=cumulated,
    )
    far = np.full((len(place), 1), WINDOW * arms.noise)
    regular = made.regular(far)[:, 0]
    singular = _singular(arms, place)
    whole = regular + singular
    return replace(
        made,
        singular=singular / whole,
        density=made.density / whole[:, None],
        cumulated=made.cumulated / whole[:, None],
    )


@cache
def _legendre(count: int) -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(count)


def _first(noise: float, tolerance: float) -> tuple[Floats, Floats]:
    """Return errors of the first angle and their weights: the rule of trapezoids is exact for normals."""
    step = min(0.75 * noise, tolerance / FINE)
    count = int(np.ceil(5.5 * noise / step))
    error: Floats = step * np.arange(-count, count + 1, dtype=np.float64)
    weight = _normal(error, noise)
    return error, weight / weight.sum()


def _place(angle: Floats) -> Floats:
    """Return angles as seen from the singularity that is nearest: 0 or pi."""
    made: Floats = angle - np.pi * np.round(angle / np.pi)
    return made


def _normal(error: Floats, noise: float) -> Floats:
    made: Floats = np.exp(-0.5 * (error / noise) ** 2) / (noise * np.sqrt(2 * np.pi))
    return made


def _by_logarithm(arms: Arms) -> float:
    """Return the density at distance one of angles that are drawn by the logarithm of it."""
    return float(arms.near / (4 * np.log((np.pi / 2) / arms.closest)))


def _density(arms: Arms, place: Floats, offset: Floats) -> Floats:
    distance = np.maximum(np.abs(_place(place[:, None] + offset)), np.arcsin(arms.limit))
    prior = _by_logarithm(arms) / distance + (1 - arms.near) / (2 * np.pi)
    made: Floats = prior * _normal(offset, arms.noise)
    return made


def _singular(arms: Arms, place: Floats) -> Floats:
    """Return prior times likelihood over the angles below the limit, shape [rows]."""
    from scipy.special import ndtr

    edge = np.arcsin(arms.limit)
    flat = ndtr((edge - place) / arms.noise) - ndtr((-edge - place) / arms.noise)
    # By the logarithm of the distance, as far as the noise reaches: nothing is narrower than that.
    away, reach = np.abs(place), WINDOW * arms.noise
    low = np.log(np.clip(away - reach, arms.closest, edge))
    high = np.log(np.clip(away + reach, arms.closest, edge))
    nodes, weights = _legendre(NEAR)
    distance = np.exp(low[:, None] + (high - low)[:, None] * (nodes + 1) / 2)
    likely = _normal(distance - away[:, None], arms.noise) + _normal(
        distance + away[:, None], arms.noise
    )
    near = (likely * weights).sum(axis=1) * (high - low) / 2
    made: Floats = _by_logarithm(arms) * near + (1 - arms.near) / (2 * np.pi) * flat
    return made
