"""One writer at a time: an advisory lock that dies with its process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from .canon import disk_errors

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def one_writer(folder: Path, *, what: str, where: Path, hint: str) -> Iterator[None]:
    """Hold the lock of a folder, which is there: its file ``.lock``.

    Raises ``RunError`` A501, that another process is writing ``what``, when one holds it, and A500
    where the disk says no, or the system has no such lock: on Windows a run is read and not written.
    A killed process holds nothing: nobody ever unlocks by hand.
    """
    fcntl = locking(where)
    with disk_errors(folder):
        # Whoever put a link there would have an empty file wherever it leads.
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | _NO_LINK, 0o644)
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


def locking(where: Path) -> Any:
    """Return the module ``fcntl``; raise ``RunError`` A500, at ``where``, on a system that has none.

    >>> locking(Path("a.file")).__name__
    'fcntl'
    """
    if find_spec("fcntl") is None:
        raise RunError(
            "this system has no lock that ends with its process",
            where=str(where),
            hint="run assay on Linux or macOS; on Windows, in WSL 2",
        )
    return import_module("fcntl")
