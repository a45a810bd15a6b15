"""One writer at a time: an advisory lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import RunError
from .canon import disk_errors


@contextmanager
def one_writer(folder: Path, *, what: str, where: Path, hint: str) -> Iterator[None]:
    """Hold the lock of a folder, which is there: its file ``.lock``.

    Raises ``RunError`` A501, that another process is writing ``what``, when one holds it, and A500
    where the disk says no.  A killed process holds nothing: nobody ever unlocks by hand.
    """
    with disk_errors(folder):
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"another process is writing this {what}",
                where=str(where),
                hint=hint,
                code="A501",
            ) from None
        yield
    finally:
        os.close(handle)
