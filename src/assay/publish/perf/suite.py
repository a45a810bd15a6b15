"""What a suite of benchmarks is: names, what each does, and how its work is set up."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ...core.errors import PluginError

Work: TypeAlias = Callable[[], object]
"""What is timed: one call, as often as the clock needs."""

GROUP = "assay.benchmarks"
"""Entry points that are callables which return a suite."""

CONTROL = "control"
"""The suite that is timed beside every other one."""

CPU = "cpu_s"
"""Seconds of CPU of one call, among pyperf's facts of a process."""

ABSENT = 77
"""Exit status of a process that measures, where this machine cannot run the benchmark; standard error says why."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One thing that is timed.

    ``make`` is called once in every process that measures, outside of the clock, with a folder that all
    processes of one measurement share: what takes long to make may be left there, and found by the next.
    What it returns is timed.  An ``AssayError`` that it raises says why this machine cannot run it.

    >>> def sorting(folder):
    ...     numbers = list(range(1000, 0, -1))
    ...     return lambda: sorted(numbers)
    >>> Benchmark(name="sort-1000", says="a list sorted", n=1000, make=sorting).n
    1000
    """

    name: str
    """Lower case and hyphens; ``suite/name`` is what results call it."""

    says: str
    """What one call does, for people."""

    make: Callable[[Path], Work]
    n: int = 1
    """How many things one call does: resamples, records, prompts."""

    of: str = ""
    """What it is a size of: benchmarks of one suite that say the same here are points of one growth curve."""

    def __post_init__(self) -> None:
        """Refuse what no results could name."""
        if not _NAME.fullmatch(self.name):
            raise PluginError(
                f"a benchmark is called {self.name!r}",
                hint="use lower case, digits and hyphens",
                code="A400",
            )
        if self.n < 1:
            raise PluginError(f"the benchmark {self.name!r} does {self.n} things", code="A400")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Benchmarks that belong together; an entry point of ``assay.benchmarks`` is a callable that returns one.

    >>> Suite(version="1", says="nothing", benchmarks=()).at((10,))
    ()
    """

    version: str
    """Bump it when a benchmark of the same name does other work: what differs in it is not compared."""

    says: str
    benchmarks: tuple[Benchmark, ...]
    grows: Callable[[int], tuple[Benchmark, ...]] | None = None
    """The benchmarks of one size of data; ``--sizes`` says which."""

    sizes: tuple[int, ...] = ()
    """The sizes, smallest first, where none are asked for."""

    def at(self, sizes: tuple[int, ...]) -> tuple[Benchmark, ...]:
        """Return every benchmark, those that grow at each of these sizes (empty: at their own)."""
        grown = [self.grows(size) for size in sizes or self.sizes] if self.grows else []
        return (*self.benchmarks, *(one for each in grown for one in each))
