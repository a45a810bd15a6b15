"""Time benchmarks: a process of its own for each time, in rounds, so that all meet the same hours of a machine.

pyperf runs all processes of one benchmark after another; a machine that is busy for a minute then looks
like one benchmark that became slow.  Here every round has one process of each benchmark, beginning
with another one each time, and the processes of one benchmark are spread over the whole measurement.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...core.errors import PluginError, RunError
from .document import AbsentFacts, RowFacts, summary
from .suite import ABSENT, CPU, Benchmark, Suite

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
"""What every process is told: numbers of several threads belong to a machine's other work, too."""

LONG_S, LONGER_S = 0.3, 2.0
"""Seconds of a call from which fewer are made."""

TIMEOUT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is done for one number."""

    processes: int
    values: int
    """Times taken by each process."""

    least_s: float
    """So long is repeated for one of them."""


WHOLE = Effort(processes=10, values=3, least_s=0.1)
QUICK = Effort(processes=3, values=2, least_s=0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What came of it."""

    document: dict[str, Any]
    """As pyperf writes it."""

    rows: tuple[RowFacts, ...]
    absent: tuple[AbsentFacts, ...]


@dataclass(slots=True)
class _Contender:
    """A benchmark on its way."""

    suite: str
    benchmark: Benchmark
    loops: int = 0
    call_s: float = 0.0
    measured: list[Any] = field(default_factory=list)
    why: str = ""
    broke: bool = False

    @property
    def name(self) -> str:
        """What results call it."""
        return f"{self.suite}/{self.benchmark.name}"

    def processes(self, effort: Effort) -> int:
        """Return how many processes it gets: long calls get fewer."""
        share = 1 if self.call_s < LONG_S else 2 if self.call_s < LONGER_S else 3
        return max(effort.processes // share, 3)


def require_timers() -> None:
    """Raise ``PluginError`` A401 unless pyperf is installed, ``RunError`` A500 where nobody tells processor time."""
    if find_spec("pyperf") is None:
        raise PluginError(
            "pyperf is not installed", hint="pip install 'assay-eval[perf]'", code="A401"
        )
    if find_spec("resource") is None:
        raise RunError(
            "this system does not say how much processor time a process and its children took",
            hint="measure on Linux or macOS; on Windows, in WSL 2",
        )


def time_suites(
    suites: Mapping[str, Suite],
    sizes: Mapping[str, tuple[int, ...]],
    *,
    effort: Effort,
    say: Callable[[str], None],
) -> Timed:
    """Time every benchmark of these suites, each at its sizes; ``say`` hears how far it is."""
    every = [
        _Contender(name, one) for name, suite in suites.items() for one in suite.at(sizes[name])
    ]
    with TemporaryDirectory(prefix="assay-perf-") as folder:
        made = _Made(folder=Path(folder), effort=effort, sizes=sizes)
        for at, one in enumerate(every):
            made.calibrate(one)
            word = one.why or f"{one.call_s:.3g} s a call"
            say(f"{at + 1} of {len(every)}: {one.name}: {word}")
        last = max((c.processes(effort) for c in every if not c.why), default=0)
        for number in range(last):
            say(f"round {number + 1} of {last}")
            turn = number % max(len(every), 1)
            for one in (*every[turn:], *every[:turn]):
                if not one.why and number < one.processes(effort):
                    made.measure(one)
    return _timed(every)


@dataclass(slots=True)
class _Made:
    """Starts the processes."""

    folder: Path
    effort: Effort
    sizes: Mapping[str, tuple[int, ...]]
    started: int = 0

    def calibrate(self, one: _Contender) -> None:
        """See whether it runs here, and how often it has to be repeated to be seen by a clock."""
        found = self._run(one, "--calibrate-loops", "--values=1", "--warmups=1")
        if found is None:
            return
        [run] = found.get_runs()
        one.loops = int(run.get_metadata()["calibrate_loops"])
        one.call_s = min(value for _, value in run.warmups)
        one.measured.append(run)

    def measure(self, one: _Contender) -> None:
        """Take the times of one process."""
        values = self.effort.values if one.call_s < LONG_S else 1
        warm = 0 if one.call_s >= LONGER_S else 1
        found = self._run(one, f"--loops={one.loops}", f"--values={values}", f"--warmups={warm}")
        if found is not None:
            one.measured += found.get_runs()

    def _run(self, one: _Contender, *options: str) -> Any:
        import pyperf

        self.started += 1
        to = self.folder / f"{self.started}.json"
        shared = self.folder / one.suite
        shared.mkdir(exist_ok=True)
        sizes = ",".join(map(str, self.sizes[one.suite]))
        words = [sys.executable, "-m", "assay.publish.perf.worker", one.suite, one.benchmark.name]
        words += [sizes, str(shared), str(to), f"--min-time={self.effort.least_s}", *options]
        try:
            done = subprocess.run(
                words,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
                timeout=TIMEOUT_S,
                env={**os.environ, **ONE_THREAD},
            )
        except subprocess.TimeoutExpired:
            one.why, one.broke = f"one process took more than {TIMEOUT_S} s", True
            return None
        if done.returncode:
            said = done.stderr.strip().splitlines()
            one.why = " ".join(said[-1:]) or f"exit status {done.returncode}"
            one.broke = done.returncode != ABSENT
            return None
        return pyperf.Benchmark.load(str(to))


def _timed(every: list[_Contender]) -> Timed:
    import pyperf

    rows, absent, suite = [], [], []
    for one in every:
        measured = [run for run in one.measured if run.values]
        if one.why or not measured:
            absent.append(
                AbsentFacts(name=one.name, says=one.benchmark.says, why=one.why, broke=one.broke)
            )
            continue
        suite.append(pyperf.Benchmark(one.measured))
        walls = [sum(run.values) / len(run.values) for run in measured]
        rows.append(
            RowFacts(
                name=one.name,
                says=one.benchmark.says,
                n=one.benchmark.n,
                of=one.benchmark.of,
                processes=len(measured),
                values=sum(len(run.values) for run in measured),
                loops=one.loops,
                cpu=summary([float(run.get_metadata()[CPU]) for run in measured]),
                wall=summary(walls),
            )
        )
    document: dict[str, Any] = {"version": "1.0", "benchmarks": []}
    if suite:
        with TemporaryDirectory() as folder:
            path = Path(folder, "suite.json")
            pyperf.BenchmarkSuite(suite).dump(str(path))
            document = json.loads(path.read_text("utf-8"))
    return Timed(document=document, rows=tuple(rows), absent=tuple(absent))
