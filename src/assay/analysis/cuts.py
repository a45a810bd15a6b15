"""One threshold, and what calibration showed of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..store.columns import CODE, Floats

ANSWERED = tuple(CODE[name] for name in ("correct", "wrong", "invented"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One threshold, and what calibration showed of it."""

    value: float | None
    """None: what it is for is declined, however sure."""

    said: str | None = None
    """The answer that it is for, as stored; None: every answer."""

    accepted: int = 0
    """Calibration groups with a guarantee (one random sample each), samples without."""

    errors: int = 0
    p: float | None = None
    at_most: float | None = None
    """Clopper-Pearson bound on the risk among accepted samples; only with a guarantee."""

    worth: float | None = None
    """Coverage or utility on calibration; only without a guarantee."""

    why: str = ""
    """Why there is none, or why it is not what was asked for."""

    def keeps(self, confidence: Floats) -> NDArray[np.bool_]:
        """Return which answers are given.  One without a confidence is the surest; none is without a cut."""
        if self.value is None:
            return np.zeros(confidence.shape, dtype=np.bool_)
        return ~(confidence < self.value)
