"""What flows back through the meadow's bottoms: policies for gradients, on torch."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Literal, TypeAlias, get_args

from assay import DataError

Policy: TypeAlias = Literal["clamp", "project", "reject", "pass"]
"""See ``guard``."""


def guard(values: Any, bottom: Any, *, policy: Policy) -> Any:
    """Return ``values`` unchanged, and change what flows back through them.

    ``values`` is a tensor [rows, ...] of floats or complex numbers, ``bottom`` a tensor of truth
    values of that shape, or of one that broadcasts to it.  Put it on what goes into an operation
    that may have no value (a numerator, a denominator) with the mask of the result.  The gradient g
    that arrives becomes, place by place:

    ``clamp``
        0 at bottoms, elsewhere g limited to [-1, 1] (complex: to the unit disc, direction kept);
        Inf to the limit, NaN to 0.
    ``project``
        0 at bottoms, elsewhere g untouched: the projection onto the places that have a value.  A g
        that is NaN or Inf is lost to floating point, and becomes 0.  The slope of
        P / Q along (P, Q) is 0 already, so there is no gauge to be taken out.
    ``reject``
        As ``project``, and 0 in a whole row (everything of one first index) that has a bottom.
    ``pass``
        g, NaN and Inf included.

    Finite gradients come out of all but ``pass``, whatever goes in.  Raises ``DataError`` A202 for
    another policy or a mask that does not broadcast.

    Source: the four policies of zeroproofml 0.6.1 (PyPI), where ``reject`` is 0 everywhere.

    >>> import torch  # doctest: +SKIP
    >>> x = torch.tensor([2.0, 3.0, 4.0], requires_grad=True)  # doctest: +SKIP
    >>> y = guard(x, torch.tensor([False, True, False]), policy="clamp")  # doctest: +SKIP
    >>> (y * torch.tensor([0.5, 7.0, 9.0])).sum().backward()  # doctest: +SKIP
    >>> x.grad  # doctest: +SKIP
    tensor([0.5000, 0.0000, 1.0000])

    Not to be trusted when many gradients are clamped: what is descended is then no longer the loss.
    """
    if policy not in get_args(Policy):
        known = ", ".join(get_args(Policy))
        raise DataError(f"there is no gradient policy {policy!r}", hint=f"use {known}", code="A202")
    torch: Any = import_module("torch")
    try:
        mask = torch.broadcast_to(bottom, values.shape)
    except RuntimeError:
        shapes = f"{tuple(bottom.shape)} does not broadcast to {tuple(values.shape)}"
        raise DataError(f"a mask of the shape {shapes}", code="A202") from None
    if policy == "reject" and mask.ndim > 1:
        rows = mask.reshape(mask.shape[0], -1).any(1)
        mask = torch.broadcast_to(rows.reshape(-1, *[1] * (mask.ndim - 1)), values.shape)
    return _function().apply(values, mask, policy)


def tame(gradient: Any, bottom: Any, policy: Policy) -> Any:
    """Apply a policy to a gradient whose mask has its shape (for ``reject``: whole rows).

    >>> import torch  # doctest: +SKIP
    >>> tame(torch.tensor([float("inf"), 1.0]), torch.tensor([False, True]), "project")  # doctest: +SKIP
    tensor([0., 0.])
    """
    torch: Any = import_module("torch")
    if policy == "pass":
        return gradient
    if policy != "clamp":
        return torch.where(bottom | ~torch.isfinite(gradient), 0, gradient)
    limited = _to_disc(torch, gradient) if gradient.is_complex() else gradient.clamp(-1, 1)
    return torch.where(bottom | torch.isnan(gradient), 0, limited)


def _to_disc(torch: Any, gradient: Any) -> Any:
    # Inf is put at the largest finite number: only its direction is to be known.
    parts = torch.view_as_real(gradient.resolve_conj())
    huge = torch.finfo(parts.dtype).max / 4
    parts = parts.clamp(-huge, huge)
    size = parts.abs().amax(-1, keepdim=True).clamp(min=1)
    scaled = parts / size
    length = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    limited = torch.where(length * size > 1, scaled / length.clamp(min=0.5), parts)
    return torch.view_as_complex(limited)


@cache
def _function() -> Any:
    """Make the identity with another backward, once torch is there."""
    torch: Any = import_module("torch")

    class Guard(torch.autograd.Function):  # type: ignore[misc]  # torch is not always there, and untyped here
        generate_vmap_rule = True

        @staticmethod
        def forward(values: Any, _bottom: Any, _policy: Policy) -> Any:
            return values.view_as(values)

        @staticmethod
        def setup_context(context: Any, inputs: tuple[Any, Any, Policy], _output: Any) -> None:
            _, bottom, context.policy = inputs
            context.save_for_backward(bottom)

        @staticmethod
        def backward(context: Any, gradient: Any) -> tuple[Any, None, None]:
            (bottom,) = context.saved_tensors
            return tame(gradient, bottom, context.policy), None, None

    return Guard
