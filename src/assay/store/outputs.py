"""Files that a command is told to write: none of them may break the seal of a run.

Covered: a file that a seal has, or would find added, also through links; a run that is not sealed yet.
Not covered: what a seal does not cover, as ``derived/`` and ``cache/``: writing there stays allowed.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..core.errors import PlanError
from .around import runs_around
from .rundir import SEALED_FILES, SEALED_FOLDERS

_KEPT = frozenset((*SEALED_FOLDERS, *SEALED_FILES, "SEAL", "SEAL.sig"))


def check_output(option: str, *paths: Path | None) -> None:
    """Raise ``PlanError`` A106 for a path that belongs to a run: writing it would break the run's seal."""
    for path in paths:
        if path is not None and (run := run_broken(path)):
            raise PlanError(
                f"{path} lies inside of the run {run}, and would break its seal",
                where=option,
                hint="write it beside the run: name a path outside of that folder",
                code="A106",
            )


def run_broken(path: Path) -> Path | None:
    """Return the run whose seal would not hold if something were written to ``path``."""
    # As it is named, and where a link leads to: either may be in a run.
    named = Path(os.path.realpath(path.parent)) / path.name
    for each in (named, Path(os.path.realpath(path))):
        for run in runs_around(each):
            if each.relative_to(run).parts[0] in _KEPT:
                return run
    return None
