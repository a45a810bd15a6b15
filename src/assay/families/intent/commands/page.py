"""What a command of this family returns: lines for people, facts for ``--json``, an exit status."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as ``docs/plugins.md`` has it; ``assay`` prints it, or its facts as JSON."""

    lines: Sequence[str | tuple[str, ...]]
    """Text, or the cells of a row; rows that follow each other stand in columns."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0
    """1 when a command that judges says no."""


def progress(text: str) -> None:
    """Say on standard error what is being done."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
