"""A rational head: the value is P / Q, and there is none where Q is near zero.

Covered: the parts of the published head and its ablations (start near Q = 0, anchor, detached
renormalisation, margin, separation, sign and coverage losses, a head for the direction, an angle in
the place of P and Q).  Not covered: anything that the gate |Q| < tau could do and a learned scalar
could not; ``two_heads`` is its rival of equal size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import rational_loss
from .head import NONE, Batch, Read, Tensor
from .shape import Arrays, Part, Said

Direction: TypeAlias = Literal["none", "sign", "joint", "detached"]
"""How a reason is named: not at all, by the sign of P, or by a linear head whose gradient reaches the
trunk or not."""

Form: TypeAlias = Literal["rational", "angle"]
Fit: TypeAlias = Literal["oriented", "chordal", "implicit", "published"]
"""Between (P, Q) and its target: one minus the cosine of the angle between both; the square of its
sine, for which (P, Q) and (-P, -Q) are the same; or the squared cross product over
(Q Yd)^2 + (P Yn)^2, which has no bound where a value near zero meets a Q of zero.  As it was
published, what it is divided by has no gradient; ``implicit`` is the ablation in which it has."""

NUMERATOR, DENOMINATOR = 3, 2
"""Degrees of P and Q in the two numbers that the trunk says."""

START = 0.01
"""Spread of the first coefficients around P = z and Q = z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each loss counts."""

    fit: float = 1.0
    """How far (P, Q) is from the target, by one of three measures."""

    decoded: float = 0.0
    """(P / Q - y)^2 where there is a value: what the implicit loss replaces."""

    margin: float = 0.0
    separation: float = 0.0
    sign: float = 0.0
    coverage: float = 0.0
    direction: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Taus:
    """Thresholds on |Q| after renormalisation."""

    infer: float = 0.025
    """Below it there is no value."""

    train: float = 0.05
    """Below it, and not below ``infer``, is the gap: watched, not declined."""

    bottom: float = 0.01
    """Above it, |Q| is pushed down where there is no value."""

    finite: float = 0.05
    """Below it, |Q| is pushed up where there is one."""

    @classmethod
    def around(cls, infer: float) -> Taus:
        """Return the thresholds in their published proportions to the first.

        >>> Taus.around(0.025) == Taus()
        True
        """
        return cls(infer=infer, train=2 * infer, bottom=infer / 2.5, finite=2 * infer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projective:
    """Every P and Q as a polynomial of a number, renormalised to P^2 + Q^2 = 1."""

    width: int
    reasons: int
    form: Form = "rational"
    direction: Direction = "sign"
    anchored: bool = False
    """Q = 1 + dQ: it begins far from zero."""

    shock: float = 1.0
    """By this Q's first weights are multiplied: it begins near zero.  1: it does not."""

    detach: bool = False
    """Whether the factor that renormalises has no gradient."""

    fit: Fit = "oriented"
    epsilon: float = 0.0
    """P Q / (Q^2 + epsilon^2) in the place of P / Q: a value is always finite."""

    taus: Taus = field(default_factory=Taus)
    weights: Weights = field(default_factory=Weights)

    @property
    def outputs(self) -> int:
        """A number for Q and one for each P (an angle reads the first); a logit per reason of a joint head."""
        return 1 + self.width + (self.reasons if self.direction == "joint" else 0)

    def parts(self, hidden: int) -> list[Part]:
        """Return the coefficients of P, [outputs, degree + 1], and of Q, [degree + 1]."""
        if self.form == "angle":
            return self._direction(hidden)
        return [
            Part(name="p", shape=(self.width, NUMERATOR + 1), spread=START, start=(0, 1, 0, 0)),
            Part(name="q", shape=(1, DENOMINATOR + 1), spread=START, start=(0, self.shock, 0)),
            *self._direction(hidden),
        ]

    def _direction(self, hidden: int) -> list[Part]:
        if self.direction != "detached":
            return []
        return [
            Part(name="wd", shape=(hidden, self.reasons), spread=(1.0 / hidden) ** 0.5),
            Part(name="bd", shape=(1, self.reasons), spread=0.0),
        ]

    def loss(self, out: Tensor, hidden: Tensor, own: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the weighted sum of the losses, each a mean over the rows that it is about."""
        return rational_loss.loss(self, out, hidden, own, batch)

    def read(self, said: Said, weights: Arrays) -> Read:
        """Return P / Q, or none where |Q| < tau; |Q| is sin of an angle, whatever P and Q were scaled by."""
        with np.errstate(all="ignore"):
            p, q = self.pair(NumPy, said.out, weights)
            size = np.abs(q)
            value = p * q[:, None] / (q[:, None] ** 2 + self.epsilon**2)
        fault = ~(np.isfinite(p).all(axis=1) & np.isfinite(q))
        declines = size < self.taus.infer
        # A quotient that is no number although Q is no zero is a fault, and no bottom of the algebra.
        fault |= ~declines & ~np.isfinite(value).all(axis=1)
        return Read(
            value=value,
            confidence=np.where(fault, 0.0, np.clip(np.nan_to_num(size), 0.0, 1.0)),
            declines=declines & ~fault,
            reason=self._reason(p, said, weights),
            fault=fault,
        )

    @property
    def has_logits(self) -> bool:
        """Whether reasons are named by numbers of their own."""
        return self.direction in ("joint", "detached") and self.reasons > 1

    def pair(self, xp: Any, out: Any, own: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return P, [..., rows, outputs], and Q, [..., rows], on the unit circle.

        ``xp`` is torch, or ``NumPy``.
        """
        if self.form == "angle":
            return xp.cos(out[..., :1]), xp.sin(out[..., 0])
        # Each P is a polynomial of a number of its own: of one number, two outputs would be one curve.
        p = _polynomial(out[..., 1 : 1 + self.width], own["p"])
        q = _polynomial(out[..., 0:1], own["q"])[..., 0]
        if self.anchored:
            q = q + 1.0
        if xp is NumPy:
            return _unit(p, q)
        length = xp.sqrt((p**2).sum(-1) + q**2 + rational_loss.GAUGE**2)
        if self.detach:
            length = xp.detach(length)
        return p / length[..., None], q / length

    def _logits(self, out: Any, hidden: Any, own: Mapping[str, Any]) -> Any:
        if self.direction == "joint":
            return out[..., -self.reasons :]
        cut = hidden.detach().to(own["wd"].dtype) if hasattr(hidden, "detach") else hidden
        return cut @ own["wd"] + own["bd"]

    def _reason(self, p: NDArray[np.float64], said: Said, weights: Arrays) -> NDArray[np.int64]:
        if self.reasons == 1:
            return np.ones(len(p), dtype=np.int64)
        if self.has_logits:
            logits = np.nan_to_num(self._logits(said.out, said.hidden, weights))
            return np.asarray(1 + logits.argmax(axis=1), dtype=np.int64)
        if self.direction == "sign" and self.reasons == 2:
            return np.where(p.mean(axis=1) > 0, 1, 2).astype(np.int64)
        return np.full(len(p), NONE, dtype=np.int64)


class NumPy:
    """The few names that an angle needs, as torch has them."""

    cos, sin = staticmethod(np.cos), staticmethod(np.sin)


def _unit(
    p: NDArray[np.float64], q: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return P and Q at length one, whatever the gauge; (0, 0) stays what it is, a bottom."""
    # By a power of two first, which is exact: squares of small numbers would be zero, of large ones none.
    _, power = np.frexp(np.maximum(np.abs(p).max(axis=-1), np.abs(q)))
    p, q = np.ldexp(p, -power[..., None]), np.ldexp(q, -power)
    length = np.sqrt((p**2).sum(-1) + q**2)
    length = np.where(length == 0, 1.0, length)
    return p / length[..., None], q / length


def _polynomial(z: Any, coefficients: Any) -> Any:
    """Return polynomials of numbers, [..., rows, outputs], by Horner's rule.

    ``coefficients`` are [..., outputs, degree + 1], the constant first.
    """
    found = coefficients[..., None, :, -1]
    for place in range(coefficients.shape[-1] - 2, -1, -1):
        found = found * z + coefficients[..., None, :, place]
    return found
