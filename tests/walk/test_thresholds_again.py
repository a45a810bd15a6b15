"""A sealed run answers for other thresholds than its plan's, and nothing is asked again."""

from __future__ import annotations

import json

import pytest

from assay import Answer, Outcome, PlanError, Run
from assay.publish.derive import data_files
from assay.store.rundir import RunDir


@pytest.fixture(scope="module")
def run(smoke: RunDir) -> Run:
    return Run.load(smoke.root)


def test_the_plans_own_rule_chooses_what_the_plan_chose(run: Run) -> None:
    again = run.rethreshold("votes", max_risk=0.1)
    [case] = run.results.cases.values()
    assert again.chosen == case.thresholds["votes"]
    assert again.estimates["accuracy"] == run.estimate("accuracy", "votes")


def test_a_smaller_risk_answers_no_more(run: Run) -> None:
    shares = [
        run.rethreshold("votes", max_risk=risk).estimates["coverage"].value
        for risk in (0.05, 0.1, 0.3)
    ]
    assert shares == sorted(shares)
    assert shares[-1] > 0


def test_thresholds_by_class_name_every_class_that_was_answered(run: Run) -> None:
    found = run.rethreshold("votes", max_risk=0.3, per="class")
    said = {json.loads(cut.said) for cut in next(iter(found.chosen.values())).cuts if cut.said}
    tuned = {
        record.said.value
        for _, record in run.read("votes", split="tune")
        if isinstance(record.said, Answer)
    }
    assert said == tuned
    assert "each class" in found.promise or "declines all" in found.promise


def test_above_zero_everything_stands_as_it_was_answered(run: Run) -> None:
    found = run.at_thresholds("votes", [0.0])
    [case] = run.results.cases.values()
    outcome = case.raw["votes"].outcome
    assert found.points[0].test["accuracy"].value == pytest.approx(
        float((outcome == 0).mean() + (outcome == 3).mean()), abs=1e-9
    )


def test_every_record_comes_with_its_sample(run: Run) -> None:
    pairs = list(run.read("votes"))
    assert pairs
    assert all(sample.id == record.sample for sample, record in pairs)
    for sample, record in pairs:
        if record.verdict.outcome is Outcome.CORRECT:
            assert isinstance(record.said, Answer)
            assert isinstance(sample.target, Answer)
            assert record.said.value == sample.target.value


def test_what_was_not_asked_is_not_read(run: Run) -> None:
    with pytest.raises(PlanError, match="A103"):
        list(run.read("nobody"))
    with pytest.raises(PlanError, match="A104"):
        list(run.read("last-word", split="calibration"))
    with pytest.raises(PlanError, match="A104"):
        run.rethreshold("last-word", max_risk=0.1)


def test_the_memory_of_a_systems_process_is_measured(run: Run) -> None:
    peaks = json.loads(data_files(run.results)["summary.json"])["peak_bytes"]
    [by_system] = peaks.values()
    assert set(by_system) == {"votes", "last-word"}
    # A Python with this package in it: more than ten megabytes, less than a gigabyte.
    assert all(10_000_000 < peak < 1_000_000_000 for peak in by_system.values())
