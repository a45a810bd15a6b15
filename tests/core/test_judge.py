"""`judge` is the only place where outcomes are decided; here is its table."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given

from assay import Answer, Bottom, Check, Crash, Failed, Outcome, Reply, SameAnswer, Sample
from assay.core.verdict import judge, needs_check, same_json
from strategies import answers, bottoms, checks, crashes, faileds, json_values, saids, targets

TARGETS = {"an answer": Answer("swap"), "none": Bottom("chat"), "no right or wrong": None}
SAIDS = {
    "answers": Answer("swap"),
    "declines": Bottom("unsure", Answer("swap")),
    "failed": Failed("died"),
    "crash": Crash("machine"),
}
CHECKS = {
    "right": Check(passed=True),
    "wrong": Check(passed=False),
    "only scores": Check(passed=None),
    "lost": Crash("no compiler"),
    "not checked": None,
}

TABLE = {
    ("an answer", "answers", "right"): "correct",
    ("an answer", "answers", "wrong"): "wrong",
    ("none", "answers", "not checked"): "invented",
    ("no right or wrong", "answers", "only scores"): "scored",
    ("no right or wrong", "answers", "right"): "scored",
    ("no right or wrong", "answers", "wrong"): "scored",
    ("an answer", "declines", "not checked"): "withheld",
    ("none", "declines", "not checked"): "declined",
    ("no right or wrong", "declines", "not checked"): "withheld",
    ("an answer", "failed", "not checked"): "failed",
    ("none", "failed", "not checked"): "failed",
    ("no right or wrong", "failed", "not checked"): "failed",
    ("an answer", "crash", "not checked"): "crashed",
    ("none", "crash", "not checked"): "crashed",
    ("no right or wrong", "crash", "not checked"): "crashed",
    # The verifier that could not find out is ours, not the system's.
    ("an answer", "answers", "lost"): "crashed",
    ("an answer", "answers", "not checked"): "crashed",
    ("no right or wrong", "answers", "lost"): "crashed",
    ("no right or wrong", "answers", "not checked"): "crashed",
}
"""Section 2 of the design, as data."""


@given(target=targets(), said=saids(), check=checks() | crashes())
def test_every_combination_has_one_outcome_and_it_follows_the_table(
    target: Any, said: Any, check: Any
) -> None:
    outcome = judge(target, said, check).outcome
    match said, target:
        case Crash(), _:
            expected = {Outcome.CRASHED}
        case Failed(), _:
            expected = {Outcome.FAILED}
        case Bottom(), Bottom():
            expected = {Outcome.DECLINED}
        case Bottom(), _:
            expected = {Outcome.WITHHELD}
        case Answer(), Bottom():
            expected = {Outcome.INVENTED}
        case _ if isinstance(check, Crash):
            expected = {Outcome.CRASHED}
        case _ if check.passed is None or target is None:
            expected = {Outcome.SCORED}
        case _:
            expected = {Outcome.CORRECT if check.passed else Outcome.WRONG}
    assert {outcome} == expected


@pytest.mark.parametrize(("row", "said", "check"), TABLE)
def test_the_table_of_the_design_holds(row: str, said: str, check: str) -> None:
    assert judge(TARGETS[row], SAIDS[said], CHECKS[check]).outcome == TABLE[row, said, check]


def test_the_table_has_every_combination_of_target_and_reply() -> None:
    assert {(row, said) for row, said, _ in TABLE} == set(product(TARGETS, SAIDS))


def test_every_outcome_can_happen() -> None:
    assert set(TABLE.values()) == {outcome.value for outcome in Outcome}


@given(target=targets(), said=saids(), check=checks())
def test_a_check_that_is_not_needed_changes_nothing(target: Any, said: Any, check: Any) -> None:
    if not needs_check(target, said):
        assert judge(target, said, check) == judge(target, said, None)


@given(target=targets(), said=bottoms() | faileds() | crashes())
def test_only_answers_are_ever_checked(target: Any, said: Any) -> None:
    assert not needs_check(target, said)


@given(said=answers(), check=checks())
def test_scores_and_evidence_of_a_check_stay_with_the_verdict(said: Answer, check: Check) -> None:
    verdict = judge(Answer("x"), said, check)
    assert (verdict.scores, verdict.evidence) == (check.scores, check.evidence)


@given(said=saids())
def test_a_failure_is_never_right_and_never_a_decline(said: Any) -> None:
    for target in TARGETS.values():
        if isinstance(said, Failed):
            assert judge(target, said).outcome is Outcome.FAILED


def test_a_truth_of_numpy_is_a_truth() -> None:
    """`numpy.True_ is not True`; a verifier that says `np.isclose(a, b)` must not fail everybody."""
    np = pytest.importorskip("numpy")
    check = Check(passed=np.isclose(1.0, 1.0))
    assert judge(Answer(1.0), Answer(1.0), check).outcome is Outcome.CORRECT


@given(said=answers(), wanted=answers())
def test_the_verifier_of_closed_sets_passes_what_equals_the_target(
    said: Answer, wanted: Answer
) -> None:
    sample = Sample(id="s", input=None, target=wanted)
    [check] = SameAnswer().check([(sample, Reply("s", said))])
    assert check == Check(passed=said.value == wanted.value)


def test_the_verifier_of_closed_sets_cannot_judge_without_a_target() -> None:
    sample = Sample(id="s", input=None, target=None)
    [check] = SameAnswer().check([(sample, Reply("s", Answer("x")))])
    assert isinstance(check, Crash)


@pytest.mark.parametrize(
    ("wanted", "said", "same"),
    [
        (True, 1, False),
        (0, False, False),
        (True, True, True),
        (1, 1.0, True),
        ("1", 1, False),
        (None, False, False),
        ([1, [True]], [1, [1]], False),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, True),
        ({"a": 0}, {"a": False}, False),
        ([1, 2], [1], False),
    ],
)
def test_an_answer_is_the_targets_when_they_are_the_same_json(
    wanted: Any, said: Any, same: bool
) -> None:
    batch = [(Sample(id="s", input="", target=Answer(wanted)), Reply("s", Answer(said)))]
    assert [check.passed for check in SameAnswer().check(batch)] == [same]


@given(value=json_values())
def test_every_value_is_the_same_as_what_is_read_back(value: Any) -> None:
    assert same_json(value, json.loads(json.dumps(value)))
