"""What the harnesses of foreign logs share: small logs to begin with, and how one is read to its end."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import driver

from assay.engine.foreign import open_log
from assay.publish.interop.making import Making
from assay.publish.interop.settings import Choice
from assay.publish.interop.spool import Spool
from assay.publish.interop.take import take_in
from assay.store.rundir import RunDir

LOGS = Path(__file__).parents[1] / "data" / "imports"
SOME = 3
"""Samples of each log: what a reader does with a hundred it does with three."""

WHOLE = 64
"""One input in so many becomes a run with a report; the others are read, judged and spooled."""


def some_lines(path: Path) -> list[Any]:
    """Return the first lines of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()[:SOME]]


def read_as(kind: str, shape: Callable[[bytes, Path], Path]) -> driver.Read:
    """Return what takes an input in as a log of this kind; ``shape`` writes it down and says where it lies."""
    home = driver.new_folder()

    def read(data: bytes) -> None:
        for name in ("log", "out"):
            shutil.rmtree(home / name, ignore_errors=True)
            (home / name).mkdir()
        path = shape(data, home / "log")
        if not path.exists():
            return
        if hashlib.sha256(data).digest()[0] % WHOLE == 0:
            take_in(open_log(kind, path, {}), path, out=home / "out" / "run", choice=Choice())
            return
        log = open_log(kind, path, {})
        spool = Spool(run=RunDir(home / "out"), log=log, tasks=(), systems=())
        spool.fill()
        Making(spool, log, path, Choice()).notes()

    return read


def as_folder(data: bytes, into: Path) -> Path:
    """Write a log of several files."""
    driver.unbundled(data, into)
    return into
