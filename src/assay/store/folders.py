"""Replace a folder of files that are computed: whole, by one process or by several at once.

Covered: links where the folder, or the one it is made in, should be (they go, and what they lead to stays);
another process that replaces it at the same time.  Not covered: who deletes what is just being written.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from .canon import disk_errors, write_whole

TRIES = 20
"""Another process may put its own folder there each time that ours has made room."""


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths into a folder that takes the place of what was there.

    Raises ``RunError`` A500 when the disk or a permission says no.
    """
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    try:
        with disk_errors(folder):
            _remove(fresh)
        for name, data in files.items():
            write_whole(fresh / name, data)
        with disk_errors(folder):
            _settle(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _settle(fresh: Path, folder: Path) -> None:
    for left in reversed(range(TRIES)):
        _remove(folder)
        try:
            fresh.replace(folder)
        except OSError:
            if not left:
                raise
        else:
            return


def _remove(path: Path) -> None:
    """Remove a folder, or a link in its place; never what a link leads to."""
    if path.is_symlink():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
