"""The suite ``stats``: intervals, bootstrap, paired tests, many claims, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..suite import Benchmark, Suite, Work

RESAMPLES = 10_000
N = 5_000


def stats() -> Suite:
    """Return the suite."""
    return Suite(
        version="1",
        says="intervals, resamples, paired tests, many claims, thresholds",
        benchmarks=(
            _one("wilson", "Wilson's interval of one share", 1, _wilson),
            _one(
                "share-clustered", f"interval of a share, {N:,} samples in groups of ten", N, _share
            ),
            _one(
                "paired-clustered", f"interval of a difference, {N:,} samples in groups", N, _paired
            ),
            _one(
                "bootstrap-0-1",
                f"BCa of {N:,} outcomes, {RESAMPLES:,} resamples",
                RESAMPLES,
                _counted,
            ),
            _one(
                "bootstrap-real", f"BCa of {N:,} numbers, {RESAMPLES:,} resamples", RESAMPLES, _real
            ),
            _one("mcnemar", f"mid-p McNemar of {N:,} pairs", N, _mcnemar),
            _one("tango", f"score interval of a paired difference, {N:,} pairs", N, _tango),
            _one("holm-1000", "Holm over 1,000 p-values", 1000, _holm),
            _one("threshold", f"a threshold with a guarantee from {N:,} samples", N, _threshold),
            _one("aurc", f"risk against coverage of {N:,} samples", N, _aurc),
        ),
    )


def _one(name: str, says: str, n: int, begin: Callable[[np.random.Generator], Work]) -> Benchmark:
    def make(_folder: Path) -> Work:
        return begin(np.random.Generator(np.random.PCG64(0)))

    return Benchmark(name=name, says=says, n=n, make=make)


def _wilson(_rng: np.random.Generator) -> Work:
    from ....stats.binomial import wilson

    return lambda: wilson(431, 500)


def _groups() -> np.ndarray:
    return np.arange(N) // 10


def _share(rng: np.random.Generator) -> Work:
    from ....stats.clusters import share

    hits, ones = (rng.random(N) < 0.8).astype(float), np.ones(N)
    return lambda: share(hits, ones, groups=_groups()).interval()


def _paired(rng: np.random.Generator) -> Work:
    from ....stats.clusters import paired

    ones = np.ones(N)
    a, b = ((rng.random(N) < p).astype(float) for p in (0.82, 0.8))
    return lambda: paired((a, ones), (b, ones), groups=_groups(), bounds=(-1, 1)).interval()


def _counted(rng: np.random.Generator) -> Work:
    from ....stats.counted import corrected_tallies

    values, tallies = np.array([0.0, 1.0]), np.array([N // 10, N - N // 10])
    return lambda: corrected_tallies(values, tallies, rng=rng, resamples=RESAMPLES).interval()


def _real(rng: np.random.Generator) -> Work:
    from ....stats.bca import acceleration_of_mean, corrected
    from ....stats.bootstrap import counts, resample_ratio

    values, ones = rng.exponential(size=N), np.ones(N)

    def work() -> object:
        found = resample_ratio(values, ones, counts(N, resamples=RESAMPLES, rng=rng))
        return corrected(found, acceleration=acceleration_of_mean(values, ones)).interval()

    return work


def _mcnemar(rng: np.random.Generator) -> Work:
    from ....stats.paired import Table, mcnemar_midp

    a, b = rng.random(N) < 0.82, rng.random(N) < 0.8
    return lambda: mcnemar_midp(Table.of(a, b))


def _tango(rng: np.random.Generator) -> Work:
    from ....stats.inference import Undefined
    from ....stats.paired import Table, tango

    a, b = rng.random(N) < 0.82, rng.random(N) < 0.8

    def work() -> object:
        found = tango(Table.of(a, b))
        return None if isinstance(found, Undefined) else found.interval()

    return work


def _holm(rng: np.random.Generator) -> Work:
    from ....stats.multiple import holm

    named = {f"claim-{k}": p for k, p in enumerate(rng.random(1000).tolist())}
    return lambda: holm(named)


def _threshold(rng: np.random.Generator) -> Work:
    from ....stats.threshold import Calibration, grid_from, ltt_threshold

    sure = rng.random(N)
    right = rng.random(N) < 0.5 + sure / 2
    grid = grid_from(sure, n_groups=N, max_risk=0.1)
    given = Calibration(confidence=sure, right=right, groups=np.arange(N))
    return lambda: ltt_threshold(given, grid=np.asarray(grid), max_risk=0.1, rng=rng)


def _aurc(rng: np.random.Generator) -> Work:
    from ....stats.selective import aurc

    sure = rng.random(N)
    right = rng.random(N) < 0.5 + sure / 2
    return lambda: aurc(sure, right)
