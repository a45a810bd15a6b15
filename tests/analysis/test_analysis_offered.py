"""Thresholds that somebody offers are tried on test and picked on calibration alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import OUTCOME_METRICS, DataError, PlanError
from assay.analysis.case import Case
from assay.analysis.offered import offer, pick
from assay.analysis.rules import ByUtility, MaxRisk
from assay.analysis.table import Table
from assay.core.metric import Origin
from assay.stats.tuned import Payoff
from assay.store.columns import CODE

NET = ByUtility(payoff=Payoff(right=1.0, wrong=-1.0, declined=0.0))
LIST = (0.3, 0.5, 0.7, 0.9)


def drawn(seed, *, groups=300, harm=0.6, split="test"):
    """Return records whose answers are righter the surer they are."""
    rng = np.random.default_rng(seed)
    sure = rng.random((1, groups))
    right = rng.random((1, groups)) < 1 - harm * (1 - sure) ** 2
    return Table(
        system="s",
        seeds=(0,),
        samples=tuple(f"{split}{i}" for i in range(groups)),
        groups=tuple(f"g{i}" for i in range(groups)),
        outcome=np.where(right, CODE["correct"], CODE["wrong"]).astype(np.int8),
        confidence=sure,
        no_answer=np.zeros(groups, dtype=bool),
        split=split,
    )


def case(test, calibration):
    return Case(
        task="t",
        metrics={m.name: m for m in OUTCOME_METRICS},
        tables={"s": test},
        raw={"s": test},
        timed={},
        thresholds={},
        controls=frozenset(),
        origins={"s": Origin.MEASURED},
        rng=0,
        calibration={"s": calibration} if calibration is not None else {},
    )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_a_stricter_threshold_answers_no_more(seed, thresholds):
    found = offer(
        case(drawn(seed), drawn(seed + 1, split="calibration")), "s", thresholds, rule=NET
    )
    shares = [p.test["coverage"].value for p in found.points]
    assert shares == sorted(shares, reverse=True)
    assert [p.threshold for p in found.points] == sorted(set(thresholds))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([NET, MaxRisk(max_risk=0.2)]))
def test_what_the_test_holds_has_no_say_in_the_pick(seed, rule):
    held = drawn(seed, split="calibration")
    here = offer(case(drawn(seed + 1), held), "s", LIST, rule=rule)
    there = offer(case(drawn(seed + 2, harm=0.0), held), "s", LIST, rule=rule)
    assert here.picked == there.picked
    assert here.points[0].test["accuracy"] != there.points[0].test["accuracy"]


def test_above_a_threshold_the_numbers_are_those_of_the_answers_that_stay():
    test = drawn(3)
    found = offer(case(test, drawn(4, split="calibration")), "s", [0.5], rule=NET)
    kept = test.confidence[0] >= 0.5
    right = test.outcome[0] == CODE["correct"]
    numbers = found.points[0].test
    assert numbers["coverage"].value == pytest.approx(kept.mean())
    assert numbers["selective_accuracy"].value == pytest.approx(right[kept].mean())
    assert numbers["accuracy"].value == pytest.approx((right & kept).mean())


def test_net_right_answers_pick_the_threshold_where_half_of_them_are_right():
    # Right with probability 1 - (1 - c) ** 2 * 1.2: below c of about 0.35 more are wrong than right.
    held = drawn(5, groups=20_000, harm=1.2, split="calibration")
    found = offer(case(drawn(6), held), "s", np.linspace(0, 1, 21), rule=NET)
    assert found.picked == pytest.approx(0.35, abs=0.051)


def test_a_guaranteed_pick_breaks_its_promise_no_more_often_than_it_says():
    # The true risk above t: the mean of 0.6 (1 - c)^2 over c in [t, 1] = 0.2 (1 - t)^2.
    rule = MaxRisk(max_risk=0.1)
    found = [
        pick(drawn(1000 + k, split="calibration"), np.linspace(0, 0.7, 15), rule=rule, rng=0)[0]
        for k in range(400)
    ]
    picked = [at for at in found if at is not None]
    assert len(picked) > 200
    broken = sum(0.2 * (1 - at) ** 2 > 0.1 for at in picked)
    assert 0 < broken <= 400 * 0.05 + 3 * np.sqrt(400 * 0.05 * 0.95)


def test_no_threshold_is_picked_where_none_passes_and_the_reason_is_said():
    awful = drawn(7, harm=1.0, split="calibration")
    awful = replace(awful, outcome=np.full_like(awful.outcome, CODE["wrong"]))
    for rule in (NET, MaxRisk(max_risk=0.1)):
        found = offer(case(drawn(8), awful), "s", LIST, rule=rule)
        assert found.picked is None
        assert found.chosen is None
        assert found.why
        assert "declines all" in found.promise


@pytest.mark.parametrize("wrong", [[], [1.5], [-0.1], [float("nan")]])
def test_what_is_no_confidence_is_no_threshold(wrong):
    with pytest.raises(DataError, match="A202"):
        offer(case(drawn(1), drawn(2, split="calibration")), "s", wrong, rule=NET)


def test_a_system_without_calibration_records_gets_no_threshold():
    with pytest.raises(PlanError, match="A104"):
        offer(case(drawn(1), None), "s", LIST, rule=NET)
    with pytest.raises(PlanError, match="A103"):
        offer(case(drawn(1), None), "other", LIST, rule=NET)
