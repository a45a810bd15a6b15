"""``assay watch``: how far a run is, and what its replies show so far."""

from __future__ import annotations

import sys
import time
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..extras import Extra
from ..store.rundir import RunDir
from ..visible import is_terminal
from .page import Page
from .terminal import write_lines

if TYPE_CHECKING:
    from ..publish.watched import Moment, Watching

LOG_S = 10.0
"""Seconds between two frames in a log."""

LEAST_S, MOST_S = 0.2, 3600.0


def watch(
    run: Path,
    /,
    *,
    once: Annotated[bool, Parameter(negative="")] = False,
    every: float | None = None,
) -> Page:
    """Show how far a run is, with running estimates that hold whenever you look; ends when it is sealed.

    Another process makes the run; this one only reads.  Without a terminal it prints a frame every ten
    seconds while somebody writes the run.  Keys: q quits, Enter shows the seeds of a system.

    Args:
        run: The run directory; it need not be there yet, unless one frame is asked for.
        once: Print one frame as plain text, and end.
        every: Seconds between two looks.
    """
    from ..publish.watched import Watching
    from .failures import usage

    if every is not None and not LEAST_S <= every <= MOST_S:
        raise usage(f"--every {every:g}: no pace", f"give {LEAST_S:g} to {MOST_S:g} seconds")
    if run.exists() and not run.is_dir():
        raise usage(f"{run} is a file", "name the folder of a run; `assay ls runs` lists them")
    once = once or isinstance(sys.stdout, StringIO)  # `--json` keeps what is printed: one document
    _require_some(RunDir(run), waits=not once)
    watching = Watching(run)
    if once:
        return _page(whole(watching))
    if not (is_terminal(sys.stdout) and is_terminal(sys.stdin)):
        return _log(watching, every or LOG_S)
    Extra("watch").require("textual")
    from .watch_screen import show

    return _page(show(watching, every=every or 1.0))


def _require_some(run: RunDir, *, waits: bool) -> None:
    """Raise ``SealError`` A303 where no run is, nor one that is prepared or may still be waited for."""
    from ..engine.folder import holds_else
    from ..publish.watched.writer import is_written

    if run.manifest.is_file() or is_written(run.root) is not False:
        return
    if not waits or holds_else(run):
        run.require()


def whole(watching: Watching) -> Moment:
    """Look until everything that is there was read."""
    moment = watching.look()
    while moment.catching_up:
        before = moment.catching_up
        moment = watching.look()
        if moment.catching_up >= before and not moment.there:
            break
    return moment


def _log(watching: Watching, every: float) -> Page:
    """Print frames while the run is written; the last one is returned."""
    from ..publish.watched import Phase
    from .watch_lines import frame

    while (moment := whole(watching)).phase in (Phase.ASKING, Phase.TIMING):
        write_lines([*frame(moment), ""], sys.stdout)
        time.sleep(every)
    return _page(moment)


def _page(moment: Moment) -> Page:
    from .watch_lines import frame, moment_facts

    return Page(lines=frame(moment), facts=moment_facts(moment))
