"""How often a gate is closed for nothing, on records where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.analysis.alarms import FEWEST, Matched, false_alarms
from assay.analysis.metrics import accuracy, risk, usd_per_1k
from assay.analysis.table import Table
from assay.store.columns import CODE

RIGHT, WRONG, CRASHED = CODE["correct"], CODE["wrong"], CODE["crashed"]


def matched(*, n=600, churn=0.05, name="t/a", metric=accuracy, unchanged=False, lost=0.0, seed=1):
    """Return a system that is right four times in five, and again with some replies changed."""
    rng = np.random.default_rng(seed)
    then = rng.random(n) < 0.8
    now = np.where(rng.random(n) < churn, rng.random(n) < 0.8, then) & (rng.random(n) >= lost)
    tables = [
        Table(
            system="a",
            seeds=(0,),
            samples=tuple(f"s{i}" for i in range(n)),
            groups=tuple(f"g{i}" for i in range(n)),
            outcome=np.where(right, RIGHT, WRONG).astype(np.int8)[None],
            confidence=np.full((1, n), 0.5),
            no_answer=np.zeros(n, dtype=bool),
        )
        for right in (now, then)
    ]
    return Matched(name=name, metric=metric, now=tables[0], then=tables[1], unchanged=unchanged)


def share(*found, margin):
    alarms = false_alarms(found, margin=margin, rng=3)
    assert alarms.rate is not None
    return alarms.rate.value


def test_a_wide_margin_never_alarms_and_none_nearly_always_does():
    assert share(matched(), margin=0.2) == 0.0
    assert share(matched(), margin=0.0) >= 0.9


def test_a_wider_margin_alarms_less():
    rates = [share(matched(), margin=m) for m in (0.0, 0.01, 0.02, 0.04)]
    assert rates == sorted(rates, reverse=True)
    assert 0.02 < rates[1] < 0.95


def test_the_rate_is_that_of_the_test_at_a_margin_of_known_power():
    """With variance v of a difference and a margin of 3.24 standard errors, nine in ten are shown."""
    one = matched(n=4000, churn=0.2)
    differ = (one.now.outcome[0] == RIGHT).astype(float) - (one.then.outcome[0] == RIGHT)
    error = np.sqrt((differ**2).mean() / 4000)
    assert share(one, margin=3.2415 * error) == pytest.approx(0.1, abs=0.065)


def test_more_systems_alarm_more_because_each_may():
    many = [matched(name=f"t/{i}", seed=i) for i in range(6)]
    assert share(*many, margin=0.02) > share(many[0], margin=0.02)


def test_what_is_lost_between_the_runs_is_no_alarm():
    """Names are shuffled: a run that is much worse says nothing of how often nothing is called."""
    assert share(matched(lost=0.05, n=4000), margin=0.02) < 0.05


def test_a_metric_of_which_less_is_better_is_read_the_other_way():
    assert share(matched(metric=risk), margin=0.2) == 0.0


def test_an_unchanged_system_never_alarms():
    same = matched(churn=0.0, unchanged=True, name="t/same")
    assert share(same, matched(), margin=0.05) == share(matched(), margin=0.05) == 0.0
    found = false_alarms([same], margin=0.01, rng=3)
    assert (found.rate, found.why_not[:15]) == (None, "every system is")


def test_what_cannot_be_measured_is_said():
    told = false_alarms([matched(metric=usd_per_1k)], margin=0.1, rng=3)
    assert told.why_not == "usd_per_1k of t/a is no mean over samples"
    one = matched()
    outcome = one.now.outcome.copy()
    outcome[0, 0] = CRASHED
    crashed = replace(one, now=replace(one.now, outcome=outcome))
    assert "crashes are left" in false_alarms([crashed], margin=0.1, rng=3).why_not


def test_the_same_records_give_the_same_rate_and_large_ones_fewer_trials():
    assert share(matched(), margin=0.02) == share(matched(), margin=0.02)
    large = false_alarms([matched(n=200_001)], margin=0.02, rng=3)
    assert large.rate is not None
    assert large.rate.trials == FEWEST
