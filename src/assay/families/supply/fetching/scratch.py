"""Folders for what is needed while a process works, which the next one sweeps if it was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.locks import locking


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a folder of this process; those that killed processes left behind are removed."""
    fcntl = locking(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        _sweep(old)
    while True:
        mine = Path(tempfile.mkdtemp(dir=folder))
        handle = os.open(mine, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX)
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
    fcntl = locking(folder)
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(handle)
