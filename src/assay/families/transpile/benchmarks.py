"""The suite ``verify``: programs in Python run in the sandbox, programs in Rust built and tested."""

from __future__ import annotations

from pathlib import Path

from assay.benchmarks import Benchmark, Suite, Work
from assay.sandbox import Limits, find_sandbox, run_python

PYTHON, RUST = 20, 4

RIGHT = "fn twice(x: i64) -> i64 { x * 2 + NUMBER - NUMBER }"
WRONG = "fn twice(x: i64) -> i64 { x + NUMBER }"
TESTS = "#[test] fn doubles() { assert_eq!(twice(3), 6) }"


def verify() -> Suite:
    """Return the suite: half of the programs are right."""
    return Suite(
        version="1",
        says="programs verified in the sandbox, half of them wrong",
        benchmarks=(
            Benchmark(
                name=f"python-{PYTHON}",
                says=f"{PYTHON} Python programs run, half of them fail",
                n=PYTHON,
                make=_python,
            ),
            Benchmark(name="rust-1", says="a Rust program built and tested alone", make=_rust),
            Benchmark(
                name=f"rust-{RUST}",
                says=f"{RUST} Rust programs built and tested together",
                n=RUST,
                make=_rust_together,
            ),
        ),
    )


def _python(_folder: Path) -> Work:
    checks = [f"assert sum(range({k})) == {k * (k - 1) // 2 + k % 2}" for k in range(PYTHON)]
    held, limits = find_sandbox(), Limits(wall_s=20, cpu_s=20, output_kb=64)

    def work() -> None:
        passed = [ended.well for ended in run_python(checks, limits=limits, sandbox=held)]
        if passed != [k % 2 == 0 for k in range(PYTHON)]:
            raise AssertionError(passed)

    return work


def _pair(number: int) -> tuple[str, str]:
    """Return a program, every second one wrong, that no other number has."""
    code = WRONG if number % 2 else RIGHT
    return code.replace("NUMBER", str(number + 1)), TESTS


def _rust(_folder: Path) -> Work:
    from .rust.verify import Workbench

    bench = Workbench.of(60)

    def work() -> None:
        if not bench.verify(*_pair(0)).passed:
            raise AssertionError("a right program did not pass")

    work()  # a toolchain that does not work says so here, and not on the clock
    return work


def _rust_together(_folder: Path) -> Work:
    from .rust.verify import Workbench

    bench, pairs = Workbench.of(60), [_pair(number) for number in range(RUST)]

    def work() -> None:
        passed = [each.passed for each in bench.verify_all(pairs, workers=1)]
        if passed != [number % 2 == 0 for number in range(RUST)]:
            raise AssertionError(passed)

    return work
