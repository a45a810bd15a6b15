"""The encoder that lies inside a mapper's folder because it was taught together with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ..encoders.taught import FORMAT

OWN_ENCODER = "encoder"
"""Name of the folder inside the mapper's."""


def bring_encoder(encoder: Path, folder: Path) -> None:
    """Copy a taught encoder into a mapper's folder, unless it lies there."""
    target = folder / OWN_ENCODER
    if encoder.resolve() == target.resolve():
        return
    drop_encoder(folder)
    shutil.copytree(encoder, target)


def drop_encoder(folder: Path) -> None:
    """Remove the encoder that an earlier training taught into a folder; what people put there stays."""
    target = folder / OWN_ENCODER
    try:
        card = json.loads((target / "card.json").read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(card, dict) and card.get("format") == FORMAT:
        shutil.rmtree(target)
