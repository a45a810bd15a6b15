"""What a stack of networks says while it learns, in torch; ``Shape.say`` is the same of one, in NumPy."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from .head import Tensor
from .shape import Shape

Precision: TypeAlias = Literal["float32", "bfloat16"]
"""Of products while a network learns; it always answers in float64."""


def forward(
    torch: Any,
    shape: Shape,
    x: Tensor,
    weights: dict[str, Tensor],
    precision: Precision = "float32",
) -> tuple[Tensor, Tensor]:
    """Return what networks say, and their last hidden layers; ``x`` is [networks, rows, inputs].

    In ``bfloat16`` products and hidden layers have eight bits of mantissa; weights, what is said and
    Adam's moments stay float32.
    """
    act = torch.relu if shape.activation == "relu" else torch.nn.functional.silu
    half = precision == "bfloat16"
    last = x.bfloat16() if half else x

    def layer(bias: str, weight: str) -> Tensor:
        b, w = weights[bias], weights[weight]
        return (
            torch.baddbmm(b.bfloat16(), last, w.bfloat16()) if half else torch.baddbmm(b, last, w)
        )

    for i in range(len(shape.hidden)):
        last = act(layer(f"b{i}", f"w{i}"))
    out = layer("bo", "wo")
    return (out.float(), last.float()) if half else (out, last)


def taken(of: Tensor, rows: Tensor) -> Tensor:
    """Return ``of[rows]``; whole rows are copied faster than places are looked up."""
    return of.index_select(0, rows.reshape(-1)).reshape(*rows.shape, *of.shape[1:])
