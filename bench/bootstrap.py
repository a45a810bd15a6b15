"""10,000 resamples of one number, against scipy.stats.bootstrap on the same values.

*Covered*: 0/1 outcomes by counts, paired differences of them, real-valued outcomes; BCa throughout;
the intervals side by side.  *Not covered*: groups, seeds, more than one thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from contest import SOURCE, Row, contest, given, tell

sys.path.insert(0, str(SOURCE))

RESAMPLES = 10_000


def main() -> None:
    quick, as_json = given()
    sizes, rounds = ((100,), 1) if quick else ((100, 5_000), 5)
    rows: list[Row] = []
    for n in sizes:
        for what, values, ours in (
            (f"0/1 outcomes, {n:,}", zero_one(n), by_counts),
            (f"paired 0/1, {n:,}", gaps(n), by_counts),
            (f"real-valued, {n:,}", np.random.default_rng(2).exponential(size=n), by_groups),
        ):
            sides = {
                "assay, BCa": side(ours, values),
                "scipy.stats.bootstrap, BCa": side(by_scipy, values),
            }
            rows += contest(what, sides, n=n, rounds=rounds)
    tell(rows, as_json=as_json)


def zero_one(n: int) -> np.ndarray:
    return (np.arange(n) < round(0.9 * n)).astype(float)


def gaps(n: int) -> np.ndarray:
    """Return +1 for 8 %, -1 for 4 %, else 0."""
    at = np.arange(n) / n
    return np.where(at < 0.08, 1.0, np.where(at < 0.12, -1.0, 0.0))


def side(way: Callable[[np.ndarray], tuple[float, float]], values: np.ndarray) -> Callable[[], str]:
    def run() -> str:
        low, high = way(values)
        return f"[{low:.4f}, {high:.4f}]"

    return run


def by_counts(values: np.ndarray) -> tuple[float, float]:
    from assay.stats.counted import corrected_tallies

    # Counting is part of the work.
    distinct, tallies = np.unique(values, return_counts=True)
    rng = np.random.Generator(np.random.PCG64(0))
    ends = corrected_tallies(distinct, tallies, rng=rng, resamples=RESAMPLES).interval()
    assert ends is not None
    return ends


def by_groups(values: np.ndarray) -> tuple[float, float]:
    from assay.stats.bca import acceleration_of_mean, corrected
    from assay.stats.bootstrap import counts, resample_ratio

    rng = np.random.Generator(np.random.PCG64(0))
    ones = np.ones(values.size)
    found = resample_ratio(values, ones, counts(values.size, resamples=RESAMPLES, rng=rng))
    ends = corrected(found, acceleration=acceleration_of_mean(values, ones)).interval()
    assert ends is not None
    return ends


def by_scipy(values: np.ndarray) -> tuple[float, float]:
    from scipy import stats

    rng = np.random.Generator(np.random.PCG64(0))
    found = stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=rng)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


if __name__ == "__main__":
    main()
