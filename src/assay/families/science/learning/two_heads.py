"""An ordinary network: one head says whether there is a value, another what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extras import extra
from .forward import log_odds
from .head import Batch, Read, Tensor
from .rows import VALUE
from .shape import Arrays, Part, Said

SPREADS = (-5.0, 3.0)
"""Logarithms of the least and the largest standard deviation, scaled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoHeads:
    """A softmax over *a value* and every reason, and a value; taught by cross-entropy and an error.

    With ``spread`` the value comes with a standard deviation, taught by the Gaussian likelihood
    (Nix & Weigend, 1994; in an ensemble Lakshminarayanan et al., 2017); without, by the squared error.
    """

    width: int
    """Outputs of a value."""

    reasons: int
    weight: float = 1.0
    """What the value's error counts beside the cross-entropy."""

    spread: bool = False

    @property
    def outputs(self) -> int:
        """A logit for a value, one per reason; the value, and its spread."""
        return 1 + self.reasons + self.width * (2 if self.spread else 1)

    def parts(self, hidden: int) -> list[Part]:
        """Return none: everything is said by the last layer."""
        return []

    def loss(self, out: Tensor, hidden: Tensor, own: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return cross-entropy and the weighted error of the values that are there, each a mean."""
        torch = extra("torch")
        logits, value, spread = self._split(out)
        chosen = log_odds(torch, logits).gather(-1, batch.kind.unsqueeze(-1)).squeeze(-1)
        error = (value - batch.y) ** 2
        if spread is not None:
            clipped = spread.clamp(*SPREADS)
            error = 0.5 * error * torch.exp(-2.0 * clipped) + clipped
        there = batch.there / batch.there.mean(dim=1, keepdim=True).clamp(min=1e-3)
        return (-chosen + self.weight * error.mean(dim=-1) * there).mean(dim=1)

    def read(self, said: Said, weights: Arrays) -> Read:
        """Return the value, or the likeliest reason where that is likelier than a value."""
        logits, value, spread = self._split(said.out)
        odds = softmax(logits)
        return decided(
            odds,
            value,
            sd=None if spread is None else np.exp(np.clip(spread, *SPREADS)),
        )

    def _split(self, out: Any) -> tuple[Any, Any, Any]:
        classes = 1 + self.reasons
        value = out[..., classes : classes + self.width]
        return out[..., :classes], value, out[..., classes + self.width :] if self.spread else None


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities along the last axis.

    >>> softmax(np.array([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        made: NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return made


def decided(
    odds: NDArray[np.float64], value: NDArray[np.float64], sd: NDArray[np.float64] | None = None
) -> Read:
    """Return what probabilities of the classes, shape [rows, 1 + reasons], and values come to."""
    fault = np.asarray(~(np.isfinite(odds).all(axis=1) & np.isfinite(value).all(axis=1)))
    odds = np.where(fault[:, None], 0.0, odds)
    reason = (
        1 + odds[:, 1:].argmax(axis=1) if odds.shape[1] > 1 else np.full(len(odds), -1, np.int64)
    )
    return Read(
        value=value,
        confidence=np.clip(odds[:, VALUE], 0.0, 1.0),
        declines=odds.argmax(axis=1) != VALUE,
        reason=reason.astype(np.int64),
        fault=fault,
        odds=odds,
        sd=sd,
    )
