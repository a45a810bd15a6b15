"""One process that measures one benchmark: set up by us, calibrated and timed by pyperf.

    python -m assay.publish.perf.worker SUITE NAME --size N... --folder DIR --to FILE [options of pyperf]

pyperf brings the loop, the calibration, the warm-up, the facts about the process and the format.  We
add the seconds of CPU, of this process and of all that it starts, which a shared machine disturbs less.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from ...core.errors import AssayError
from .contest import adopt_orphans
from .suite import ABSENT, CPU, GROUP, Work


def main(words: Sequence[str]) -> int:
    """Measure; return the exit status."""
    suite, name, sizes, folder, to, *rest = words
    # Who started this process has checked the suite, and needed a second of imports for it.
    [point] = metadata.entry_points(group=GROUP, name=suite)
    wanted = point.load()().at(tuple(int(size) for size in sizes.split(",") if size))
    [benchmark] = [one for one in wanted if one.name == name]
    try:
        work = benchmark.make(Path(folder))
    except AssayError as error:
        sys.stderr.write(f"{error.what}{f'; try: {error.hint}' if error.hint else ''}\n")
        return ABSENT
    import pyperf

    clock = _Clock(work)
    runner = pyperf.Runner()
    runner.parse_args(["--worker", *rest])
    found = runner.bench_time_func(f"{suite}/{name}", clock)
    [run] = found.get_runs()
    kept = clock.cpu[-len(run.values) :] if run.values else clock.cpu[-1:]
    found.update_metadata({CPU: max(sum(kept) / len(kept), 1e-9), "n": benchmark.n})
    found.dump(to)
    return 0


class _Clock:
    """Repeats work as often as pyperf asks; keeps the seconds of CPU of one call."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.cpu: list[float] = []
        adopt_orphans()

    def __call__(self, loops: int) -> float:
        work = self.work
        before, start = _spent(), time.perf_counter()
        for _ in range(loops):
            work()
        wall = time.perf_counter() - start
        self.cpu.append((_spent() - before) / loops)
        return wall


def _spent() -> float:
    """Return the seconds of CPU of this process and of all that it started and that ended."""
    import resource  # which Windows has not: this module is imported there, too

    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
