"""What a task file says that small models reach, as claims of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..taskfile import TaskFile
from .systems import Contestant

MEGA = 1e6


def claims_of(
    files: Sequence[TaskFile], contestants: Sequence[Contestant]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what task files say that small models reach, as claims; sizes are told at once."""
    claims, notes = [], []
    for file in files:
        target = file.file.slm_target
        for each in contestants:
            if each.rival:
                continue
            if target.target_accuracy is not None:
                claims.append(
                    {
                        "id": f"{file.name[:30]}-{each.name[:30]}-target",
                        "says": f"{each.name} reaches the target of {file.name}",
                        "task": file.name,
                        "system": each.name,
                        "metric": "accuracy",
                        "at_least": float(target.target_accuracy),
                    }
                )
            if target.model_size_mb is not None and each.path is not None:
                size = _bytes(each.path) / MEGA
                fits = "within" if size <= target.model_size_mb else "more than"
                notes.append(
                    f"{each.name} has {size:,.0f} MB, {fits} the {target.model_size_mb:g} MB of "
                    f"{file.name}"
                )
    return claims, notes


def _bytes(path: Path) -> int:
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
