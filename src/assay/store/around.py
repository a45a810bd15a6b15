"""Which run a path lies in, and whether it stays there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def stays_in(folder: Path, path: Path) -> bool:
    """Whether a path lies in a folder wherever links lead; it need not be there."""
    return path.resolve().is_relative_to(folder.resolve())


def runs_around(path: Path) -> Iterator[Path]:
    """Yield the runs that a path lies in, the inmost first: folders with a seal, or with records to be sealed."""
    for folder in path.parents:
        begun = (folder / "manifest.json").is_file() and (folder / "records").is_dir()
        if begun or (folder / "SEAL").is_file():
            yield folder
