"""Replace a folder of files that are computed: whole, by one process or by several at once.

Covered: links where the folder, or the one it is made in, should be (they go, and what they lead to stays);
another process that replaces it at the same time; what one that was killed had written so far.  Not covered: who
deletes what is just being written.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .canon import disk_errors, write_whole

TRIES = 20
"""Another process may put its own folder there each time that ours has made room."""

STALE_S = 3600.0
"""What is put down within seconds, and lies there for so long, nobody is putting down any more."""


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths into a folder that takes the place of what was there.

    Raises ``RunError`` A500 when the disk or a permission says no.
    """
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    try:
        with disk_errors(folder):
            _remove(fresh)
            _sweep(folder)
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


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left beside a folder."""
    now = time.time()
    for left in folder.parent.glob(f".{folder.name}.*.new"):
        with suppress(FileNotFoundError):  # another process has swept
            if now - left.lstat().st_mtime > STALE_S:
                _remove(left)


def _remove(path: Path) -> None:
    """Remove a folder, or a link in its place; never what a link leads to."""
    if path.is_symlink():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
