"""Numbers in words: each with its interval, its bound, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.analysis.cuts import Cut
from assay.analysis.decision import Change, Decision, Remedy
from assay.analysis.rules import MaxRisk
from assay.analysis.thresholds import Chosen
from assay.core.claim import Claim, Finding, Relation, Status
from assay.core.metric import Contrast, Estimate, Over
from assay.publish.decisions import decision_sentence
from assay.publish.phrases import decides
from assay.publish.words import (
    Scale,
    at_least,
    at_most,
    claim_scale,
    halves,
    number,
    percent,
    seconds,
    spell,
)
from assay.stats.scores import Exact

SAMPLES = frozenset({Over.SAMPLES})
EVEN = Estimate(metric="accuracy", value=0.5, low=0.4, high=0.6, n=100, n_groups=100, over=SAMPLES)


def exact(k: int, n: int, *, of: str = "samples", confidence: float = 0.95) -> Estimate:
    made = Exact(k, n, of=of)
    low, high = made.interval(confidence)
    return Estimate(
        metric="risk",
        value=k / n,
        low=low,
        high=high,
        confidence=confidence,
        n=n,
        n_groups=n,
        over=SAMPLES,
        method=made.method,
    )


def test_what_never_happened_prints_its_one_sided_bound():
    assert number(exact(0, 3)) == "0 of 3: at most 63.2 % n=3"
    assert number(exact(0, 812)) == "0 of 812: at most 0.37 % n=812"


def test_what_always_happened_prints_its_one_sided_bound():
    assert number(exact(50, 50, of="groups")) == "50 of 50 groups: at least 94.1 % n=50"


def test_groups_are_counted_in_the_half_that_is_read_first():
    assert halves(exact(50, 50, of="groups")) == ("50 of 50 groups", ": at least 94.1 % n=50")
    assert halves(exact(0, 1, of="groups")) == ("0 of 1 group", ": at most 95 % n=1")
    assert halves(exact(0, 3)) == ("0 of 3", ": at most 63.2 % n=3")


def test_a_bound_at_another_level_says_its_level():
    shown = number(exact(0, 100, confidence=0.99))
    assert shown == "0 of 100: at most 5.2 % at 99.5 %, one side n=100"


def test_nothing_that_varied_in_no_resample_pretends_to_a_bound():
    flat = Estimate(metric="f1", value=0.0, low=0.0, high=0.0, n=9, over=SAMPLES)
    assert number(flat) == "0 (every resample gave the same: no bound) n=9"


def test_what_was_not_measured_says_why_and_is_never_a_number():
    none = Estimate(metric="risk", value=None, low=None, high=None, method="undefined: no answers")
    assert number(none) == "not measured (no answers)"
    assert halves(none) == ("not measured", "(no answers)")
    untimed = replace(none, method="undefined: not measured in the serial pass")
    assert number(untimed) == "not measured (in the serial pass)"


def test_a_census_speaks_of_these_questions_only():
    census = Estimate(metric="determinism", value=0.0, low=None, high=None, n=10)
    assert number(census) == "0.00 (these questions only) n=10"


def test_a_number_without_an_interval_says_so():
    lone = Estimate(metric="x", value=0.4, low=None, high=None, n=5, over=SAMPLES, method="m")
    assert number(lone) == "0.40 (no interval: m) n=5"


def test_an_interval_at_another_level_names_it():
    assert number(replace(EVEN, confidence=0.975)).endswith("[0.40, 0.60] at 97.5 % n=100")


def test_dollars_seconds_ratios_and_changes_carry_their_unit():
    usd = Estimate(metric="usd_per_1k", value=0.0123, low=0.011, high=0.0139, n=63, over=SAMPLES)
    assert number(usd) == "$0.0123 [$0.011, $0.0139] n=63"
    assert number(replace(usd, metric="latency_mean")) == "12.3 ms [11 ms, 13.9 ms] n=63"
    assert number(usd, Scale.TIMES) == "0.0123x [0.011x, 0.0139x] n=63"
    change = Estimate(metric="accuracy", value=-0.01, low=-0.03, high=0.01, n=9, over=SAMPLES)
    assert number(change, Scale.CHANGE) == "-0.01 [-0.03, +0.01] n=9"
    assert halves(EVEN, Scale.PERCENT) == ("50 %", "[40 %, 60 %] n=100")


@pytest.mark.parametrize(
    ("against", "contrast", "scale"),
    [
        (None, Contrast.DIFFERENCE, Scale.PLAIN),
        ("b", Contrast.DIFFERENCE, Scale.CHANGE),
        ("b", Contrast.RATIO, Scale.TIMES),
    ],
)
def test_a_comparison_is_never_written_as_a_value(against, contrast, scale):
    claim = Claim(id="c", says="", task="t", system="a", metric="accuracy",
                  relation=Relation.AT_LEAST, bound=0.0, against=against)  # fmt: skip
    assert claim_scale(claim, contrast) is scale


@given(st.floats(0, 1))
def test_only_all_or_nothing_is_written_as_all_or_nothing(share):
    shown = percent(share)
    if 1e-9 < share < 1 - 1e-9:
        assert shown not in ("0 %", "100 %")
    assert abs(float(shown.removesuffix(" %")) - 100 * share) <= 0.051


@given(st.floats(0, 1))
def test_a_bound_is_rounded_to_the_safe_side(share):
    assert float(at_most(share).removesuffix(" %")) >= 100 * share - 1e-6
    assert float(at_least(share).removesuffix(" %")) <= 100 * share + 1e-6


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1e-5, 1))
def test_a_share_is_not_rounded_to_certainty(value, width):
    assert float(spell(value, Scale.PLAIN, width)) not in (0.0, 1.0)


@given(st.floats(1e-9, 1e6))
def test_a_duration_keeps_three_digits(value):
    shown, unit = seconds(value).split()
    factor = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}[unit]
    assert math.isclose(float(shown.replace(",", "")) * factor, value, rel_tol=0.006)


def test_a_decision_names_its_threshold_its_risk_and_its_saving():
    chosen = Chosen(seed=0, rule=MaxRisk(max_risk=0.05), cuts=(Cut(value=0.42),))
    cheaper = Estimate(metric="usd_per_1k", value=36.4, low=30, high=43, n=63, over=SAMPLES)
    made = Decision(
        task="t",
        system="mapper",
        why="",
        thresholds=(chosen,),
        answers=replace(EVEN, metric="coverage", value=0.87),
        wrong_at_most=0.0483,
        cheaper_than="llm",
        times_cheaper=cheaper,
        would_change=(Change(says="more samples", remedy=Remedy.SAMPLES),),
    )
    assert decision_sentence(made) == (
        "Ship mapper at threshold 0.42: answers 87 %, wrong at most 4.9 %, costs 36.4 times less "
        "than llm; would change our mind: more samples."
    )
    assert decision_sentence(Decision(task="t", system=None, why="x")) == "Ship nothing yet: x."


def test_an_undecided_claim_says_what_would_decide_it():
    claim = Claim(id="c", says="", task="t", system="a", metric="accuracy",
                  relation=Relation.AT_LEAST, bound=0.9)  # fmt: skip
    finding = Finding(claim=claim, status=Status.UNDECIDED, estimate=EVEN, more_samples=1234)
    assert decides(finding) == (
        "about 1,234 more samples would decide it, four times in five, if the estimate is the truth"
    )
    assert decides(replace(finding, more_samples=None)).startswith("no number of samples")
    assert decides(replace(finding, status=Status.SUPPORTED)) == ""
