"""A second-order resonator: its denominator, and the largest response that it has."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from .drawn import Floats

Complexes = NDArray[np.complex128]

LIMIT = 0.01
"""|D| below which there is no value: 40 dB above the response at low frequencies."""


def denominator(log_w: Floats, log_w0: Floats, damping: Floats) -> Complexes:
    """Return D, whose inverse is the response; arguments of shapes that go together.

    >>> denominator(np.array([0.0]), np.array([0.0]), np.array([0.1])).tolist()
    [0.1j]
    """
    ratio = 10.0 ** (log_w - log_w0)
    made: Complexes = (1.0 - ratio**2) + 1j * (damping * ratio)
    return made


def highest(response: complex) -> float:
    """Return the largest response that a filter has anywhere, from its response at one frequency.

    One response leaves nothing open: D = 1 / H gives both r and d.  No value is larger
    than the inverse of the limit.

    >>> round(highest(1 / (1 - 0.8**2 + 0.05j * 0.8)), 2)
    20.01
    """
    below = 1.0 / response
    ratio = sqrt(abs(1.0 - below.real))
    damping = below.imag / ratio if ratio else 0.0
    if damping >= sqrt(2.0):  # overdamped: it only falls
        return 1.0
    peak = damping * sqrt(1.0 - damping**2 / 4.0)
    return 1.0 / max(peak, LIMIT)
