"""Looks at set numbers of groups keep the error rate, and save most of the groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.analysis.metrics import OUTCOME_METRICS, determinism, latency_mean, usd_per_1k
from assay.analysis.stopping import Sequences, in_order, is_followed, is_paired, looks
from assay.analysis.sureness import SURENESS
from assay.analysis.table import Table
from assay.core.metric import Over
from assay.stats import sequential
from assay.stats.inference import Envelope, Inference, Undefined
from assay.store.columns import CODE

SAMPLES = frozenset({Over.SAMPLES})
ALPHA = 0.025
N = 1000


@given(st.integers(1, 10_000))
def test_looks_depend_on_the_number_of_groups_only_and_end_at_all(n: int) -> None:
    found = looks(n)
    assert found[-1] == n
    assert list(found) == sorted(set(found))
    assert all(a >= 20 for a in found[:-1])
    assert all(b <= 2 * a for a, b in pairwise(found))


@given(st.sets(st.text(max_size=3), min_size=1, max_size=12), st.integers(0, 2**32))
def test_the_order_of_groups_is_one_of_the_seed_and_their_names(names: set[str], seed: int) -> None:
    assert in_order(sorted(names), seed=seed) == in_order(sorted(names)[::-1] * 2, seed=seed)
    # Whoever is left out moves nobody else.
    fewer = in_order(sorted(names)[1:], seed=seed)
    assert [n for n in in_order(names, seed=seed) if n in fewer] == fewer


def test_shares_by_outcome_are_followed_and_nothing_else_is() -> None:
    assert all(map(is_followed, OUTCOME_METRICS))
    assert {m.name for m in OUTCOME_METRICS if not is_paired(m)} == {"selective_accuracy", "risk"}
    others = (*SURENESS.values(), determinism, latency_mean, usd_per_1k)
    assert not any(map(is_followed, others))


def table(outcomes: np.ndarray, groups: list[str], seeds: int = 1) -> Table:
    codes = np.atleast_2d(outcomes).astype(np.int8)
    n = codes.shape[1]
    return Table(
        system="s",
        seeds=tuple(range(seeds)),
        samples=tuple(f"{i:04}" for i in range(n)),
        groups=tuple(groups),
        outcome=codes,
        confidence=np.full(codes.shape, np.nan),
        no_answer=np.zeros(n, dtype=np.bool_),
    )


RIGHT, WRONG, GONE = CODE["correct"], CODE["wrong"], CODE["crashed"]
ACCURACY = OUTCOME_METRICS[0]


@given(st.lists(st.booleans(), min_size=4, max_size=60), st.integers(0, 9))
def test_a_table_is_followed_in_the_order_asked_whatever_the_order_of_its_rows(
    right: list[bool], rng: int
) -> None:
    codes = np.where(right, RIGHT, WRONG)
    groups = [f"g{i // 2}" for i in range(len(right))]
    found = Sequences.of(groups, rng=rng).infer(ACCURACY, table(codes, groups), over=SAMPLES)
    order = in_order(groups, seed=rng)
    hits = [sum(r for r, g in zip(right, groups, strict=True) if g == name) for name in order]
    known = sequential.share(hits, [groups.count(name) for name in order], most=2)
    assert found.interval() == known.interval()


def test_seeds_are_pooled_and_speak_of_no_other_seeds() -> None:
    codes = np.array([[RIGHT, WRONG, RIGHT], [RIGHT, RIGHT, WRONG]])
    groups = ["a", "b", "c"]
    follow = Sequences.of(groups, rng=0)
    found = follow.infer(ACCURACY, table(codes, groups, 2), over=SAMPLES)
    assert found.value == pytest.approx(4 / 6)
    one = table(codes[0], groups)
    against = follow.difference(ACCURACY, table(codes, groups, 2), one, over=SAMPLES)
    assert against.value == pytest.approx(0.0)
    for over in (frozenset({Over.SEEDS}), frozenset(Over)):
        assert isinstance(follow.infer(ACCURACY, one, over=over), Undefined)
        assert isinstance(follow.difference(ACCURACY, one, one, over=over), Undefined)


def test_replies_that_were_not_observed_count_at_worst_and_at_best() -> None:
    codes = np.array([RIGHT] * 30 + [GONE] * 3)
    groups = [str(i) for i in range(33)]
    follow, other = Sequences.of(groups, rng=0), table(np.full(33, WRONG), groups)
    whole = table(np.full(33, RIGHT), groups)
    for found, best in (
        (
            follow.infer(ACCURACY, table(codes, groups), over=SAMPLES),
            follow.infer(ACCURACY, whole, over=SAMPLES),
        ),
        (
            follow.difference(ACCURACY, table(codes, groups), other, over=SAMPLES),
            follow.difference(ACCURACY, whole, other, over=SAMPLES),
        ),
    ):
        assert isinstance(found, Envelope)
        assert found.value == 1.0
        assert found.interval()[0] < best.interval()[0]


# --- simulation -------------------------------------------------------------------------------

Draw = Callable[[np.random.Generator, int], Inference]


def shares(p: float, size: int = 1, icc: float = 0.0) -> Draw:
    """Groups of ``size`` answers, right with chance ``p``, alike within a group."""

    def draw(rng: np.random.Generator, n: int) -> Inference:
        rate = rng.beta(p * (1 / icc - 1), (1 - p) * (1 / icc - 1), n) if icc else np.full(n, p)
        return sequential.share(rng.binomial(size, rate), np.full(n, size), most=size)

    return draw


def pairs(gained: float, lost: float) -> Draw:
    """Two systems on the same samples that differ on some."""

    def draw(rng: np.random.Generator, n: int) -> Inference:
        u = rng.random(n)
        one, two = u < gained, (u >= gained) & (u < gained + lost)
        return sequential.difference(one, two, np.ones(n), most=1)

    return draw


@dataclass(frozen=True)
class Stop:
    """What became of one run."""

    word: str
    """``supported``, ``refuted`` or ``undecided``."""

    groups: int


def go(draw: Draw, bound: float, n: int, rng: np.random.Generator) -> Stop:
    """Look at a claim of at least ``bound`` as a run does, at 2.5 % a side."""
    whole = draw(rng, n)
    assert isinstance(whole, sequential.Betting)
    for k in looks(n):
        seen = sequential.Betting(
            above=whole.above[:k], below=whole.below[:k], most=whole.most, scale=whole.scale
        )
        if seen.p_at_least(bound) <= ALPHA:
            return Stop("supported", k)
        if seen.p_at_most(bound) <= ALPHA:
            return Stop("refuted", k)
    return Stop("undecided", n)


EDGES: dict[str, tuple[Draw, float]] = {
    "a share of 0.8 against 0.8": (shares(0.8), 0.8),
    "a share of 0.5 in groups of 5, ICC 0.5": (shares(0.5, 5, 0.5), 0.5),
    "a share of 0.9 in groups of 5, ICC 0.1": (shares(0.9, 5, 0.1), 0.9),
    "two systems alike, differing on 20 %": (pairs(0.1, 0.1), 0.0),
    "a difference of 0.1 against 0.1": (pairs(0.15, 0.05), 0.1),
}
EFFECTS: dict[str, tuple[Draw, float]] = {
    "0.9 against 0.8": (shares(0.9), 0.8),
    "0.95 against 0.8": (shares(0.95), 0.8),
    "0.9 against 0.8, groups of 5, ICC 0.1": (shares(0.9, 5, 0.1), 0.8),
    "a difference of +0.2 (0.25, 0.05)": (pairs(0.25, 0.05), 0.0),
    "a difference of +0.1 (0.15, 0.05)": (pairs(0.15, 0.05), 0.0),
}


def simulate(draw: Draw, bound: float, runs: int, seed: int) -> list[Stop]:
    rng = np.random.default_rng(seed)
    return [go(draw, bound, N, rng) for _ in range(runs)]


def wrong(stops: list[Stop], word: str) -> float:
    return sum(s.word == word for s in stops) / len(stops)


@pytest.mark.slow
@pytest.mark.parametrize("name", EDGES)
def test_a_claim_at_its_edge_is_seldom_decided_either_way(name: str) -> None:
    stops = simulate(*EDGES[name], runs=300, seed=1)
    for word in ("supported", "refuted"):
        assert wrong(stops, word) <= ALPHA + 3 * np.sqrt(ALPHA / 300)


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
def test_a_clear_claim_is_decided_rightly_and_early(name: str) -> None:
    stops = simulate(*EFFECTS[name], runs=100, seed=2)
    assert wrong(stops, "supported") >= 0.95
    assert np.mean([s.groups for s in stops]) < 0.4 * N


@pytest.mark.heavy
def test_how_often_stopping_errs_and_what_it_saves() -> None:
    """Run with ``-s``: the table is what the statistics page prints."""
    for name, (draw, bound) in {**EDGES, **EFFECTS}.items():
        stops = simulate(draw, bound, runs=2000, seed=3)
        rates = [wrong(stops, word) for word in ("supported", "refuted", "undecided")]
        groups = [s.groups for s in stops]
        print(  # noqa: T201  (the numbers are the point)
            f"| {name} | " + " | ".join(f"{100 * r:.1f} %" for r in rates),
            f"| {np.mean(groups):.0f} | {np.quantile(groups, 0.9):.0f} |",
        )
        if name in EDGES:
            assert max(rates[:2]) <= ALPHA + 3 * np.sqrt(ALPHA / 2000)
        else:
            assert rates[1] == 0.0
