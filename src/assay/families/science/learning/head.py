"""What a head is: how a network's numbers become a value, or none, and what it is taught by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .rows import VALUE, Rows
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
        """Return the mean loss of each network, shape [networks]."""
        ...

    def read(self, said: Said, weights: Arrays) -> Read:
        """Return what the numbers of one network mean."""
        ...


def score(read: Read, rows: Rows, y: NDArray[np.float64]) -> float:
    """Return how far a network is from right, on rows that it was not taught: lower is better.

    Of each row: the absolute error in standard deviations, at most 1, where a value is there and
    given; 1 where it is withheld, or invented; nothing for the right reason, half for another one or
    none where there are several.  One rule for all heads, so that tuning is equal for them.
    """
    there, given = rows.there, ~read.declines & ~read.fault
    error = np.abs(np.where(np.isfinite(read.value), read.value, 1e9) - np.nan_to_num(y)).mean(
        axis=1
    )
    cost = np.where(there & given, np.minimum(error, 1.0), 1.0)
    wrong_way = (read.reason != rows.kind) & (len(rows.reasons) > 1)
    cost = np.where(~there & ~given & ~read.fault, 0.5 * wrong_way, cost)
    return float(cost.mean())


def classes(rows_kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows have a value.

    >>> classes(np.array([0, 1])).tolist()
    [True, False]
    """
    found: NDArray[np.bool_] = rows_kind == VALUE
    return found
