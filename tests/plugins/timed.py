"""A suite of benchmarks that tests can afford: one that works, one that grows, and three that do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from assay import PluginError
from assay.benchmarks import Benchmark, Suite


def sorting(folder: Path):
    numbers = list(range(int(os.environ.get("TIMED_N", "2000")), 0, -1))
    (folder / "seen").write_text("by every process")
    return lambda: sorted(numbers)


def child(_folder: Path):
    words = [sys.executable, "-S", "-c", "sum(range(1_000_000))"]
    return lambda: subprocess.run(words, check=True)


def absent(_folder: Path):
    raise PluginError("numbers are not installed", hint="pip install numbers", code="A401")


def broken(_folder: Path):
    def work() -> None:
        raise ValueError("it does not work")

    return work


def grown(size: int) -> tuple[Benchmark, ...]:
    return (
        Benchmark(
            name=f"sum-{size}",
            says=f"{size} numbers added",
            n=size,
            of="sum",
            make=lambda _folder: lambda: sum(range(size)),
        ),
    )


def suite() -> Suite:
    one = Benchmark(name="sort", says="a list sorted", n=2000, make=sorting)
    asked = os.environ.get("TIMED_MORE", "")
    more = {
        "child": Benchmark(name="child", says="a process started", make=child),
        "absent": Benchmark(name="absent", says="what needs more", make=absent),
        "broken": Benchmark(name="broken", says="what fails", make=broken),
        "asleep": Benchmark(name="asleep", says="no CPU", make=lambda _: lambda: time.sleep(1e-3)),
    }
    return Suite(
        version=os.environ.get("TIMED_VERSION", "1"),
        says="what tests time",
        benchmarks=(one, *(more[name] for name in asked.split(",") if name)),
        grows=grown,
        sizes=(1000, 4000),
    )
