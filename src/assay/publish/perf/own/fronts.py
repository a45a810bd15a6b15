"""The suite ``front``: the points that nothing dominates."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..suite import Benchmark, Suite, Work

KINDS = ("random", "all-on-it", "ties")


def front() -> Suite:
    """Return the suite: three kinds of sets, in two and in three objectives, of growing size."""
    return Suite(
        version="1",
        says="non-dominated sets in two and three objectives",
        benchmarks=(),
        grows=lambda n: tuple(_one(kind, n, many) for kind in KINDS for many in (2, 3)),
        sizes=(100, 10_000),
    )


def points(kind: str, n: int, objectives: int) -> np.ndarray:
    """Return points; more is better on every objective.

    >>> points("ties", 4, 2).shape
    (4, 2)
    """
    rng = np.random.default_rng([n, objectives])
    if kind == "random":
        return rng.random((n, objectives))
    if kind == "ties":
        return rng.integers(0, 10, (n, objectives)).astype(np.float64)
    made = np.abs(rng.normal(size=(n, objectives)))
    return np.ascontiguousarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def _one(kind: str, n: int, objectives: int) -> Benchmark:
    def make(_folder: Path) -> Work:
        from ....core.metric import Better
        from ....stats.frontier import non_dominated

        given, better = points(kind, n, objectives), [Better.HIGHER] * objectives
        return lambda: non_dominated(given, better)

    what = f"{kind}-{objectives}d"
    says = f"{n:,} points in {objectives} objectives, {kind.replace('-', ' ')}"
    return Benchmark(name=f"{what}-{n}", says=says, n=n, make=make, of=what)
