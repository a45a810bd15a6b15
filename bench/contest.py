"""What every program here begins with: the machinery of contests, which the package has, and two words.

A program is a peer of the suites where ``peers.yaml`` names it; ``assay perf run --peers bench`` runs it with
``--json``: it prints rows, and whom it skipped on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from assay.benchmarks import (  # noqa: E402
    Row,
    Spread,
    adopt_orphans,
    all_of_it,
    children,
    contest,
    here,
    load,
    seconds,
    spread,
    table,
)

__all__ = [
    "SOURCE",
    "Row",
    "Spread",
    "adopt_orphans",
    "all_of_it",
    "children",
    "contest",
    "given",
    "here",
    "load",
    "seconds",
    "spread",
    "table",
    "tell",
]


def tell(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows for people, or for ``assay perf run``."""
    print(json.dumps([asdict(row) for row in rows]) if as_json else table(rows))


def given() -> tuple[bool, bool]:
    """Return whether ``--quick`` and ``--json`` were given."""
    unknown = set(sys.argv[1:]) - {"--quick", "--json"}
    if unknown:
        sys.exit(f"unknown: {' '.join(sorted(unknown))}; known: --quick, --json")
    return "--quick" in sys.argv, "--json" in sys.argv
