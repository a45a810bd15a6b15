"""The noise floor: false alarms as promised, losses seen as they grow."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from assay import PlanError
from assay.analysis.metrics import accuracy, risk, usd_per_1k
from assay.analysis.noise import Rate, noise_floor
from assay.analysis.table import Table
from assay.store.columns import CODE

RIGHT, WRONG = CODE["correct"], CODE["wrong"]


def system(name, share, *, seeds=1, groups=60, size=5, rng):
    """Return a system whose groups are more or less easy."""
    easy = rng.beta(4 * share, 4 * (1 - share), groups).repeat(size)
    right = rng.random((seeds, groups * size)) < easy
    n = groups * size
    return Table(
        system=name,
        seeds=tuple(range(seeds)),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i // size}" for i in range(n)),
        outcome=np.where(right, RIGHT, WRONG).astype(np.int8),
        confidence=np.full(right.shape, 0.5),
        no_answer=np.zeros(n, dtype=bool),
    )


def floor(*tables, metric=accuracy, trials=200, margin=0.05):
    named = {t.system: t for t in tables}
    return noise_floor("t", metric, named, margin=margin, trials=trials, rng=3)


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(5)
    return floor(system("a", 0.8, rng=rng), system("b", 0.6, seeds=3, rng=rng), trials=300)


def test_shuffled_names_are_called_different_no_oftener_than_promised(found):
    [same] = found.same
    assert (same.system, same.against) == ("a", "b")
    assert same.alarms.ends[0] <= 0.05
    assert same.alarms.trials == 300


def test_a_harmless_rebuild_is_called_worse_no_oftener_than_promised(found):
    for planted in found.planted:
        if planted.drop == 0.0:
            assert planted.seen.ends[0] <= 0.05


def test_a_larger_loss_is_seen_oftener(found):
    for name in ("a", "b"):
        seen = [p.seen.value for p in found.planted if p.system == name]
        assert seen[-1] > 0.7
        assert all(x <= y + 0.08 for x, y in pairwise(seen))


def test_the_smallest_loss_that_is_seen_is_named_or_none_is(found):
    assert found.visible("a") in {0.01, 0.02, 0.05}
    assert found.visible("b") is None  # 79 % of losses of ten points: churn hides them


def test_churn_makes_a_loss_harder_to_see(found):
    """System b has seeds that differ, system a has none."""
    a, b = ([p for p in found.planted if p.system == n and p.drop == 0.02] for n in "ab")
    assert a[0].churn == 0.0 < b[0].churn
    assert a[0].seen.value > b[0].seen.value


def test_the_gate_stops_every_loss_beyond_its_margin(found):
    beyond = [p for p in found.planted if p.drop == 0.1]
    assert all(p.stopped.value > 0.97 for p in beyond)


def test_a_system_against_itself_is_never_worse_when_nothing_is_planted():
    made = floor(system("a", 0.8, rng=np.random.default_rng(1)))
    assert made.planted[0].drop == 0.0
    assert made.planted[0].seen.count == 0


def test_seeds_that_are_the_same_are_never_called_different():
    one = system("a", 0.7, rng=np.random.default_rng(2))
    twice = replace(
        one,
        seeds=(0, 1),
        outcome=np.repeat(one.outcome, 2, axis=0),
        confidence=np.repeat(one.confidence, 2, axis=0),
    )
    [again] = floor(twice).retrained
    assert (again.called, again.churn) == (Rate(count=0, trials=1), 0.0)


def test_where_less_is_better_a_loss_is_more():
    made = floor(system("a", 0.8, rng=np.random.default_rng(3)), metric=risk)
    assert [p.seen.value for p in made.planted][-1] > 0.9


def test_a_system_that_has_nothing_to_lose_loses_nothing():
    made = floor(system("a", 0.03, rng=np.random.default_rng(3)))
    assert max(p.drop for p in made.planted) < 0.05


def test_a_system_that_is_always_right_has_a_noise_floor():
    rng = np.random.default_rng(2)
    perfect = replace(made := system("a", 0.5, rng=rng), outcome=np.full_like(made.outcome, RIGHT))
    lost = [p for p in floor(perfect, trials=40).planted if p.drop == 0.1]
    assert lost[0].seen.value > 0.7


def test_nothing_is_lost_where_each_seed_is_wrong_on_questions_of_its_own():
    made = system("a", 0.5, seeds=3, groups=60, size=1, rng=np.random.default_rng(4))
    wrong = np.arange(60) // 10 == np.arange(3)[:, None]
    table = replace(made, outcome=np.where(wrong, WRONG, RIGHT).astype(np.int8))
    nothing = floor(table, trials=400).planted[0]
    assert (nothing.drop, nothing.churn) == (0.0, pytest.approx(1 / 3))
    assert nothing.seen.value <= 0.035


def test_the_same_seed_gives_the_same_rates():
    table = system("a", 0.8, rng=np.random.default_rng(4))
    assert floor(table, trials=40) == floor(table, trials=40)


@pytest.mark.parametrize("metric", [usd_per_1k])
def test_what_is_no_share_is_refused(metric):
    with pytest.raises(PlanError, match="measured on shares") as caught:
        floor(system("a", 0.8, rng=np.random.default_rng(4)), metric=metric)
    assert caught.value.code == "A104"


def test_a_loss_is_a_share_of_what_the_metric_counts():
    rng = np.random.default_rng(2)
    made = system("a", 0.8, groups=100, rng=rng)
    outcome = made.outcome.copy()
    outcome[:, ::2] = CODE["withheld"]
    half = replace(made, outcome=outcome)
    answered = made.only([s for i, s in enumerate(made.samples) if i % 2])
    # Risk looks at answers alone: the questions that were declined make no loss larger.
    (one, two) = (
        {p.drop: p.seen.value for p in floor(t, metric=risk, trials=300).planted}
        for t in (half, answered)
    )
    assert one[0.02] == pytest.approx(two[0.02], abs=0.12)
    assert one.keys() == two.keys()
