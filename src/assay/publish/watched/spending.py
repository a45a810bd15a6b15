"""What a system's replies cost so far, at the prices of the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...analysis.prices import PriceTable
from .following import Following


def spent(prices: PriceTable, system: str, cells: Sequence[Following]) -> float | None:
    """Return dollars for every reply so far; None where nothing says what they cost.

    A reply without a measurement counts as the others on average.  These are replies asked side by side: what a
    question costs is measured later, one at a time.
    """
    replies = sum(one.there for one in cells)
    sums: dict[str, np.ndarray] = {}
    for name in {name for one in cells for name in one.spent}:
        known = sum(one.measured[name] for one in cells)
        total = sum(one.spent.get(name, 0.0) for one in cells)
        # Cached tokens are noted where there are some; all else stands for every reply.
        scale = 1.0 if name == "tokens_cached" else replies / known
        sums[name] = np.array([total * scale])
    if not sums:
        return None
    columns = {"busy_s": np.array([np.nan]), **sums}
    found = float(prices.usd(columns, system)[0])
    return None if np.isnan(found) else found
