"""Ranks, bands and fronts of a board: what may be told apart, and how often equal rows are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.publish.board.card import Asked, Number, Values
from assay.publish.board.standing import MOST_PAIRED, Ranking, is_ranked, paired
from assay.stats.inference import Census


def number(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    n: int = 200,
    confidence: float = 0.95,
):
    return Number(
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        sides=2,
        n=n,
        n_groups=n,
        n_seeds=1,
        over=("samples",),
        method="made",
        origin="measured",
    )


def spelt(hits: np.ndarray, seeds: int = 1) -> Values:
    return Values(
        seeds=seeds,
        numerators=" ".join(str(int(h)) for h in hits),
        denominators=str(seeds),
        bounds=(0.0, 1.0),
    )


def ranking_of(hits: np.ndarray, groups: str = "") -> Ranking:
    """Rank systems by right answers of shape [systems, samples]."""
    n = hits.shape[1]
    asked = Asked(task="t", n=n, n_groups=len(set(groups.split())) or n, groups=groups)
    return Ranking(
        higher=True,
        ratio=False,
        numbers={i: number(float(h.mean()), 0.0, 1.0) for i, h in enumerate(hits)},
        pairs=paired({i: spelt(h) for i, h in enumerate(hits)}, asked),
    )


def apart(values: list[float], error: float, **kind: bool) -> Ranking:
    shown = {
        i: number(v, v - 1.96 * error, v + 1.96 * error, n=10**6) for i, v in enumerate(values)
    }
    return Ranking(higher=True, ratio=False, **kind, numbers=shown, pairs={})


def test_no_card_stops_a_ranking_whatever_interval_and_confidence_it_says():
    odd = number(3.0, 2.0, 4.0, confidence=1e-300)
    at_no_confidence = Ranking(
        higher=True, ratio=False, numbers={0: odd, 1: number(1.0, 0.5, 1.5)}, pairs={}
    )
    assert at_no_confidence.p_ahead(0, 1) is not None  # the other one's arm is known
    assert Ranking(higher=True, ratio=False, numbers={0: odd, 1: odd}, pairs={}).ranks()
    assert not is_ranked(number(3.0, 2.0, -4.0), ratio=True)
    assert is_ranked(number(3.0, 2.0, -4.0), ratio=False)


def test_equal_models_are_told_apart_in_at_most_one_board_of_twenty():
    """Four models that are right on 70 % of 120 samples, two of each group alike."""
    rng = np.random.default_rng(7)
    groups = " ".join(str(i // 2) for i in range(120))
    wrong, boards = 0, 200
    for _ in range(boards):
        skill = np.repeat(rng.normal(0.52, 1, size=60), 2)  # what both samples of a group share
        hits = rng.normal(skill, 1, size=(4, 120)) > 0
        wrong += any(r.band > 1 or r.best > 1 for r in ranking_of(hits, groups).ranks().values())
    assert wrong / boards <= 0.05 + 2 * (0.05 * 0.95 / boards) ** 0.5


def test_rank_intervals_hold_every_true_rank_in_nineteen_boards_of_twenty():
    rng, held, boards = np.random.default_rng(8), 0, 150
    truth = np.array([0.8, 0.7, 0.7, 0.4])
    best, worst = [1, 2, 2, 4], [1, 3, 3, 4]
    for _ in range(boards):
        hits = rng.random((4, 250)) < truth[:, None]
        ranks = ranking_of(hits).ranks()
        held += all(ranks[i].best <= best[i] and worst[i] <= ranks[i].worst for i in range(4))
    assert held / boards >= 0.95 - 2 * (0.05 * 0.95 / boards) ** 0.5


def test_numbers_that_were_measured_apart_are_no_more_often_told_apart():
    rng, wrong, boards = np.random.default_rng(9), 0, 400
    for _ in range(boards):
        found = apart([float(v) for v in rng.normal(0.5, 0.1, size=5)], 0.1).ranks()
        wrong += any(r.best > 1 for r in found.values())
    assert wrong / boards <= 0.05 + 2 * (0.05 * 0.95 / boards) ** 0.5


def test_a_model_that_is_clearly_worse_stands_in_the_next_band():
    hits = np.zeros((3, 200))
    hits[0, :160] = hits[1, :156] = hits[2, :60] = 1
    ranks = ranking_of(hits).ranks()
    assert [(ranks[i].best, ranks[i].worst, ranks[i].band) for i in range(3)] == [
        (1, 2, 1),
        (1, 2, 1),
        (3, 3, 2),
    ]


def test_pairing_tells_apart_what_intervals_alone_do_not():
    rng = np.random.default_rng(3)
    first = (rng.random(400) < 0.7).astype(float)
    second = first.copy()
    second[np.flatnonzero(first)[:20]] = 0  # wrong wherever the first is, and on twenty more
    hits = np.stack([first, second])
    assert ranking_of(hits).ranks()[1].band == 2
    error = (0.7 * 0.3 / 400) ** 0.5
    assert apart([float(h.mean()) for h in hits], error).ranks()[1].band == 1


def test_a_lower_number_ranks_first_where_lower_is_better():
    shown = {0: number(2.0, 1.9, 2.1), 1: number(1.0, 0.9, 1.1)}
    ranks = Ranking(higher=False, ratio=True, numbers=shown, pairs={}).ranks()
    assert (ranks[1].band, ranks[0].band) == (1, 2)


def test_what_has_no_interval_has_no_rank():
    assert not is_ranked(number(0.5), ratio=False)
    assert not is_ranked(number(None), ratio=False)
    assert not is_ranked(number(0.0, 0.0, 1.0), ratio=True), "zero dollars have no logarithm"
    assert apart([0.5], 0.1).p_ahead(0, 1) is None


def test_seeds_of_two_runs_are_scaled_to_one_another():
    """Two seeds that agree say what one does."""
    asked = Asked(task="t", n=4, n_groups=4, groups="")
    hits = np.array([1, 1, 0, 1])
    pairs = paired({0: spelt(2 * hits, seeds=2), 1: spelt(hits)}, asked)
    assert pairs[0, 1].value == 0.0


def test_a_thousand_rows_are_ranked_by_their_intervals():
    many = {i: spelt(np.array([1, 0])) for i in range(MOST_PAIRED + 1)}
    assert paired(many, Asked(task="t", n=2, n_groups=2, groups="")) == {}


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), st.floats(0.01, 0.5), st.randoms())
def test_ranks_do_not_depend_on_the_order_of_rows(values, error, random):
    ranks = apart(values, error).ranks()
    assert all(1 <= r.best <= r.worst <= len(values) for r in ranks.values())
    order = sorted(range(len(values)), key=lambda i: -values[i])
    bands = [ranks[i].band for i in order]
    assert bands == sorted(bands)
    assert bands[0] == 1
    places = list(range(len(values)))
    random.shuffle(places)
    again = apart([values[i] for i in places], error).ranks()
    for new, old in enumerate(places):
        assert (again[new].best, again[new].worst) == (ranks[old].best, ranks[old].worst)


def test_a_census_of_differences_shows_nothing():
    ranking = Ranking(
        higher=True,
        ratio=False,
        numbers={0: number(1.0, 0.9, 1.0), 1: number(0.0, 0.0, 0.1)},
        pairs={(0, 1): Census(1.0)},
    )
    assert {r.band for r in ranking.ranks().values()} == {1}
    assert ranking.p_ahead(0, 1) is None


def test_only_the_row_that_is_ahead_has_a_p_value():
    hits = np.zeros((2, 60))
    hits[0, :50] = hits[1, :20] = 1
    found = ranking_of(hits)
    assert found.p_ahead(1, 0) is None
    p = found.p_ahead(0, 1)
    assert p is not None
    assert p < 0.001


@pytest.mark.parametrize("text", ["1 0", "1 0 1 x", "1 0 1 nan", ""])
def test_a_damaged_card_is_no_error_of_ours(text):
    asked = Asked(task="t", n=4, n_groups=4, groups="")
    fine = spelt(np.array([1, 0, 1, 1]))
    with pytest.raises(DataError, match="assay board verify"):
        paired({0: fine, 1: fine.model_copy(update={"numerators": text})}, asked)
