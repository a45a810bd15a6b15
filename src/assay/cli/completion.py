"""``assay --install-completion``: finish words in your shell with the tab key."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from .commands import make_app, plugin_commands
from .failures import usage
from .page import Page


def install(
    *, shell: Literal["bash", "zsh", "fish"] | None = None, output: Path | None = None
) -> Page:
    """Write the completion script of your shell, and have its startup file read it.

    Args:
        shell: Without it the shell that you are in.
        output: Write the script here, and leave the startup file alone.
    """
    from cyclopts.completion.detect import ShellDetectionError

    from ..store.outputs import check_output

    check_output("--output", output)
    app = make_app(plugin_commands())
    try:
        path = app.install_completion(shell=shell, output=output, add_to_startup=output is None)
    except ShellDetectionError:
        raise usage("your shell is not known", "name it: --shell bash, zsh or fish") from None
    lines = [f"Wrote {path}", "Open a new shell, then type `assay ` and press the tab key."]
    return Page(lines=lines, facts={"script": str(path)})
