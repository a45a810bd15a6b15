"""Where networks learn."""

from __future__ import annotations

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
