"""What a head is: how a network's numbers become a value, or none, and what it is taught by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .rows import Rows
from .shape import Arrays, Part, Said

Tensor: TypeAlias = Any
"""A torch tensor.  ``Any``, because torch is imported where it is needed."""

NONE = -1
"""No reason is known: it declines, and cannot say which way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows that a stack of networks learns from at once; tensors."""

    y: Tensor
    """Scaled values, 0 where there is none, shape [networks, rows, outputs]."""

    there: Tensor
    """1 where there is a value, shape [networks, rows]."""

    kind: Tensor
    """``VALUE`` or one more than the place of the reason, shape [networks, rows]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a head makes of a network's numbers, row by row."""

    value: NDArray[np.float64]
    """Scaled, shape [rows, outputs]; whatever it is where it is not finite."""

    confidence: NDArray[np.float64]
    """How sure it is that there is a value, in [0, 1], shape [rows]."""

    declines: NDArray[np.bool_]
    reason: NDArray[np.int64]
    """The class it would decline with, or ``NONE``, shape [rows]."""

    fault: NDArray[np.bool_]
    """Whether its numbers are none."""

    odds: NDArray[np.float64] | None = None
    """Probabilities of the classes, shape [rows, 1 + reasons], where it has them."""

    sd: NDArray[np.float64] | None = None
    """Scaled standard deviation of the value, shape [rows, outputs], where it says one."""


class Head(Protocol):
    """Teaches a network, and reads it."""

    @property
    def outputs(self) -> int:
        """How many numbers the network has to say."""
        ...

    def parts(self, hidden: int) -> list[Part]:
        """Return the parameters of its own; ``hidden`` is the width of the last hidden layer."""
        ...

    def loss(self, out: Tensor, hidden: Tensor, own: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the mean loss of each network, shape [networks]; ``hidden`` is of the products' precision."""
        ...

    def read(self, said: Said, weights: Arrays) -> Read:
        """Return what the numbers of one network mean."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A confidence below which a network declines, and what tune rows say of it."""

    threshold: float
    score: float
    """Mean cost of a row there: lower is better."""


def best_gate(read: Read, rows: Rows, y: NDArray[np.float64]) -> Gate:
    """Return the threshold that costs least on rows that a network was not taught; ``y`` is scaled.

    An answer costs its absolute error in standard deviations, at most 1, and 1 where there is no value;
    a decline costs 1 where there is one, nothing for the right reason, half for another one or none
    where there are several; a fault costs 1.  One rule for all heads, so that tuning is equal for them.

    >>> rows = Rows(x=np.zeros((2, 1)), y=np.array([[0.0], [np.nan]]), kind=np.array([0, 1]), reasons=("a",))
    >>> said = Read(
    ...     value=np.zeros((2, 1)), confidence=np.array([0.8, 0.4]), declines=np.zeros(2, bool),
    ...     reason=np.ones(2, np.int64), fault=np.zeros(2, bool),
    ... )
    >>> gate = best_gate(said, rows, rows.y)
    >>> round(gate.threshold, 2), gate.score
    (0.6, 0.0)
    """
    answers, declines = _costs(read, rows, y)
    order = np.argsort(-read.confidence, kind="stable")
    sure = read.confidence[order]
    # Place k answers the k surest rows; between equal ones there is no threshold.
    costs = np.concatenate([[0.0], np.cumsum(answers[order])])
    costs += np.concatenate([np.cumsum(declines[order][::-1])[::-1], [0.0]])
    apart = np.concatenate([[True], sure[1:] != sure[:-1], [True]])
    best = int(np.where(apart, costs, np.inf).argmin())
    if best == 0:
        threshold = float(np.nextafter(sure[0], 2.0)) if len(sure) else 0.0
    elif best == len(sure):
        threshold = 0.0
    else:
        # Between neighbours among the doubles there is no middle: the upper one then.
        above = np.nextafter(sure[best], 2.0)
        threshold = float(max((sure[best - 1] + sure[best]) / 2, above))
    return Gate(threshold=threshold, score=float(costs[best] / max(1, len(sure))))


def own_gate(read: Read, rows: Rows, y: NDArray[np.float64]) -> float:
    """Return the mean cost of a row where a head declines by its own rule."""
    answers, declines = _costs(read, rows, y)
    return float(np.where(read.declines, declines, answers).mean())


def _costs(
    read: Read, rows: Rows, y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what answering and declining cost, row by row."""
    good: NDArray[np.bool_] = np.asarray(np.isfinite(read.value).all(axis=1))
    with np.errstate(over="ignore"):
        error = np.abs(np.where(good[:, None], read.value, 1e9) - y).mean(axis=1)
    answers = np.where(rows.there, np.minimum(error, 1.0), 1.0)
    astray = (read.reason != rows.kind) & (len(rows.reasons) > 1)
    declines = np.where(rows.there, 1.0, 0.5 * astray)
    return np.where(read.fault, 1.0, answers), np.where(read.fault, 1.0, declines)
