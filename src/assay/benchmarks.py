"""What a plugin's suite of benchmarks is made of (``assay.benchmarks``), and contests with its peers.

An entry point of the group ``assay.benchmarks`` is a callable that returns a ``Suite``; ``assay perf run``
times it.  ``contest`` times contenders beside each other in one process, for programs that compare.

>>> rows = contest("sum", {"ours": lambda: "", "theirs": lambda: ""}, n=1, rounds=2)
>>> [row.who for row in rows]
['ours', 'theirs']
"""

from __future__ import annotations

from .publish.perf.contest import (
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
from .publish.perf.suite import Benchmark, Suite, Work

__all__ = [
    "Benchmark",
    "Row",
    "Spread",
    "Suite",
    "Work",
    "adopt_orphans",
    "all_of_it",
    "children",
    "contest",
    "here",
    "load",
    "seconds",
    "spread",
    "table",
]
