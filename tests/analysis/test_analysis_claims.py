"""Claims are weighed together, by intervals, and a wrong word is rare."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Claim, Estimate, Over, Relation, Status
from assay.analysis.claims import ALPHA, Evidence, tally, weigh
from assay.core.claim import Correction
from assay.core.metric import Contrast
from assay.stats import clusters
from assay.stats.inference import Census, Exact, LogT, Score, StudentT, Undefined

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
    bound=st.floats(0.001, 0.2),
    relation=st.sampled_from(list(Relation)),
    others=st.lists(st.floats(-0.1, 0.1), max_size=5),
    correction=st.sampled_from(Correction),
    exploratory=st.booleans(),
)
def test_the_printed_interval_and_the_word_always_agree(
    value, bound, relation, others, correction, exploratory
):
    made = [evidence(shifted(value), claim("c", bound, relation, exploratory=exploratory))]
    made += [
        evidence(shifted(other), claim(f"o{i}", exploratory=exploratory))
        for i, other in enumerate(others)
    ]
    finding = weigh(made, correction=correction)[0]
    low, high = finding.estimate.low, finding.estimate.high
    least, greatest = finding.claim.limits(Contrast.DIFFERENCE)
    slack = 1e-9
    match finding.status:
        case Status.SUPPORTED:
            assert least - slack <= low <= high <= greatest + slack
        case Status.REFUTED:
            assert high <= least + slack or low >= greatest - slack
        case Status.UNDECIDED:
            assert low <= least + slack or high >= greatest - slack
            assert high >= least - slack
            assert low <= greatest + slack


@pytest.mark.parametrize("exploratory", [False, True])
@pytest.mark.parametrize(
    ("seen", "relation", "bound", "word"),
    [
        (20, Relation.AT_LEAST, 1.0, Status.UNDECIDED),
        (19, Relation.AT_LEAST, 1.0, Status.REFUTED),
        (0, Relation.AT_MOST, 0.0, Status.UNDECIDED),
        (1, Relation.AT_MOST, 0.0, Status.REFUTED),
        (20, Relation.AT_LEAST, 0.0, Status.SUPPORTED),
    ],
)
def test_what_always_or_never_happened_refutes_no_claim_that_it_always_or_never_does(
    seen, relation, bound, word, exploratory
):
    found = evidence(Exact(seen, 20), claim("c", bound, relation, exploratory=exploratory))
    assert weigh([found])[0].status is word


@given(value=st.floats(-0.1, 0.1), se=st.floats(0.005, 0.05), bound=st.floats(0.01, 0.1))
def test_two_systems_within_a_bound_stay_within_it_when_they_are_swapped(value, se, bound):
    words = [
        weigh([evidence(shifted(v, se), claim(bound=bound, relation=Relation.WITHIN))])[0].status
        for v in (value, -value)
    ]
    assert words[0] is words[1]


@given(ratio=st.floats(0.5, 2.0), factor=st.floats(1.05, 2.0))
def test_a_ratio_within_a_factor_stays_within_it_when_it_is_turned_over(ratio, factor):
    words = [
        weigh(
            [
                evidence(
                    LogT(value=r, log_se=0.1, df=30),
                    claim(bound=factor, relation=Relation.WITHIN, against="b"),
                    contrast=Contrast.RATIO,
                )
            ]
        )[0]
        for r in (ratio, 1 / ratio)
    ]
    assert words[0].status is words[1].status
    assert words[0].p_support == pytest.approx(words[1].p_support, abs=1e-9)


def test_within_is_the_two_one_sided_tests_of_statsmodels():
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    rng = np.random.default_rng(2)
    one = rng.normal(size=40)
    other = one + rng.normal(0.05, 0.3, size=40)
    gap = one - other
    made = StudentT(value=gap.mean(), se=gap.std(ddof=1) / 40**0.5, df=39, method="t")
    (finding,) = weigh([evidence(made, claim(bound=0.2, relation=Relation.WITHIN))])
    p, *_ = weightstats.ttost_paired(one, other, -0.2, 0.2)
    assert finding.p_support == pytest.approx(p, rel=1e-9)


def test_within_is_supported_inside_refuted_outside_and_else_says_how_many_samples():
    words = {
        value: weigh([evidence(shifted(value), claim(bound=0.05, relation=Relation.WITHIN))])[0]
        for value in (0.0, 0.01, 0.04, 0.1, -0.1)
    }
    assert [f.status.value for f in words.values()] == [
        "supported", "supported", "undecided", "refuted", "refuted",
    ]  # fmt: skip
    assert words[0.04].more_samples > 0
    assert words[0.04].p_refute == 1.0


def test_the_samples_that_equivalence_asks_for_decide_four_times_in_five():
    """In 400 draws with the true difference at 0, and at a third of the bound."""
    rng = np.random.default_rng(3)
    for truth in (0.0, 0.01):
        (now,) = weigh(
            [evidence(shifted(truth, 0.02, df=99), claim(bound=0.03, relation=Relation.WITHIN))]
        )
        factor = (200 + now.more_samples) / 200
        se = 0.02 / factor**0.5
        drawn = [shifted(v, se, df=100 * factor - 1) for v in rng.normal(truth, se, size=400)]
        made = claim(bound=0.03, relation=Relation.WITHIN)
        shown = np.mean(
            [weigh([evidence(one, made)])[0].status is Status.SUPPORTED for one in drawn]
        )
        assert 0.75 < shown < 0.9


def test_bonferroni_never_finds_more_than_holm():
    made = [evidence(shifted(v), claim(f"c{v}")) for v in (0.05, 0.024, 0.022)]
    holm = [f.status for f in weigh(made)]
    bonferroni = [f.status for f in weigh(made, correction=Correction.BONFERRONI)]
    assert holm == [Status.SUPPORTED] * 3
    assert bonferroni == [Status.SUPPORTED, Status.UNDECIDED, Status.UNDECIDED]


@given(st.lists(st.floats(-0.1, 0.1), max_size=5))
def test_exploratory_claims_never_change_the_sealed_ones(values):
    sealed = [evidence(shifted(v), claim(f"c{v}")) for v in (0.024, -0.03, 0.0)]
    later = [evidence(shifted(v), claim(f"x{i}", exploratory=True)) for i, v in enumerate(values)]
    assert weigh(sealed + later)[:3] == weigh(sealed)
    assert weigh(sealed + later)[3:] == weigh(later)


def test_exploratory_claims_are_decided_at_a_false_discovery_rate():
    """Benjamini-Hochberg by hand: two-sided p of 0.012 passes 0.05 * 2 / 4 when two pass."""
    values = {"a": 0.05, "b": 0.026, "c": 0.01, "d": 0.0}
    made = [evidence(shifted(v), claim(k, exploratory=True)) for k, v in values.items()]
    found = {f.claim.id: f for f in weigh(made)}
    assert [f.status for f in found.values()] == [Status.SUPPORTED] * 2 + [Status.UNDECIDED] * 2
    assert {f.level for f in found.values()} == {0.0125}


@given(st.permutations(range(4)))
def test_the_order_of_claims_changes_nothing(order):
    relations = (*Relation, Relation.AT_LEAST)
    made = [
        evidence(shifted(0.01 * i), claim(f"c{i}", 0.02, relation))
        for i, relation in enumerate(relations)
    ]
    usual = {f.claim.id: f for f in weigh(made)}
    assert {f.claim.id: f for f in weigh([made[i] for i in order])} == usual


def test_an_undefined_claim_of_the_family_still_counts():
    close = evidence(shifted(0.021), claim("close"))
    nothing = [evidence(Undefined("nothing was asked"), claim(f"n{i}")) for i in range(9)]
    assert weigh([close])[0].status is Status.SUPPORTED
    assert weigh([close, *nothing])[0].status is Status.UNDECIDED


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


def test_a_number_that_came_to_nothing_does_not_make_the_other_claims_easier():
    gone = Undefined("nothing was asked")
    close = evidence(shifted(0.021), claim("close"))
    lost = [evidence(gone, claim(f"u{i}", 1.0)) for i in range(9)]
    findings = weigh([close, *lost])
    assert {f.status for f in findings} == {Status.UNDECIDED}
    assert findings[0].level == pytest.approx(0.025 / 10)


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


def mixed_plan(rng, groups=60):
    """Five claims on two systems of equal truth, each at the edge of what it says."""
    hard = rng.normal(size=groups)

    def replies():
        sure = rng.random((groups, 5)) < 0.7
        right = rng.normal(size=(groups, 5)) + 0.7 * hard[:, None] < 0
        return (right & sure).ravel().astype(float), sure.ravel().astype(float)

    (a, on_a), (b, on_b) = replies(), replies()
    ones, ids = np.ones(groups * 5), np.repeat(np.arange(groups), 5)
    seconds = rng.lognormal(size=(2, groups * 5))
    accuracy = clusters.paired((a, ones), (b, ones), groups=ids, bounds=(0, 1))
    selective = clusters.paired((a, on_a), (b, on_b), groups=ids, bounds=(0, 1))
    # Equivalence that is false by a hair: the difference is moved onto the bound.
    moved = clusters.paired((a, on_a), (b, on_b), groups=ids)
    moved = StudentT(value=moved.value + 0.2, se=moved.se, df=moved.df, method="moved")
    return [
        evidence(clusters.share(a, ones, groups=ids), claim("share", 0.35)),
        evidence(accuracy, claim("difference", against="b", relation=Relation.AT_MOST)),
        evidence(selective, claim("selective", against="b")),
        evidence(moved, claim("same", 0.2, Relation.WITHIN, against="b")),
        evidence(clusters.log_ratio(*seconds, groups=ids), claim("ratio", 1.0, against="b")),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("correction", Correction)
def test_a_plan_of_mixed_claims_rarely_errs(correction):
    """Family-wise error with every claim at its edge: at most 5 % of 1,000 plans."""
    rng = np.random.default_rng(4)
    plans = 1_000
    wrong = sum(
        any(f.status is not Status.UNDECIDED for f in weigh(mixed_plan(rng), correction=correction))
        for _ in range(plans)
    )
    # Three standard errors above the promise.
    assert wrong / plans <= ALPHA + 3 * (ALPHA * (1 - ALPHA) / plans) ** 0.5
    assert wrong > 0


@pytest.mark.slow
def test_a_narrow_within_that_is_true_is_rarely_refuted():
    """Two edges refute it: with half the level each, at most 2.5 % of 4,000 true ones."""
    rng = np.random.default_rng(5)
    made = claim(bound=1e-6, relation=Relation.WITHIN)
    drawn = rng.normal(size=4_000)
    wrong = [
        weigh([evidence(shifted(v, 1.0, df=10**6), made)])[0].status is Status.REFUTED
        for v in drawn
    ]
    assert 0.01 < np.mean(wrong) <= 0.025 + 3 * (0.025 * 0.975 / 4_000) ** 0.5
