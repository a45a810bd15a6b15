"""What a machine is for the board: runs of one kind of machine may be ranked together, no others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...store.canon import canonical
from ...store.manifest import Stored

_CLASSES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""GiB of memory that machines are sold with; what the system reports lies a little below."""


class Hardware(Stored):
    """A kind of machine."""

    id: str
    says: str


def hardware_of(machine: Mapping[str, Any]) -> Hardware:
    """Return what kind of machine a run's provenance tells of.

    Processor, usable cores, memory to the size it was sold with, and graphics cards (without their driver) count; the
    operating system does not.

    >>> hardware_of({"cpu": "Xeon", "cpus_usable": 2, "memory_mb": 24091, "gpus": []}).says
    '2 cores, Xeon, 24 GiB, no GPU'
    >>> hardware_of({}).says
    'an unknown machine'

    *Not to be trusted when* machines of one kind are loaded or cooled differently.
    """
    cores, cpu = machine.get("cpus_usable") or machine.get("cpus"), machine.get("cpu")
    memory = machine.get("memory_mb")
    known = memory if isinstance(memory, int | float) and memory > 0 else None
    size = next((c for c in _CLASSES if known is not None and known <= 1024 * c), None)
    listed = machine.get("gpus")
    gpus = [_card(str(g)) for g in listed] if isinstance(listed, list) else []
    said = [
        f"{cores} core{'' if cores == 1 else 's'}" if isinstance(cores, int) else "",
        " ".join(str(cpu).split()) if cpu else "",
        f"{size} GiB" if size else "",
    ]
    told = [part for part in said if part]
    if told:
        told.append(" + ".join(gpus) if gpus else "no GPU")
    key = canonical([cores, cpu, size, gpus])
    return Hardware(
        id=f"h-{hashlib.sha256(key).hexdigest()[:12]}",
        says=", ".join(told) or "an unknown machine",
    )


def _card(line: str) -> str:
    """Return name and memory of a line of ``nvidia-smi``: name, driver, memory."""
    parts = [part.strip() for part in line.split(",")]
    return f"{parts[0]} {parts[2]}" if len(parts) == 3 else line.strip()
