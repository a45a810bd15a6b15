"""Modules of the tests and of the benchmarks do not hide each other."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_module_beside_the_tests_has_the_name_of_a_benchmark() -> None:
    """Both folders stand on the path while tests run: the first of that name would be imported."""
    ours = {path.stem for path in (ROOT / "tests").glob("*.py")}
    ours |= {path.stem for path in (ROOT / "tests" / "families").glob("*.py")}
    assert not ours & {path.stem for path in (ROOT / "bench").glob("*.py")}
