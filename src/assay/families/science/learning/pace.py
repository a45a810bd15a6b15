"""How the rate of learning grows, and falls as a cosine."""

from __future__ import annotations

import numpy as np


def pace(step: int, steps: int, warmup: float) -> float:
    """Return the factor of the rate at a step.

    >>> [round(pace(step, 100, 0.1), 3) for step in (0, 9, 55, 99)]
    [0.1, 1.0, 0.505, 0.01]
    """
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return float(0.01 + 0.99 * 0.5 * (1.0 + np.cos(np.pi * done)))
