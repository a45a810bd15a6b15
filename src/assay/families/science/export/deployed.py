"""A network with the gate that it ships with: what its graph has to say, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

import numpy as np
from numpy.typing import NDArray

from ..learning.binned import Binned
from ..learning.head import Head
from ..learning.projective import NumPy, Projective
from ..learning.rows import VALUE, Floats, Scale
from ..learning.shape import Arrays, Said, Shape
from ..learning.two_heads import TwoHeads
from ..recipes.answering import SAID_DIGITS

NAMES = (
    "decoded",
    "bottom_mask",
    "gap_mask",
    "fault_mask",
    "semantic_bottom_mask",
    "bottom_provenance",
    "confidence",
    "reason",
)
"""What a graph says, in this order."""

PROVENANCE = ("none", "fault", "semantic", "mixed")
EXPORTED = (Projective, TwoHeads, Binned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When a network declines."""

    tau: float
    """Below this confidence: |Q| of a rational head, else the probability of a value."""

    own: bool = False
    """Whether it also declines by its head's own rule: |Q| below the tau of its training, or a reason
    that is likelier than a value."""

    tau_train: float | None = None
    """Below it, and not declined, is the gap: watched only.  None: its head knows no such margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Everything that a graph is made of."""

    shape: Shape
    head: Head
    scale: Scale
    weights: Arrays
    reasons: tuple[str, ...]
    gate: Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What is said of some rows; masks are authoritative, whatever stands beneath them."""

    decoded: Floats
    """Values in their units, NaN where there is none, shape [rows, outputs]."""

    bottom: NDArray[np.bool_]
    """Whether there is no value: a fault, or what the gate says, shape [rows]."""

    gap: NDArray[np.bool_]
    fault: NDArray[np.bool_]
    """Whether its numbers, or what it was given, are none."""

    semantic: NDArray[np.bool_]
    """Whether the gate declines."""

    provenance: NDArray[np.int64]
    """A place in ``PROVENANCE``."""

    confidence: Floats
    reason: NDArray[np.int64]
    """The place of the reason it declines with, or would; -1 where it has none."""

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """The outputs in the order of ``NAMES``."""
        masks = (self.bottom, self.gap, self.fault, self.semantic)
        return (self.decoded, *masks, self.provenance, self.confidence, self.reason)


def outputs(deployed: Deployed, x: Floats) -> Outputs:
    """Return what a network says of features in their units, shape [rows, features].

    The same as ``recipes.answering`` makes replies of, but for rows that hold NaN or an infinity:
    those are faults here, and cannot be asked there.
    """
    head, weights, gate = deployed.head, deployed.weights, deployed.gate
    given = _finite(x)
    with np.errstate(all="ignore"):
        said = deployed.shape.say(deployed.scale.inward(x), weights)
        read = head.read(said, weights)
        values = deployed.scale.outward(read.value)
        sure, own = _rule(head, said, weights)
    good, was = _finite(values), _finite(read.value)
    fault = read.fault | (was & ~good) | ~given
    semantic = (sure < gate.tau) | (own & gate.own) | (~good & ~fault)
    bottom = fault | semantic
    gap = (
        np.zeros(len(x), np.bool_) if gate.tau_train is None else ~bottom & (sure < gate.tau_train)
    )
    return Outputs(
        decoded=np.where(bottom[:, None], np.nan, values),
        bottom=bottom,
        gap=gap,
        fault=fault,
        semantic=semantic,
        provenance=fault.astype(np.int64) + 2 * semantic,
        confidence=np.where(fault, 0.0, read.confidence),
        reason=np.where(fault | (read.reason < 1), -1, read.reason - 1),
    )


def before_rounding(tau: float) -> float:
    """Return the threshold that declines before rounding what ``tau`` declines after it.

    Confidences are said with six significant digits, and thresholds are chosen among those.

    >>> before_rounding(0.25), before_rounding(0.0)
    (0.2499995, 0.0)
    """
    if tau <= 0:
        return 0.0
    kept = Context(prec=SAID_DIGITS, rounding=ROUND_CEILING).create_decimal(Decimal(tau))
    below = Context(prec=SAID_DIGITS).next_minus(kept)
    return float((below + kept) / 2)


def _finite(values: Floats) -> NDArray[np.bool_]:
    """Return which rows hold numbers only."""
    return np.asarray(np.isfinite(values).all(axis=1))


def _rule(head: Head, said: Said, weights: Arrays) -> tuple[Floats, NDArray[np.bool_]]:
    """Return what the gate looks at, NaN where that is none, and what the head's own rule declines."""
    if isinstance(head, Projective):
        _, q = head.pair(NumPy, said.out, weights)
        return np.abs(q), np.abs(q) < head.taus.infer
    read = head.read(said, weights)
    assert read.odds is not None
    sure = np.where(read.fault, np.nan, read.odds[:, VALUE])
    return sure, read.declines & ~read.fault
