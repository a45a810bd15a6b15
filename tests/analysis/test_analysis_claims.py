"""Claims are weighed together, by intervals, and a wrong word is rare."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Claim, Estimate, Over, Relation, Status
from assay.analysis.claims import ALPHA, Evidence, tally, weigh
from assay.stats.inference import Census, Exact, Score, StudentT, Undefined

SAMPLES = frozenset({Over.SAMPLES})


def claim(name="c", bound=0.0, relation=Relation.AT_LEAST, over=SAMPLES, **more):
    return Claim(
        id=name,
        says="it is so",
        task="t",
        system="a",
        metric="accuracy",
        relation=relation,
        bound=bound,
        over=over,
        **more,
    )


def evidence(inference, made=None, **more):
    estimate = Estimate(
        metric="accuracy", value=inference.value, low=None, high=None, n=200, n_groups=100
    )
    return Evidence(made or claim(), inference, estimate, **more)


def shifted(value, se=0.01, df=50):
    return StudentT(value=value, se=se, df=df, method="t")


@given(
    value=st.floats(-0.2, 0.2),
    bound=st.floats(-0.2, 0.2),
    relation=st.sampled_from(list(Relation)),
    others=st.integers(0, 5),
)
def test_the_printed_interval_and_the_word_always_agree(value, bound, relation, others):
    made = [evidence(shifted(value), claim("c", bound, relation))]
    made += [evidence(shifted(0.02 * i), claim(f"o{i}")) for i in range(others)]
    finding = weigh(made)[0]
    low, high = finding.estimate.low, finding.estimate.high
    slack = 1e-9
    inside = low - slack <= bound <= high + slack
    if finding.status is Status.UNDECIDED:
        assert inside
    else:
        upward = (finding.status is Status.SUPPORTED) == (relation is Relation.AT_LEAST)
        assert (low >= bound - slack) if upward else (high <= bound + slack)


@given(value=st.floats(-0.3, 0.3), bound=st.floats(-0.3, 0.3))
def test_at_least_and_at_most_are_mirror_images(value, bound):
    up = weigh([evidence(shifted(value), claim(bound=bound))])[0].status
    down = weigh([evidence(shifted(-value), claim(bound=-bound, relation=Relation.AT_MOST))])
    assert up is down[0].status


def test_a_second_claim_can_only_make_the_first_harder_to_support():
    close = evidence(shifted(0.021), claim("close"))
    hopeless = [evidence(shifted(0.0), claim(f"h{i}")) for i in range(9)]
    assert weigh([close])[0].status is Status.SUPPORTED
    assert weigh([close, *hopeless])[0].status is Status.UNDECIDED


def test_claims_on_exactly_these_records_stay_outside_of_the_family():
    census = [evidence(Census(1.0), claim(f"n{i}", 1.0, over=frozenset())) for i in range(50)]
    close = evidence(shifted(0.021), claim("close"))
    findings = weigh([close, *census])
    assert findings[0].status is Status.SUPPORTED
    assert {f.status for f in findings[1:]} == {Status.SUPPORTED}


def test_a_census_does_not_decide_a_sentence_about_other_samples():
    (finding,) = weigh([evidence(Census(1.0), claim(bound=0.5))])
    assert finding.status is Status.UNDECIDED
    assert "describe themselves only" in finding.notes[0]


def test_an_undefined_number_is_undecided_and_says_why():
    (finding,) = weigh([evidence(Undefined("nothing was asked"), claim(bound=0.5))])
    assert finding.status is Status.UNDECIDED
    assert "nothing was asked" in finding.notes[-1]
    assert finding.estimate.value is None


def test_a_held_claim_stays_undecided_whatever_the_interval_says():
    held = evidence(shifted(0.5), hold="replies of a were not observed")
    (finding,) = weigh([held])
    assert finding.status is Status.UNDECIDED
    assert finding.notes == ("replies of a were not observed",)
    assert finding.more_samples is None


def test_an_undecided_claim_says_how_many_samples_would_decide_it():
    (near,) = weigh([evidence(shifted(0.015))])
    (far,) = weigh([evidence(shifted(0.005))])
    assert near.status is far.status is Status.UNDECIDED
    assert 0 < near.more_samples < far.more_samples


def test_a_claim_whose_bound_is_the_estimate_is_never_decided():
    (finding,) = weigh([evidence(shifted(0.0))])
    assert finding.more_samples is None


def test_zero_events_support_a_bound_only_with_enough_groups():
    few = evidence(Exact(0, 30), claim(bound=0.05, relation=Relation.AT_MOST))
    many = evidence(Exact(0, 300), claim(bound=0.05, relation=Relation.AT_MOST))
    assert weigh([few])[0].status is Status.UNDECIDED
    assert weigh([many])[0].status is Status.SUPPORTED


def test_a_claim_without_claims_is_an_empty_list():
    assert weigh([]) == []
    assert set(tally([]).values()) == {0}


@pytest.mark.parametrize("truth_at_bound", [5])
def test_a_plan_rarely_calls_any_claim_wrongly(truth_at_bound):
    """Size of Holm over five true-at-the-bound claims: at most 5 % of plans err, in 2,000 plans."""
    rng = np.random.default_rng(1)
    wrong = 0
    plans, n = 2_000, 400
    for _ in range(plans):
        hits = rng.binomial(n, 0.8, size=truth_at_bound)
        made = [
            evidence(Score(share=k / n, n_eff=n, method="Wilson"), claim(f"c{i}", 0.8))
            for i, k in enumerate(hits)
        ]
        wrong += any(f.status is not Status.UNDECIDED for f in weigh(made))
    # Three standard errors above the promise.
    assert wrong / plans <= ALPHA + 3 * (ALPHA * (1 - ALPHA) / plans) ** 0.5
    assert wrong > 0
