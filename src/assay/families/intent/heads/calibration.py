"""Calibrations: class logits to probabilities, in ways that keep the order and never claim certainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from assay import PlanError, PluginError

Floats: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["temperature", "sigmoid", "isotonic", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Temperature:
    """Softmax of the logits divided by one number; 1 is no calibration.

    Method: Guo et al., "On calibration of modern neural networks" (2017).

    >>> Temperature(value=2.0).probabilities(np.array([[0.0, 2.0]])).round(3).tolist()
    [[0.269, 0.731]]
    """

    value: float = 1.0
    kind: Literal["temperature", "none"] = "temperature"

    def probabilities(self, logits: Floats) -> Floats:
        """Return [n, classes] that sum to 1, from logits of the same shape."""
        return softmax(logits / self.value)

    def arrays(self) -> dict[str, Floats]:
        """Return the numbers it consists of, by name."""
        return {"calibration.temperature": np.array([self.value])}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sigmoid:
    """A logistic curve for each class against the rest, normalised to sum to 1.

    Method: Platt, "Probabilistic outputs for support vector machines" (1999), on the log-odds of a
    class against the rest; slopes are positive, so that more of a class is never less probable
    before normalising.
    """

    slope: Floats
    """[classes]"""

    offset: Floats
    """[classes]"""

    kind: Literal["sigmoid"] = "sigmoid"

    def probabilities(self, logits: Floats) -> Floats:
        """Return [n, classes] that sum to 1, from logits of the same shape."""
        return normalised(self.each(log_odds(logits)))

    def each(self, odds: Floats) -> Floats:
        """Return the probability of each class against the rest, before normalising."""
        return expit(odds * self.slope + self.offset)

    def arrays(self) -> dict[str, Floats]:
        """Return the numbers it consists of, by name."""
        return {"calibration.slope": self.slope, "calibration.offset": self.offset}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Isotonic:
    """A rising curve through steps for each class against the rest, normalised to sum to 1.

    Method: isotonic regression on the log-odds of a class against the rest (Zadrozny and Elkan,
    "Transforming classifier scores into accurate multiclass probability estimates", 2002).  Plain, it
    is flat within steps and 0 or 1 at its ends, so that confidences tie and claim what no finite
    sample shows.  Here a class's levels stay within Platt's targets, 1 / (misses + 2) and
    (hits + 1) / (hits + 2), and a share ``floor`` of a curve that rises everywhere is mixed in.
    """

    x: Floats
    """Knots of all classes, one class after the other."""

    y: Floats
    ends: Floats
    """[classes]: where each class's knots end."""

    floor: float
    kind: Literal["isotonic"] = "isotonic"

    def probabilities(self, logits: Floats) -> Floats:
        """Return [n, classes] that sum to 1, from logits of the same shape."""
        return normalised(self.each(log_odds(logits)))

    def each(self, odds: Floats) -> Floats:
        """Return the probability of each class against the rest, before normalising."""
        found = np.empty_like(odds)
        start = 0
        for place, end in enumerate(self.ends.astype(np.int64).tolist()):
            found[:, place] = np.interp(odds[:, place], self.x[start:end], self.y[start:end])
            start = end
        rising = (1 + odds / (1 + np.abs(odds))) / 2
        return np.asarray((1 - self.floor) * found + self.floor * rising, dtype=np.float64)

    def arrays(self) -> dict[str, Floats]:
        """Return the numbers it consists of, by name."""
        return {
            "calibration.x": self.x,
            "calibration.y": self.y,
            "calibration.ends": self.ends,
            "calibration.floor": np.array([self.floor]),
        }


Calibration: TypeAlias = Temperature | Sigmoid | Isotonic


def to_kind(kind: str) -> Kind:
    """Return a kind of calibration by its name.  Raises ``PlanError`` A102 for a name that is none.

    >>> to_kind("isotonic")
    'isotonic'
    """
    for known in KINDS:
        if kind == known:
            return known
    raise PlanError(
        f"no calibration is called {kind!r}", hint=f"one of {', '.join(KINDS)}", code="A102"
    )


def to_calibration(kind: str, arrays: Mapping[str, Floats], *, classes: int) -> Calibration:
    """Make a calibration of the numbers that ``arrays`` returned.

    Raises ``PluginError`` A403 for numbers that are missing, of another shape, or not finite.

    >>> to_calibration("none", {"calibration.temperature": np.ones(1)}, classes=2).kind
    'none'
    """
    try:
        match to_kind(kind):
            case "temperature" | "none" as same:
                [value] = arrays["calibration.temperature"].tolist()
                found: Calibration = Temperature(value=value, kind=same)
                sound = value > 0
            case "sigmoid":
                slope, offset = arrays["calibration.slope"], arrays["calibration.offset"]
                found = Sigmoid(slope=slope, offset=offset)
                sound = slope.shape == offset.shape == (classes,) and bool((slope > 0).all())
            case "isotonic":
                x, y, ends = (arrays[f"calibration.{name}"] for name in ("x", "y", "ends"))
                [floor] = arrays["calibration.floor"].tolist()
                found = Isotonic(x=x, y=y, ends=ends, floor=floor)
                sound = (
                    ends.shape == (classes,)
                    and x.shape == y.shape == (int(ends[-1]),)
                    and bool((np.diff(ends, prepend=0) >= 1).all())
                    and 0 < floor < 1
                )
    except (KeyError, ValueError, PlanError) as error:
        raise _broken(str(error)) from None
    if not sound or not all(np.isfinite(array).all() for array in found.arrays().values()):
        raise _broken("its numbers do not fit")
    return found


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row.

    >>> softmax(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)


def log_odds(logits: Floats) -> Floats:
    """Return the log-odds of each class against the rest, under the softmax of each row.

    >>> log_odds(np.log([[0.8, 0.1, 0.1]])).round(3).tolist()
    [[1.386, -2.197, -2.197]]
    """
    top = logits.argmax(axis=1)
    rows = np.arange(len(logits))
    shifted = logits - logits[rows, top][:, None]
    shares = np.exp(shifted)
    # For the winner the others are added up on their own: taking it off the sum would cancel.
    shares[rows, top] = 0.0
    others = shares.sum(axis=1)
    rest = np.log1p(others[:, None] - shares)
    rest[rows, top] = np.log(np.maximum(others, np.finfo(np.float64).tiny))
    return np.asarray(shifted - rest, dtype=np.float64)


def expit(odds: Floats) -> Floats:
    """Return the logistic function, strictly between 0 and 1: odds beyond 30 count as 30.

    >>> bool(0 < expit(np.array([-1e9]))[0] < expit(np.array([1e9]))[0] < 1)
    True
    """
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), dtype=np.float64)


def normalised(each: Floats) -> Floats:
    """Divide each row by its sum."""
    return np.asarray(each / each.sum(axis=1, keepdims=True), dtype=np.float64)


def _broken(fact: str) -> PluginError:
    return PluginError(
        f"the calibration cannot be read: {fact}", hint="train the mapper again", code="A403"
    )
