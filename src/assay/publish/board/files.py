"""Files of a board's folder, which somebody else may have made: read bounded, and written inside of it.

*Covered*: pipes and devices, files without end, links that lead a writer out of the folder.
*Not covered*: a folder that changes while it is written.
"""

from __future__ import annotations

from pathlib import Path

from ...core.errors import DataError
from ...store.canon import is_special, read_plain, write_whole

MOST = 64 << 20
"""Bytes of a file that is read whole; a card of a hundred models has under one million."""


def read_file(path: Path, *, most: int = MOST) -> bytes:
    """Return what a file holds.

    Raises ``DataError`` A200 for a pipe or a device, for one of more than ``most`` bytes, and where the disk says no.
    """
    hint = "restore it from a copy, or remove it: `assay board build` makes what can be made"
    try:
        data = read_plain(path, most + 1)
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}"
        raise DataError(what, where=str(path), hint=hint) from None
    if len(data) > most:
        raise DataError(f"it has more than {most:,} bytes", where=str(path), hint=hint)
    return data


def write_file(root: Path, path: Path, data: bytes) -> None:
    """Write a file below a folder, whole or not at all.

    Raises as ``require_own`` does, and ``RunError`` A500 where the disk says no.
    """
    require_own(root, path)
    write_whole(path, data)


def require_own(root: Path, path: Path) -> None:
    """Raise ``DataError`` A200 where a path below a folder leads out of it, or is no file that keeps what it is given."""
    leads_out = root.resolve() not in path.resolve().parents
    if leads_out or is_special(path):
        what = "a link leads out of the board" if leads_out else "this is no plain file"
        raise DataError(
            f"{what}: nothing is written there",
            where=str(path),
            hint="remove it, or name the folder that it leads to: --board, and --site for the page",
        )
