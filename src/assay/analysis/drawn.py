"""The systems on a front: point estimates beside resamples."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.metric import Better, Estimate
from ..stats.inference import Resampled
from ..store.columns import Floats
from .case import Case
from .redraws import Redraws, bracketed


@dataclass(frozen=True, slots=True)
class Drawn:
    """Point estimates and resamples of the systems on a front."""

    case: Case
    systems: tuple[str, ...]
    objectives: tuple[tuple[str, Better], ...]
    values: Floats
    """Shape [systems, objectives]."""

    redraws: Redraws

    @property
    def better(self) -> list[Better]:
        """One direction per objective."""
        return [better for _, better in self.objectives]

    def column(self, metric: str) -> Floats:
        """Return the point estimates on one objective."""
        return self.values[:, [name for name, _ in self.objectives].index(metric)]

    @property
    def moves(self) -> bool:
        """Whether the resamples differ at all."""
        draws = [self.redraws.draws[name] for name, _ in self.objectives]
        return any((np.nanmax(d, axis=0) > np.nanmin(d, axis=0)).any() for d in draws if d.size)


def expected(base: Estimate, draws: Floats, what: str) -> Estimate:
    """Return the mean of non-negative draws with a percentile interval."""
    drawn = draws[~np.isnan(draws)]
    if not drawn.any():
        why = f"on the {what} in each of {drawn.size:,} resamples"
        return replace(base, value=0.0 if drawn.size else None, low=None, high=None, method=why)
    mean = float(drawn.mean())
    said = f"mean distance below the {what}, {drawn.size:,} paired resamples"
    return bracketed(base, Resampled(value=mean, draws=draws, method=said))
