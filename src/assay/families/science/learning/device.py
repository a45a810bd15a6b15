"""Where networks learn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from assay import PlanError

from ..extras import extra

Device: TypeAlias = Literal["cpu", "cuda", "auto"]


def device_of(wanted: Device) -> str:
    """Return the device of torch.

    Raises ``PlanError`` A104 where a GPU is asked for and there is none that torch can use;
    ``PluginError`` A401 without torch.

    >>> device_of("cpu")
    'cpu'
    """
    if wanted == "cpu":
        return "cpu"
    there = extra("torch").cuda.is_available()
    if wanted == "cuda" and not there:
        raise PlanError(
            "this machine has no GPU that torch can use",
            hint="leave `device` out, or say `device: auto`",
            code="A104",
        )
    return "cuda" if there else "cpu"


def class_of(device: str) -> str:
    """Return what decides how a device rounds: its kind and, of a GPU, its model.

    What is learnt on one class is not gone on with on another.

    >>> class_of("cpu")
    'cpu'
    """
    kind = _kind(device)
    if kind != "cuda":
        return kind
    cuda = extra("torch").cuda
    return f"cuda, {cuda.get_device_name(device)}" if cuda.is_available() else kind


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """Have torch take, on a GPU, sums that are made in one order; a CPU has one thread for that.

    Without it the gradient of a ``gather`` is added up in the order in which threads of the GPU arrive.
    Source: "Reproducibility" in torch's notes, and ``torch.use_deterministic_algorithms``.
    """
    if _kind(device) == "cpu":
        yield
        return
    torch = extra("torch")
    # Read when the first product is made, and demanded by torch of who asks for one order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _kind(device: str) -> str:
    return device.partition(":")[0]
