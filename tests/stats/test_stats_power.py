"""How many groups would decide."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats.binomial import upper_bound
from assay.stats.clusters import paired, share
from assay.stats.inference import (
    Census,
    Exact,
    Inference,
    LogT,
    PairedScore,
    Resampled,
    Score,
    StudentT,
    Undefined,
    ZeroDiscordance,
)
from assay.stats.order import quantile
from assay.stats.power import (
    groups_needed,
    grown,
    minimum_detectable,
    samples_for_difference,
    samples_for_mean,
)

MEMBERS: dict[str, Inference] = {
    "t": StudentT(value=0.5, se=0.08, df=29),
    "t near a bound": StudentT(value=0.97, se=0.03, df=29, low=0.0, high=1.0),
    "log": LogT(value=1.2, log_se=0.3, df=29),
    "score": Score(share=0.8, n_eff=30),
    "grouped score": Score(share=0.8, n_eff=21.5, df=17.3),
    "all right": Score(share=1.0, n_eff=30),
    "exact": Exact(24, 30),
    "none": Exact(0, 30, of="groups"),
    "paired": PairedScore(gained=0.1, lost=0.02, n_eff=30),
    "always better": PairedScore(gained=1.0, lost=0.0, n_eff=30),
    "no difference": ZeroDiscordance(n_groups=30),
    "bootstrap": Resampled(value=0.5, draws=np.linspace(0.3, 0.7, 999)),
    "median": quantile(np.linspace(0, 1, 30), 0.5),
}


def test_zero_events_need_as_many_groups_as_the_rule_of_three_says() -> None:
    more = groups_needed(Exact(0, 20), bound=0.05, n_groups=20, alpha=0.05)
    assert more == 39
    assert upper_bound(0, 20 + more) <= 0.05 < upper_bound(0, 19 + more)


@pytest.mark.parametrize("name", MEMBERS)
def test_any_bound_but_the_value_itself_is_decided_by_some_number(name: str) -> None:
    inference = MEMBERS[name]
    for distance in (0.003, -0.003):
        bound = inference.value + distance
        if 0 < bound < 1:
            assert groups_needed(inference, bound=bound, n_groups=30) > 30
    assert groups_needed(inference, bound=inference.value, n_groups=30) is None


@pytest.mark.parametrize("name", MEMBERS)
@given(near=st.floats(0.002, 0.02), further=st.floats(1.01, 3), power=st.floats(0.5, 0.95))
def test_a_closer_bound_or_more_power_needs_no_fewer(
    name: str, near: float, further: float, power: float
) -> None:
    inference = MEMBERS[name]
    ask = lambda by, power: groups_needed(  # noqa: E731
        inference, bound=inference.value - by, n_groups=30, power=power
    )
    if inference.value - near * further <= 0 and name not in {"no difference", "paired"}:
        return
    assert ask(near, power) >= ask(near * further, power)
    assert ask(near, power) >= ask(near, 0.5)


@pytest.mark.parametrize(
    ("name", "seed_se"),
    [(name, 0.0) for name in ("t", "log", "score", "grouped score", "paired")]
    + [(name, 0.03) for name in ("t", "log", "grouped score")],
)
def test_projected_to_as_many_groups_an_inference_stays_what_it_is(
    name: str, seed_se: float
) -> None:
    inference = replace(MEMBERS[name], seed_se=seed_se, seed_df=4 if seed_se else inf)
    if seed_se:  # no more degrees of freedom than five seeds of that size leave
        inference = replace(inference, df=8.0)
    same = grown(inference, 1.0, error=0.0)
    assert same.interval() == pytest.approx(inference.interval())
    twice = grown(inference, 2.0, error=0.0)
    shrunk = np.sqrt(seed_se**2 + (se_of(inference) ** 2 - seed_se**2) / 2)
    assert se_of(twice) == pytest.approx(shrunk)
    if not seed_se and name != "score":
        assert twice.df == pytest.approx(2 * (inference.df + 1) - 1)


def se_of(inference: Inference) -> float:
    return inference.log_se if isinstance(inference, LogT) else inference.se


def test_what_is_decided_already_needs_none() -> None:
    assert groups_needed(StudentT(value=0.9, se=0.01, df=30), bound=0.8, n_groups=31) == 0
    assert groups_needed(StudentT(value=0.7, se=0.01, df=30), bound=0.8, n_groups=31) == 0


def test_no_number_is_planned_for_a_census_or_for_nothing() -> None:
    assert groups_needed(Census(0.5), bound=0.4, n_groups=3) is None
    assert groups_needed(Undefined("why"), bound=0.4, n_groups=3) is None


def test_more_groups_cannot_outrun_the_spread_over_seeds() -> None:
    seedless = StudentT(value=0.50, se=0.1, df=20)
    seeded = replace(seedless, seed_se=0.08, seed_df=4)
    assert groups_needed(seedless, bound=0.45, n_groups=20) is not None
    assert groups_needed(seeded, bound=0.45, n_groups=20) is None
    assert groups_needed(seeded, bound=0.10, n_groups=20) == 0
    far = groups_needed(replace(seeded, seed_se=0.02), bound=0.35, n_groups=20)
    assert far > groups_needed(seedless, bound=0.35, n_groups=20)


@pytest.mark.parametrize("power", [0.5, 0.8])
def test_the_planned_number_of_groups_decides_as_often_as_planned(power: float) -> None:
    truth, bound = 0.85, 0.8
    pilot = Score(share=truth, n_eff=100)
    n = 100 + groups_needed(pilot, bound=bound, n_groups=100, power=power)
    rng = np.random.default_rng(0)
    decided = [
        share(rng.random(n) < truth, np.ones(n), groups=np.arange(n)).p_at_least(bound) <= 0.025
        for _ in range(2000)
    ]
    assert np.mean(decided) == pytest.approx(power, abs=0.04)


def test_a_planned_paired_comparison_decides_as_often_as_planned() -> None:
    gained, lost, margin = 0.04, 0.05, -0.05
    pilot = PairedScore(gained=gained, lost=lost, n_eff=100)
    n = 100 + groups_needed(pilot, bound=margin, n_groups=100)
    rng = np.random.default_rng(0)
    decided = []
    for _ in range(1500):
        u = rng.random(n)
        a, b = u < gained, (u >= gained) & (u < gained + lost)
        found = paired((a, np.ones(n)), (b, np.ones(n)), groups=np.arange(n), bounds=(0, 1))
        decided.append(found.p_at_least(margin) <= 0.025)
    assert np.mean(decided) == pytest.approx(0.8, abs=0.04)


def test_millers_sample_sizes_come_out() -> None:
    assert samples_for_mean(1 / 9, 0.03) == 969
    assert samples_for_mean(1 / 9 + 1 / 3, 0.03) == pytest.approx(3876, abs=1)


@pytest.mark.parametrize(("answers", "expected"), [(1, 0.133), (10, 0.076)])
def test_millers_detectable_differences_come_out(answers: int, expected: float) -> None:
    variance = 1 / 9 + 2 / 6 / answers
    found = minimum_detectable(np.sqrt(variance / 198), n_groups=10**9)
    assert found == pytest.approx(expected, abs=0.0006)


@given(st.floats(0.02, 1), st.floats(0.01, 0.9))
def test_what_is_detectable_with_the_planned_samples_is_what_was_planned_for(
    discordance: float, part: float
) -> None:
    delta = discordance * part
    n = samples_for_mean(discordance, delta)
    if n > 1000:
        found = minimum_detectable(np.sqrt(discordance / n), n_groups=n)
        assert found == pytest.approx(delta, rel=0.01)
    assert samples_for_difference(discordance, delta) <= n


def test_few_groups_detect_less_than_the_normal_says() -> None:
    assert minimum_detectable(0.1, n_groups=5) > 1.2 * minimum_detectable(0.1, n_groups=10**6)


def test_misuse_is_a_data_error() -> None:
    t = StudentT(value=0.5, se=0.1)
    for call in (
        lambda: groups_needed(t, bound=0.4, n_groups=5, alpha=0),
        lambda: groups_needed(t, bound=0.4, n_groups=5, power=1),
        lambda: groups_needed(t, bound=0.4, n_groups=0),
        lambda: minimum_detectable(0.0, n_groups=5),
        lambda: minimum_detectable(0.1, n_groups=1),
        lambda: samples_for_difference(0.1, 0.2),
        lambda: samples_for_difference(0.1, 0.0),
        lambda: samples_for_mean(0.0, 0.1),
        lambda: samples_for_mean(0.1, 0.0),
        lambda: samples_for_mean(0.1, 0.1, alpha=inf),
    ):
        with pytest.raises(DataError, match="A202"):
            call()
