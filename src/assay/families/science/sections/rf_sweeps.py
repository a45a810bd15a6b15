"""The frequencies of each filter of a test split, in order, with what is seen and true of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..domains.drawn import Floats
from .reading import Evidence
from .said import Said

DECADE = 0.001
"""Decades: the unit of the compressed distance from the resonance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One filter."""

    name: str
    rows: NDArray[np.int64]
    """Its samples, by frequency."""

    away: Floats
    """log10 of frequency over the resonance that is seen, thousandths of a decade."""

    seen: float
    """log10 of the resonance that is seen."""

    true: float | None
    """log10 of the true resonance, from a response; None where no row has one."""

    peak: int | None
    """The sample of its highest response, where that is a value."""


def sweeps_of(evidence: Evidence) -> list[Sweep]:
    """Return every filter, by name."""
    asked = evidence.asked
    log_w, seen = asked.column(0), asked.column(1)
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(asked.groups.tolist()):
        groups.setdefault(name, []).append(i)
    found = []
    for name in sorted(groups):
        rows = np.array(groups[name])
        rows = rows[np.argsort(log_w[rows], kind="stable")]
        there = rows[asked.there[rows]]
        height = np.hypot(*asked.y[there].T) if there.size else np.zeros(0)
        top = int(there[height.argmax()]) if there.size else None
        # A sweep whose highest response is a pole has no peak that could be kept.
        is_peak = top is not None and there.size == rows.size
        found.append(
            Sweep(
                name=name,
                rows=rows,
                away=(log_w[rows] - seen[rows]) / DECADE,
                seen=float(seen[rows[0]]),
                true=None if top is None else _resonance(log_w[top], asked.y[top]),
                peak=top if is_peak else None,
            )
        )
    return found


def _resonance(log_w: float, response: Floats) -> float | None:
    """Return log10 of w0 from one response: 1/H = 1 - (w/w0)^2 + j..."""
    below = 1.0 / complex(response[0], response[1])
    square = 1.0 - below.real
    return float(log_w - 0.5 * np.log10(square)) if square > 0 else None


def height(values: Floats) -> Floats:
    """Return decibels of responses, shape [rows, 2]; NaN where there is none.  At least -80."""
    size = np.hypot(values[:, 0], values[:, 1])
    return np.maximum(20.0 * np.log10(np.maximum(size, 1e-4)), -80.0) + 0.0 * size


def phase(values: Floats) -> Floats:
    """Return degrees of responses, above -270 and at most 90.

    A resonator turns from 0 to -180: there the circle must not be cut, or what is next to each other
    would be drawn 360 degrees apart.

    >>> phase(np.array([[1.0, 0.0], [-1.0, 1e-9], [-1.0, -1e-9], [0.0, 1.0]])).round().tolist()
    [0.0, -180.0, -180.0, 90.0]
    """
    found = np.degrees(np.arctan2(values[:, 1], values[:, 0]))
    return np.where(found > 90.0, found - 360.0, found)


def given(said: Said, rows: NDArray[np.int64]) -> Floats:
    """Return what was answered at some rows; NaN where nothing was."""
    return np.where(said.answered[rows][:, None], said.value[rows], np.nan)
