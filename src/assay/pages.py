"""What the command of a plugin returns: lines for people, facts for ``--json``, an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cyclopts import App, Parameter

from .core.errors import PlanError, RunError


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as ``docs/plugins.md`` has it; ``assay`` prints it, or its facts as JSON."""

    lines: Sequence[str | tuple[str, ...]]
    """Text, or the cells of a row; rows that follow each other stand in columns."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0
    """1 when a command that judges says no."""


def commands_app(module: str, name: str, says: str, commands: Mapping[str, tuple[str, str]]) -> App:
    """Return a family's commands: name to where it is (``module:function``) and what it does.

    Each is in a module that is imported when it is called; ``module`` is the package that has them.
    """
    listed = [f"* {each}: {commands[each][1]}" for each in sorted(commands)]
    app = App(
        name=name,
        help="\n".join([says, "", *listed]),
        default_parameter=Parameter(negative="", show_default=False),
    )
    for each, (home, _) in commands.items():
        app.command(f"{module}.{home}", name=each)
    return app


def wrong_option(option: str, what: str, hint: str) -> PlanError:
    """Return the error of an option that cannot be followed (A106)."""
    return PlanError(what, where=option, hint=hint, code="A106")


def interrupted(hint: str) -> RunError:
    """Return the error of a person who stopped a command that can go on (A502)."""
    return RunError("interrupted; what is finished is kept", hint=hint, code="A502")


def check_seed(seed: int) -> None:
    """Raise ``PlanError`` A106 for a seed that is none."""
    if seed < 0:
        raise wrong_option("--seed", f"{seed} is no seed", "give 0 or a positive whole number")


def check_file(option: str, path: Path | None) -> None:
    """Raise ``PlanError`` A106 where a file is to be written that belongs to a run: its seal would break."""
    from .store.outputs import check_output

    check_output(option, path)


def check_folder(out: Path | None) -> None:
    """Raise ``PlanError`` A106 where a folder is to be written and cannot be."""
    if out is None:
        return
    check_file("--out", out)
    if out.exists() and not out.is_dir():
        raise wrong_option("--out", f"{out} is a file", "name a folder")
    nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise wrong_option(
            "--out", f"nothing can be written to {nearest}", "name a folder of yours"
        )


def progress(text: str) -> None:
    """Say on standard error what is being done."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
