"""A device of torch that is not the processor: it holds tensors in memory of its own kind, and works out their numbers.

What a GPU would refuse it refuses: an operation on tensors of two devices, and NumPy's look at a
tensor that was not fetched.  Its arithmetic is the processor's, so what is right there is equal here to
the last bit.  It says nothing of a GPU's own arithmetic or speed.

Torch is told of one such device per process, and every library that asks torch for an accelerator
would find it: run what uses it in a process of its own.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar, Self

import torch
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "elsewhere"
MAKES = ("empty.memory_format", "empty_strided", "_copy_from", "copy_", "_to_copy")
"""Operations that torch starts without a tensor of the device, or below its reach."""

REFUSED = frozenset(
    {
        *(
            "bincount",
            "cumsum",
            "histc",
            "kthvalue",
            "median",
            "put",
            "put_",
            "resize_",
            "_ctc_loss",
        ),
        *("embedding_bag", "nll_loss2d_forward", "grid_sampler_2d_backward", "max_unpool2d"),
    }
)
"""Operations that CUDA does in no fixed order, or refuses where one is asked for.

Source: the list at ``torch.use_deterministic_algorithms``.
"""


class Elsewhere(torch.Tensor):
    """A tensor of the device."""

    called: ClassVar[Counter[str]] = Counter()
    """Operations that were done there, by name."""

    unordered: ClassVar[Counter[str]] = Counter()
    """Those of them that were done while no fixed order was asked for."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Self:
        """Return what looks like a tensor of the device."""
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
            layout=held.layout,
        )
        made.held = held
        return made

    def tolist(self) -> Any:
        """Return the numbers, fetched, as a GPU's tensors do."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do one operation on the device."""
        return _done(func, args, kwargs or {})


def _done(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    # Without gradients torch leaves it to a device to take what is made of other operations apart.
    if (apart := func.decompose(*args, **kwargs)) is not NotImplemented:
        return apart
    name = func.name().removeprefix("aten::").partition(".")[0]
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
    mine = [one for one in tensors if isinstance(one, Elsewhere)]
    moves = name in {"_to_copy", "copy_", "_copy_from"}
    if mine and len(mine) < len(tensors) and not moves:
        message = f"{name}: tensors of two devices"
        raise RuntimeError(message)
    wanted = kwargs.get("device")
    comes_here = bool(mine)
    if wanted is not None:
        comes_here = torch.device(wanted).type == NAME
        kwargs = {**kwargs, "device": torch.device("cpu")}
    elif name == "copy_":
        comes_here = isinstance(args[0], Elsewhere)
    Elsewhere.called[name] += 1
    if not torch.are_deterministic_algorithms_enabled():
        Elsewhere.unordered[name] += 1
    held = tree_map_only(Elsewhere, lambda one: one.held, (args, kwargs))
    found = func(*held[0], **held[1])
    if not comes_here:
        return found
    # What is changed in place is given back as the same tensor.
    back = {id(one.held): one for one in mine}

    def put(one: torch.Tensor) -> torch.Tensor:
        known = back.get(id(one))
        return Elsewhere(one) if known is None else known

    return tree_map_only(torch.Tensor, put, found)


def register() -> torch.library.Library:
    """Tell torch of the device; it is there as long as what is returned."""
    _setup_privateuseone_for_python_backend(NAME)
    made = torch.library.Library("aten", "IMPL")
    for name in MAKES:
        base, _, overload = name.partition(".")
        func = getattr(getattr(torch.ops.aten, base), overload or "default")
        made.impl(name, lambda *args, func=func, **kwargs: _done(func, args, kwargs), "PrivateUse1")
    return made
