"""What a stack of networks says while it learns, and how that moves with its weights, in torch.

``Shape.say`` is the same of one network, in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .head import Tensor
from .shape import Shape

Precision: TypeAlias = Literal["float32", "bfloat16"]
"""Of products while a network learns; it always answers in float64."""


@dataclass(frozen=True, slots=True)
class Room:
    """Memory that every step writes anew: to ask the machine for fresh memory costs a quarter of a step."""

    kept: dict[str, Tensor] = field(default_factory=dict)

    def of(self, name: str, like: Tensor, *shape: int) -> Tensor:
        """Return a tensor of a name, of the kind of another; what it holds is what was left in it."""
        found = self.kept.get(name)
        if found is None or found.shape != shape:
            found = self.kept[name] = like.new_empty(shape)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a batch was on its way through a stack, layer by layer; tensors of the products' precision."""

    seen: list[Tensor]
    """What each layer sees, the last one included, shape [networks, rows, width]."""

    before: list[Tensor]
    """What each hidden layer is before its activation; where that is relu, what it is afterwards, which says as much."""

    out: Tensor
    """What is said, shape [networks, outputs, rows]: products with few columns take a sixth of the time as rows."""


def forward(
    torch: Any, shape: Shape, x: Tensor, weights: Mapping[str, Tensor], room: Room | None = None
) -> tuple[Tensor, Tensor]:
    """Return what networks say, and their last hidden layers; ``x`` is [networks, rows, inputs]."""
    last, room = x, room or Room()
    for i, width in enumerate(shape.hidden):
        # Of two layers that follow each other neither is where the other is.
        made = room.of(f"passing {i % 2} {width}", x, *x.shape[:2], width)
        torch.baddbmm(weights[f"b{i}"], last, weights[f"w{i}"], out=made)
        last = made.relu_() if shape.activation == "relu" else torch.ops.aten.silu_(made)
    return _said(torch, last, weights).transpose(1, 2), last


def passed_through(
    torch: Any, shape: Shape, x: Tensor, weights: Mapping[str, Tensor], room: Room
) -> Passed:
    """Send rows through a stack, and keep what its gradient asks for; no graph is made."""
    seen, before = [x], []
    for i, width in enumerate(shape.hidden):
        size = (*x.shape[:2], width)
        made = room.of(f"before {i}", x, *size)
        torch.baddbmm(weights[f"b{i}"], seen[-1], weights[f"w{i}"], out=made)
        before.append(made)
        if shape.activation == "relu":
            seen.append(made.relu_())
        else:
            seen.append(torch.ops.aten.silu.out(made, out=room.of(f"seen {i}", x, *size)))
    return Passed(seen=seen, before=before, out=_said(torch, seen[-1], weights))


def _said(torch: Any, last: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    few = weights["wo"].transpose(1, 2).contiguous()
    return torch.baddbmm(weights["bo"].transpose(1, 2), few, last.transpose(1, 2))


def backward(
    torch: Any,
    shape: Shape,
    passed: Passed,
    weights: Mapping[str, Tensor],
    errors: tuple[Tensor, Tensor | None],
    gradient: Mapping[str, Tensor],
    room: Room,
) -> None:
    """Write the gradient of the weights, given those of what is said (shaped like it) and of the last hidden layer."""
    said, of_hidden = errors
    gradient["wo"].copy_(torch.bmm(said, passed.seen[-1]).transpose(1, 2))
    gradient["bo"].copy_(said.sum(dim=2).unsqueeze(1))
    if not shape.hidden:
        return
    arriving = room.of(f"error {shape.hidden[-1]}", said, *passed.seen[-1].shape)
    torch.bmm(said.transpose(1, 2), weights["wo"].transpose(1, 2), out=arriving)
    if of_hidden is not None:
        arriving += of_hidden
    aten = torch.ops.aten
    for i in range(len(shape.hidden) - 1, -1, -1):
        # Where the layer was: nobody asks for that again, and it has just been read.
        before = error = passed.before[i]
        if shape.activation == "relu":
            aten.threshold_backward.grad_input(arriving, before, 0, grad_input=error)
        else:
            aten.silu_backward.grad_input(arriving, before, grad_input=error)
        of_weights = room.of(f"of w{i}", error, *weights[f"w{i}"].shape)
        torch.bmm(passed.seen[i].transpose(1, 2), error, out=of_weights)
        gradient[f"w{i}"].copy_(of_weights)
        gradient[f"b{i}"].copy_(error.sum(dim=1, keepdim=True))
        if i:
            arriving = room.of(f"error {shape.hidden[i - 1]}", error, *passed.seen[i].shape)
            torch.bmm(error, weights[f"w{i}"].transpose(1, 2), out=arriving)


def taken(of: Tensor, rows: Tensor) -> Tensor:
    """Return ``of[rows]``; whole rows are copied faster than places are looked up, and numbers faster than rows of one."""
    whole = of.squeeze(-1) if of.shape[1:] == (1,) else of
    return whole.index_select(0, rows.reshape(-1)).reshape(*rows.shape, *of.shape[1:])


def log_odds(torch: Any, logits: Tensor) -> Tensor:
    """Return logarithms of probabilities along the last axis.

    Worked out class by class: of a few classes torch's kernel for a last axis takes three times as long.
    """
    return torch.log_softmax(logits.transpose(-1, -2), dim=-2).transpose(-1, -2)
