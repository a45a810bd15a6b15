"""A softmax over intervals of the value, beside one over reasons: the whole distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extras import extra
from .forward import log_odds
from .head import Batch, Read, Tensor
from .shape import Arrays, Part, Said
from .two_heads import decided, softmax

REACH = 3.0
"""Standard deviations of the scaled value that the intervals cover on each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binned:
    """Classes, and for each output of a value a softmax over equal intervals.

    Taught by cross-entropy alone, with the target spread over its two nearest intervals.  The value
    is the mean of the intervals' centres.
    """

    width: int
    reasons: int
    bins: int = 40

    @property
    def outputs(self) -> int:
        """A logit for a value, one per reason, and the intervals of each output."""
        return 1 + self.reasons + self.width * self.bins

    @property
    def centres(self) -> NDArray[np.float64]:
        """Centres of the intervals, scaled, shape [bins]."""
        return np.linspace(-REACH, REACH, self.bins)

    def parts(self, hidden: int) -> list[Part]:
        """Return none: everything is said by the last layer."""
        return []

    def loss(self, out: Tensor, hidden: Tensor, own: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the cross-entropies of class and value, the latter where there is one."""
        torch = extra("torch")
        logits, values = self._split(out)
        chosen = log_odds(torch, logits).gather(-1, batch.kind.unsqueeze(-1)).squeeze(-1)
        step = 2.0 * REACH / (self.bins - 1)
        at = ((batch.y + REACH) / step).clamp(0.0, self.bins - 1.0 - 1e-4)
        left = at.floor().long()
        share = at - left
        logs = torch.log_softmax(values, dim=-1)
        near = logs.gather(-1, left.unsqueeze(-1)).squeeze(-1)
        next_ = logs.gather(-1, (left + 1).unsqueeze(-1)).squeeze(-1)
        of_value = ((1.0 - share) * near + share * next_).mean(dim=-1)
        there = batch.there / batch.there.mean(dim=1, keepdim=True).clamp(min=1e-3)
        return (-chosen - of_value * there).mean(dim=1)

    def read(self, said: Said, weights: Arrays) -> Read:
        """Return the mean of the distribution, or the likeliest reason where that is likelier."""
        logits, values = self._split(said.out)
        shares = softmax(values)
        mean = shares @ self.centres
        square = shares @ self.centres**2
        return decided(softmax(logits), mean, sd=np.sqrt(np.maximum(square - mean**2, 1e-12)))

    def _split(self, out: Any) -> tuple[Any, Any]:
        classes = 1 + self.reasons
        values = out[..., classes:]
        return out[..., :classes], values.reshape(*values.shape[:-1], self.width, self.bins)
