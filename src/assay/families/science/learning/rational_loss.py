"""What a rational head is taught by, and how that moves with what it reads: gradients by hand.

A step's batch is small, so that what its losses cost is calls, not arithmetic: torch's own graph of
them makes four times as many.  Held to finite differences by the tests of ``science.projective``.
Inside, tensors are [networks, outputs, rows]: a network says its numbers in rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ..extras import extra
from .head import Batch, Tensor

if TYPE_CHECKING:
    from .projective import Projective

GAUGE = 1e-9
"""Keeps (0, 0) from being divided by, and its length from having no gradient."""

GAMMA = 1e-9
"""Keeps the cross product from being divided by zero, as published."""

TINY = 1e-6
FAR = 100.0
"""Squared error of a decoded value above which it teaches nothing: near Q = 0 it has no bound."""


def loss(
    head: Projective, out: Tensor, hidden: Tensor, own: Mapping[str, Tensor], batch: Batch
) -> Tensor:
    """Return the weighted sum of the losses of each network; torch may ask for its gradient."""
    return _function().apply(head, hidden, batch, tuple(own), out, *own.values())


@cache
def _function() -> Any:
    torch: Any = extra("torch")

    class RationalLoss(torch.autograd.Function):  # type: ignore[misc]  # torch is not always there, and untyped here
        @staticmethod
        def forward(context: Any, *given: Any) -> Tensor:
            head, hidden, batch, names, out, *own = given
            found = _Lesson(torch, head, batch, out.transpose(1, 2)).taught(
                hidden, dict(zip(names, own, strict=True))
            )
            context.slopes = [found.slopes.get(name) for name in ("out", *names)]
            return found.total

        @staticmethod
        def backward(context: Any, arriving: Any) -> tuple[Any, ...]:
            each = arriving[:, None, None]
            slopes = [one if one is None else one * each for one in context.slopes]
            return (None, None, None, None, *slopes)

    return RationalLoss


@dataclass(frozen=True, slots=True)
class Curve:
    """Polynomials of numbers, and how they move with them."""

    z: Tensor
    value: Tensor
    slope: Tensor
    degree: int

    @classmethod
    def of(cls, torch: Any, z: Tensor, coefficients: Tensor) -> Curve:
        """Return them by Horner's rule; ``coefficients`` are [networks, outputs, degree + 1], the constant first."""
        *lower, value = coefficients.unsqueeze(-1).unbind(2)
        slope = None
        for constant in reversed(lower):
            slope = value if slope is None else torch.addcmul(value, slope, z)
            value = torch.addcmul(constant, value, z)
        return cls(z, value, slope, len(lower))

    def of_coefficients(self, torch: Any, arriving: Tensor) -> Tensor:
        """Return the gradient of the coefficients, given that of the values."""
        found = [arriving.sum(dim=2)]
        for _ in range(self.degree):
            arriving = arriving * self.z
            found.append(arriving.sum(dim=2))
        return torch.stack(found, dim=2)


