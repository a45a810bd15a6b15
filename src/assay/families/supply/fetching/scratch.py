"""Folders for what is needed while a process works, which the next one sweeps if it was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a folder of this process; those that killed processes left behind are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        _sweep(old)
    while True:
        mine = Path(tempfile.mkdtemp(dir=folder))
        handle = os.open(mine, os.O_RDONLY | os.O_CLOEXEC)
        flock(handle, LOCK_EX)
        if mine.exists():
            break
        os.close(handle)  # swept by another process before it was held
    try:
        yield mine
    finally:
        shutil.rmtree(mine, ignore_errors=True)
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove a folder unless a process holds it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        flock(handle, LOCK_EX | LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(handle)
