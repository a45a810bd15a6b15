"""Multilayer perceptrons: what they are made of, how they begin, what they say (NumPy)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Activation: TypeAlias = Literal["relu", "silu"]
Arrays: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Parameters of one network, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One array of parameters."""

    name: str
    shape: tuple[int, ...]
    spread: float
    """Standard deviation at the start."""

    start: tuple[float, ...] = (0.0,)
    """Mean at the start, along the last axis."""

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A trunk of hidden layers, and one linear layer that says everything."""

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: Activation = "relu"

    def parts(self) -> Iterator[Part]:
        """Yield weights ``w0``, ``b0`` and so on; the last layer is ``wo``, ``bo``.

        Weights begin normal with the deviation of He et al. (2015) for what follows a rectifier,
        1/sqrt(fan-in) for what is said; biases at zero.
        """
        before = self.inputs
        for i, width in enumerate(self.hidden):
            yield Part(name=f"w{i}", shape=(before, width), spread=(2.0 / before) ** 0.5)
            yield Part(name=f"b{i}", shape=(1, width), spread=0.0)
            before = width
        yield Part(name="wo", shape=(before, self.outputs), spread=(1.0 / before) ** 0.5)
        yield Part(name="bo", shape=(1, self.outputs), spread=0.0)

    def say(self, x: NDArray[np.float64], weights: Arrays) -> Said:
        """Return what a network says of some rows, shape [rows, inputs]."""
        last = x
        for i in range(len(self.hidden)):
            made = last @ weights[f"w{i}"]
            made += weights[f"b{i}"]
            last = _ACTIVATIONS[self.activation](made)
        return Said(out=last @ weights["wo"] + weights["bo"], hidden=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a network says, before a head reads it."""

    out: NDArray[np.float64]
    """Shape [rows, outputs]."""

    hidden: NDArray[np.float64]
    """Shape [rows, last hidden width]."""


def begin(parts: list[Part], seed: int) -> dict[str, NDArray[np.float64]]:
    """Return the parameters that a seed draws, the same on every machine.

    >>> one = begin([Part(name="w", shape=(2, 1), spread=1.0)], seed=3)
    >>> bool((one["w"] == begin([Part(name="w", shape=(2, 1), spread=1.0)], seed=3)["w"]).all())
    True
    """
    rng = np.random.Generator(np.random.PCG64([seed, _BEGIN]))
    return {
        part.name: np.asarray(part.start) + part.spread * rng.normal(size=part.shape)
        for part in parts
    }


_BEGIN = 101
"""Keeps the numbers of the start apart from those of the shuffles."""


def _relu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(x, 0.0)


def _silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    # In one place after another: fresh memory costs more than what is worked out in it.
    made: NDArray[np.float64] = np.clip(x, -500.0, 500.0)
    np.negative(made, out=made)
    np.exp(made, out=made)
    made += 1.0
    return np.divide(x, made, out=made)


_ACTIVATIONS = {"relu": _relu, "silu": _silu}