@dataclass(slots=True)
class _Lesson:
    """The losses of one batch, added up, and their gradients."""

    torch: Any
    head: Projective
    batch: Batch
    out: Tensor
    total: Tensor = None
    slopes: dict[str, Tensor] = field(default_factory=dict)
    """Gradients by name: of what is said, and of the head's own parameters."""

    there: Tensor = None
    of_there: Tensor = None
    """What each row counts in a mean over those that have a value; ``of_gone``: that have none."""

    of_gone: Tensor = None
    above: Tensor = None
    """Numerators of the targets; ``there`` is their denominators: (y, 1), or (+-1, 0) where there is no value."""

    rows: Tensor = None
    """What each row costs, weighted so that the sum is a sum of means; ``of_p`` and ``of_q`` are its gradient."""

    of_p: Tensor = None
    of_q: Tensor = None

    def taught(self, hidden: Tensor, own: Mapping[str, Tensor]) -> _Lesson:
        """Work out all losses that count."""
        torch, head, weights = self.torch, self.head, self.head.weights
        p, q, back = self._circle() if head.form == "angle" else self._renormalised(own)
        self.there = self.batch.there.unsqueeze(1)
        gone = 1.0 - self.there
        self.of_there, self.of_gone = _share(self.there), _share(gone)
        known = head.reasons == 2
        sign = (3.0 - 2.0 * self.batch.kind.to(p.dtype)).unsqueeze(1) if known else torch.sign(p)
        self.above = torch.addcmul(self.there * self.batch.y.transpose(1, 2), gone, sign)
        self.of_p, self.of_q, self.rows = (torch.zeros_like(one) for one in (p, q, q))
        if weights.fit:
            self._fit(p, q, weights.fit / q.shape[2])
        if weights.margin or weights.separation:
            self._sizes(q)
        if weights.decoded:
            self._decoded(p, q)
        if weights.sign:
            self._side(p)
        self.total = self.rows.sum(dim=(1, 2))
        if weights.coverage:
            self._covered(q)
        logits = self._direction(hidden, own) if head.has_logits else self.out[:, :0]
        said = back()
        # An angle is the first of the numbers, and the only one of them that is read.
        unread = self.out.shape[1] - logits.shape[1] - sum(one.shape[1] for one in said)
        said += [torch.zeros_like(self.out[:, :unread]), logits]
        self.slopes["out"] = torch.cat(said, dim=1).transpose(1, 2)
        return self

    def _circle(self) -> tuple[Tensor, Tensor, Callable[[], list[Tensor]]]:
        angle = self.out[:, :1]
        p, q = self.torch.cos(angle), self.torch.sin(angle)
        return p, q, lambda: [self.of_q * p - self.of_p * q]

    def _renormalised(
        self, own: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor, Callable[[], list[Tensor]]]:
        torch, head = self.torch, self.head
        above = Curve.of(torch, self.out[:, 1 : 1 + head.width], own["p"])
        below = Curve.of(torch, self.out[:, :1], own["q"])
        p, q = above.value, below.value + 1.0 if head.anchored else below.value
        shrunk = torch.rsqrt(torch.addcmul(_over_outputs(p * p), q, q).add_(GAUGE**2))
        p, q = p * shrunk, q * shrunk

        def back() -> list[Tensor]:
            of_p, of_q = self.of_p, self.of_q
            if not head.detach:
                # What pulls at the length of (P, Q) alone changes nothing that is read.
                along = torch.addcmul(_over_outputs(of_p * p), of_q, q)
                of_p, of_q = of_p - along * p, of_q - along * q
            of_p, of_q = of_p * shrunk, of_q * shrunk
            self.slopes |= {
                "p": above.of_coefficients(torch, of_p),
                "q": below.of_coefficients(torch, of_q),
            }
            return [of_q * below.slope, of_p * above.slope]

        return p, q, back

    def _fit(self, p: Tensor, q: Tensor, share: float) -> None:
        """Add how far (P, Q) is from the target."""
        torch, above, there = self.torch, self.above, self.there
        kind = self.head.fit
        if kind in ("oriented", "chordal"):
            square = (_over_outputs(above * above) + there).add_(TINY)
        if kind == "oriented":
            scale = torch.rsqrt(square).mul_(-share)
            self.of_p, self.of_q = above * scale, there * scale
            self.rows = torch.addcmul(_over_outputs(p * self.of_p), q, self.of_q).add_(share)
            return
        crossed = torch.addcmul(p * there, q, above, value=-1.0)
        if kind == "chordal":
            once = crossed * (share / square)
            self.rows = _over_outputs(crossed * once)
            self.of_p = once * there * 2.0
            self.of_q = _over_outputs(once * above) * -2.0
            return
        share /= p.shape[1]
        told, below = p * above, q * there
        sizes = torch.addcmul(told * told, below, below).add_(GAMMA)
        once = crossed / sizes
        self.rows = _over_outputs(crossed * once) * share
        once *= 2.0 * share
        self.of_p, of_q = once * there, once * above
        if kind == "implicit":
            twice = once * once / (2.0 * share)
            self.of_p.addcmul_(twice * told, above, value=-1.0)
            of_q.addcmul_(twice, below)
        self.of_q = -_over_outputs(of_q)

    def _sizes(self, q: Tensor) -> None:
        """Add where |Q| is too small for a value, or too large for none."""
        torch, taus, weights = self.torch, self.head.taus, self.head.weights
        size = q.abs()
        floors = {taus.train: weights.margin}
        floors[taus.finite] = floors.get(taus.finite, 0.0) + weights.separation
        for least, weight in floors.items():
            if weight:
                self._short(torch.relu(least - size), weight * self.of_there, q, way=-2.0)
        if weights.separation:
            over = torch.relu(size - taus.bottom)
            self._short(over, weights.separation * self.of_gone, q, way=2.0)

    def _short(self, short: Tensor, weight: Tensor, q: Tensor, *, way: float) -> None:
        once = short * weight
        self.rows.addcmul_(short, once)
        self.of_q.addcmul_(once, self.torch.sign(q), value=way)

    def _decoded(self, p: Tensor, q: Tensor) -> None:
        """Add the squared error of P / Q, as far as it teaches."""
        least = max(self.head.epsilon, 1e-3) ** 2
        weight = self.of_there * (self.head.weights.decoded / self.batch.y.shape[2])
        square = q * q
        inverse = 1.0 / (square + least)
        over = q * inverse
        error = p * over - self.batch.y.transpose(1, 2)
        cost = error * error
        once = error * (cost <= FAR) * (2.0 * weight)
        self.rows = self.rows + _over_outputs(cost.clamp(max=FAR)) * weight
        self.of_p = self.of_p + once * over
        self.of_q = self.of_q + _over_outputs(once * p) * (least - square) * inverse * inverse

    def _side(self, p: Tensor) -> None:
        """Add how far (P, Q) is from its side, (+-1, 0), where there is no value.

        The true cosine's gradient would vanish where Q is zero; that of P alone pulls P there, too.
        """
        weight = self.head.weights.sign * self.of_gone
        # Every numerator there is +-1.
        pull = self.above * weight / (self.above.shape[1] + TINY) ** 0.5
        self.rows = self.rows + weight - _over_outputs(p * pull)
        self.of_p = self.of_p - pull

    def _covered(self, q: Tensor) -> None:
        """Add the square of how many fewer rows have a value than should."""
        torch, tau, weight = self.torch, self.head.taus.infer, self.head.weights.coverage
        soft = torch.sigmoid((q.abs() - tau) / (0.2 * tau))
        mean = soft.mean(dim=2, keepdim=True)
        short = torch.relu(self.there.mean(dim=2, keepdim=True) - mean)
        self.total = self.total + weight * (short * short)[:, 0, 0]
        moves = soft * (1.0 - soft) * torch.sign(q) * (short / (0.1 * tau * q.shape[2]))
        self.of_q = self.of_q - weight * moves

    def _direction(self, hidden: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        """Add the cross-entropy of the reasons, each counting the same; return what moves logits that are said."""
        torch, head = self.torch, self.head
        apart = head.direction == "detached"
        if apart:
            seen = hidden.to(own["wd"].dtype)
            logits = (seen @ own["wd"] + own["bd"]).transpose(1, 2)
        else:
            logits = self.out[:, -head.reasons :]
        logs = torch.log_softmax(logits, dim=1)
        reason = torch.arange(1, head.reasons + 1, device=logits.device).view(1, -1, 1)
        mine = (self.batch.kind.unsqueeze(1) == reason).to(logits.dtype)
        mine = _share(mine) * (head.weights.direction / head.reasons)
        self.total = self.total - (logs * mine).sum(dim=(1, 2))
        error = torch.addcmul(-mine, torch.softmax(logits, dim=1), mine.sum(dim=1, keepdim=True))
        if not apart:
            return error
        self.slopes |= {
            "wd": torch.bmm(error, seen).transpose(1, 2),
            "bd": error.sum(dim=2).unsqueeze(1),
        }
        return error[:, :0]


def _over_outputs(of: Tensor) -> Tensor:
    """Return the sum over outputs, of which there mostly is one."""
    return of if of.shape[1] == 1 else of.sum(dim=1, keepdim=True)


def _share(among: Tensor) -> Tensor:
    """Return what each of some rows counts in a mean over them; 0 where there is none."""
    return among / among.sum(dim=2, keepdim=True).clamp(min=1.0)
