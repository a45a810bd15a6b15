"""What every inference does with nothing, one, all equal, ties, NaN and infinity; and two symmetries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats import (
    binomial,
    blocks,
    bootstrap,
    clusters,
    counted,
    effect,
    means,
    order,
    paired,
    seeds,
    twoway,
)
from assay.stats.bca import acceleration, corrected
from assay.stats.inference import Inference, Undefined
from assay.stats.jackknife import Totals

Ends = tuple[float, float] | None


def rng() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(0))


def codes(x: np.ndarray) -> np.ndarray:
    return np.arange(x.size)


def resampled(x: np.ndarray) -> Inference:
    drawn = bootstrap.counts(x.size, resamples=199, rng=rng())
    return bootstrap.resample_ratio(x, np.ones(x.size), drawn)


def with_bca(x: np.ndarray) -> Inference:
    found, shifts = resampled(x), Totals(numerator=x, denominator=np.ones(x.size)).shifts()
    return corrected(found, acceleration=0.0 if shifts is None else acceleration(shifts))


def mean(columns: dict[str, np.ndarray], weights: np.ndarray) -> float | None:
    return float(np.average(columns["x"], weights=weights)) if weights.sum() else None


def two_seeds(x: np.ndarray) -> np.ndarray:
    """Return each value under two seeds, the second a little larger: shape [groups, seeds]."""
    return np.stack([x, x * 1.5], axis=1)


def statistic(x: np.ndarray) -> Inference:
    drawn = bootstrap.counts(max(x.size, 1), resamples=99, rng=rng())
    flat = {"x": two_seeds(x).ravel()}
    at = np.repeat(codes(x), 2), np.tile([0, 1], x.size)
    return twoway.statistic_over_seeds(mean, flat, at=at, drawn=drawn)


ONE: dict[str, Callable[[np.ndarray], Inference]] = {
    "ratio": lambda x: clusters.ratio(x, np.ones(x.size), groups=codes(x)),
    "over_seeds": lambda x: seeds.over_seeds(two_seeds(x), np.ones((x.size, 2))),
    "statistic_over_seeds": statistic,
    "order": lambda x: order.quantile(x, 0.5),
    "blocks": lambda x: blocks.quantile(x, 0.5, blocks=codes(x) // 2),
    "bootstrap": resampled,
    "bca": with_bca,
}
TWO: dict[str, Callable[[np.ndarray, np.ndarray], Inference]] = {
    "paired": lambda a, b: clusters.paired(
        (a, np.ones(a.size)), (b, np.ones(b.size)), groups=codes(a)
    ),
    "paired_over_seeds": lambda a, b: seeds.paired_over_seeds(
        (two_seeds(a), np.ones((a.size, 2))), (two_seeds(b), np.ones((b.size, 2)))
    ),
    "paired_t": means.paired_t,
    "welch": means.welch,
    "sign_flip": lambda a, b: means.sign_flip(a, b, rng=rng(), flips=199),
    "cohens_d": effect.cohens_d,
    "hedges_g": effect.hedges_g,
    "cohens_dz": effect.cohens_dz,
}
SHARES: dict[str, Callable[[np.ndarray], Any]] = {
    "wilson": lambda x: binomial.wilson(int(x.sum()), x.size),
    "clopper_pearson": lambda x: binomial.clopper_pearson(int(x.sum()), x.size),
    "jeffreys": lambda x: binomial.jeffreys(int(x.sum()), x.size),
    "share": lambda x: clusters.share(x, np.ones(x.size), groups=codes(x) // 2),
    "share_over_seeds": lambda x: seeds.share_over_seeds(
        np.stack([x, x[::-1]], axis=1), np.ones((x.size, 2))
    ),
    "counts": lambda x: counted.resample_share(int(x.sum()), x.size, rng=rng(), resamples=199),
    "tango": lambda x: paired.tango(paired.Table.of(x, x[::-1])),
    "newcombe": lambda x: paired.newcombe(paired.Table.of(x, x[::-1])),
    "clusters.paired": lambda x: clusters.paired(
        (x, np.ones(x.size)), (x[::-1], np.ones(x.size)), groups=codes(x), bounds=(0, 1)
    ),
}
POORLY = {
    "none": [],
    "one": [1.0],
    "two equal": [1.0, 1.0],
    "all equal": [1.0] * 12,
    "all zero": [0.0] * 12,
    "ties": [0.0, 1.0] * 6,
    "one that differs": [1.0] * 11 + [0.0],
}


def is_no_certainty(found: Any) -> bool:
    """Whether something is undefined, or has an interval with a width."""
    if isinstance(found, Undefined):
        return bool(found.why)
    ends: Ends = found if isinstance(found, tuple) else found.interval(0.95)
    return ends is None or ends[0] < ends[1]


@pytest.mark.parametrize("values", POORLY.values(), ids=POORLY)
@pytest.mark.parametrize("way", [*ONE.values(), *SHARES.values()], ids=[*ONE, *SHARES])
def test_poor_records_are_never_a_certainty(way: Any, values: list[float]) -> None:
    if not values and way in (resampled, with_bca):
        with pytest.raises(DataError, match="A202"):
            way(np.array(values))
        return
    found = way(np.array(values))
    if values == POORLY["one that differs"] and way in (ONE["order"], ONE["blocks"]):
        # Ranks of a value that eleven of twelve share: both ends are that value, and rightly so.
        assert found.interval() == (1.0, 1.0)
        return
    assert is_no_certainty(found)
    if len(values) < 2 and way in ONE.values():
        assert isinstance(found, Undefined)


@pytest.mark.parametrize("values", POORLY.values(), ids=POORLY)
@pytest.mark.parametrize("way", TWO.values(), ids=TWO)
def test_poor_pairs_are_never_a_certainty(way: Any, values: list[float]) -> None:
    a = np.array(values)
    for b in (a, np.zeros(a.size), np.ones(a.size)):
        assert is_no_certainty(way(a, b))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("way", [w for n, w in ONE.items() if n != "statistic_over_seeds"])
def test_what_is_not_finite_is_refused(way: Any, bad: float) -> None:
    with pytest.raises(DataError, match="A202"):
        way(np.array([0.0, bad, 2.0, 1.0] * 5))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("way", TWO.values(), ids=TWO)
def test_a_pair_with_what_is_not_finite_is_refused(way: Any, bad: float) -> None:
    good, odd = np.arange(8.0), np.r_[np.arange(7.0), bad]
    for pair in ((good, odd), (odd, good)):
        with pytest.raises(DataError, match="A202"):
            way(*pair)


RECORDS = st.lists(st.integers(-20, 20).map(float), min_size=4, max_size=24).map(np.array)
PAIRS = RECORDS.flatmap(lambda a: st.tuples(st.just(a), st.permutations(a.tolist()).map(np.array)))


def same(one: Ends, other: Ends) -> None:
    assert (one is None) == (other is None)
    if one is not None:
        assert other == pytest.approx(one, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["ratio", "over_seeds", "order"])
@given(x=RECORDS, seed=st.integers(0, 99))
def test_permuting_records_changes_nothing(name: str, x: np.ndarray, seed: int) -> None:
    moved = x[np.random.default_rng(seed).permutation(x.size)]
    same(ONE[name](x).interval(), ONE[name](moved).interval())


@pytest.mark.parametrize("name", TWO)
@given(ab=PAIRS)
def test_swapping_systems_negates(name: str, ab: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = TWO[name](*ab), TWO[name](*ab[::-1])
    assert isinstance(one, Undefined) == isinstance(other, Undefined)
    if one.value is None:
        return
    assert other.value == pytest.approx(-one.value, abs=1e-9)
    ends = one.interval()
    same(other.interval(), None if ends is None else (-ends[1], -ends[0]))
