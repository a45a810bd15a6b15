"""A head over features: from a feature vector to what a system says, in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, Failed

from ..labels import Labels
from .calibration import Calibration, Floats, Temperature

Kind: TypeAlias = Literal["linear", "mlp"]
UNCALIBRATED = Temperature(kind="none")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hidden:
    """One hidden layer: ``max(0, weights @ x + bias)``."""

    weights: Floats
    """[units, features]"""

    bias: Floats
    """[units]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """Class logits ``weights @ x + bias``, calibrated, turned into what a system says."""

    labels: Labels
    weights: Floats
    """[classes, features] (of the hidden layer, where there is one), the reject classes last."""

    bias: Floats
    """[classes]"""

    calibration: Calibration = UNCALIBRATED
    hidden: Hidden | None = None

    @property
    def kind(self) -> Kind:
        """Whether there is a hidden layer."""
        return "linear" if self.hidden is None else "mlp"

    @property
    def features(self) -> int:
        """How many numbers a feature vector has."""
        return int((self.weights if self.hidden is None else self.hidden.weights).shape[1])

    @property
    def size(self) -> int:
        """How many numbers were learnt, the calibration's left out."""
        hidden = 0 if self.hidden is None else self.hidden.weights.size + self.hidden.bias.size
        return self.weights.size + self.bias.size + hidden

    def logits_of(self, x: NDArray[np.float32] | Floats) -> Floats:
        """Return the logits of one dense feature vector: [classes]."""
        inner = x.astype(np.float64)
        if self.hidden is not None:
            inner = np.maximum(self.hidden.weights @ inner + self.hidden.bias, 0.0)
        return np.asarray(self.weights @ inner + self.bias, dtype=np.float64)

    def logits(self, rows: Any) -> Floats:
        """Return the logits of feature vectors [n, features], dense or CSR: [n, classes].

        Equal to ``logits_of`` each row but for the last bits, which follow the order of sums.
        """
        inner = rows
        if self.hidden is not None:
            inner = np.maximum(inner @ self.hidden.weights.T + self.hidden.bias, 0.0)
        return np.asarray(inner @ self.weights.T + self.bias, dtype=np.float64)

    def say(self, x: NDArray[np.float32] | Floats) -> Answer | Bottom | Failed:
        """Decide about one dense feature vector."""
        return self.decide(self.logits_of(x))

    def say_sparse(self, features: NDArray[np.int64], values: Floats) -> Answer | Bottom | Failed:
        """Decide about one sparse feature vector: feature numbers and their values."""
        return self.decide(self.logits_of_sparse(features, values))

    def logits_of_sparse(self, features: NDArray[np.int64], values: Floats) -> Floats:
        """Return the logits of one sparse feature vector; for heads without a hidden layer."""
        return np.asarray(self.weights[:, features] @ values + self.bias, dtype=np.float64)

    def decide(self, logits: Floats) -> Answer | Bottom | Failed:
        """Decide, given the logits of the classes.

        >>> head = Head(
        ...     labels=Labels(names=("stake", "swap"), reasons=()),
        ...     weights=np.zeros((2, 1)), bias=np.zeros(2),
        ... )
        >>> head.decide(np.array([0.0, 2.0])).confidence
        0.880797
        """
        if not np.isfinite(logits).all():
            return Failed("non_finite")
        return self.labels.say(self.calibration.probabilities(logits[None])[0].tolist())

    def storable(self) -> Head:
        """Return the head as its file holds it: weights that single precision can write."""
        hidden = self.hidden and Hidden(
            weights=_single(self.hidden.weights), bias=_single(self.hidden.bias)
        )
        return replace(self, weights=_single(self.weights), bias=_single(self.bias), hidden=hidden)


def _single(numbers: Floats) -> Floats:
    return numbers.astype(np.float32).astype(np.float64)
