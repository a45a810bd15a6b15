"""``assay view``: a folder of runs as pages, for this machine alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..extras import Extra
from ..visible import is_terminal, plain
from .failures import usage
from .page import Page


def view(
    folder: Path = Path("runs"),
    /,
    *,
    port: int = 8010,
    no_browser: Annotated[bool, Parameter(negative="")] = False,
) -> Page:
    """Show the runs in a folder to this machine alone, until you press Ctrl-C: list, compare, browse.

    Nothing is written.  A run is shown as checked only where this server has hashed its files.

    Args:
        folder: The folder that holds runs, or one run.
        port: 0 takes a free one.
        no_browser: Only say the address, and open no browser.
    """
    Extra("view").require("starlette", "uvicorn")
    from ..publish.viewing.serving import listen
    from ..publish.viewing.shelf import is_run
    from ..store.rundir import RunDir

    if not 0 <= port <= 65_535:
        raise usage(f"--port {port}: no port", "give 0 to 65535")
    if not folder.is_dir():
        raise usage(f"{folder} is no folder", "name the folder that holds runs, as runs/")
    # One run is a folder of one: the others beside it are a click away.
    root = folder.resolve().parent if is_run(RunDir(folder)) else folder

    def say(address: str) -> None:
        sys.stderr.write(f"{address}  the runs in {plain(str(root))} (Ctrl-C ends it)\n")
        sys.stderr.flush()
        if not no_browser and is_terminal(sys.stderr):
            import webbrowser

            webbrowser.open(address)

    address = listen(root, port=port, say=say)
    return Page(lines=["Ended."], facts={"address": address, "folder": str(root)})
