"""The folder of a board: where its files are."""

from __future__ import annotations

import os
from pathlib import Path

from ...core.errors import PlanError

ENDINGS = (".yaml", ".yml")


def board_folder(named: Path | None) -> Path:
    """Return the folder of a board: the one that is named, or the current one if it has ``models/``.

    Raises ``PlanError`` A106 where there is none.

    >>> board_folder(Path("nowhere"))
    Traceback (most recent call last):
        ...
    assay.core.errors.PlanError: A106 there is no folder of that name
      at: nowhere
      try: name the folder that has models/ with --board
    """
    folder = named or Path()
    if not folder.is_dir():
        what = "there is no folder of that name"
    elif not (folder / "models").is_dir():
        what = "there is no board here: it has no folder models/"
    else:
        return folder
    raise PlanError(
        what,
        where=str(folder if named else Path.cwd()),
        hint="name the folder that has models/ with --board"
        + ("" if named else "; for a new one make models/submissions/ first"),
        code="A106",
    )


def submissions_of(board: Path) -> tuple[Path, ...]:
    """Return the submissions of a board, by name; both ``.yaml`` and ``.yml`` count."""
    folder = board / "models" / "submissions"
    if not folder.is_dir():
        return ()
    with os.scandir(folder) as found:
        names = [each.name for each in found if each.is_file(follow_symlinks=False)]
    return tuple(folder / name for name in sorted(names) if name.endswith(ENDINGS))
