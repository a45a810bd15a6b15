"""A cascade from the plan to a policy file, and the file run as a system."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay import Answer, PlanError, Run, Sample
from assay.engine.policy import PolicyRecipe, read_policy
from assay.publish.policy import policy_facts
from assay.store.canon import pretty
from assay.store.columns import CODE
from runs import execute_plan, write_plan

PLAN = """
    name: chain
    seeds: [0, 1]
    tasks:
      - {use: toy.errands, limit: 200}
    systems:
      - {name: votes, use: toy.votes}
      - {name: last-word, use: toy.last_word}
    timing: {processes: 1, blocks: 2, questions: 1}
    cascades:
      - {order: [votes, last-word], margin: 0.0}
"""

AGAIN = """
    name: again
    seeds: [0, 1]
    tasks:
      - {use: toy.errands, limit: 200}
    systems:
      - {name: chain, use: policy, options: {file: policy.json}}
    timing: {processes: 1, blocks: 2, questions: 1}
"""

DECLINES = (CODE["withheld"], CODE["declined"])
FAILED = CODE["failed"]
TRAIN = [
    Sample(id=f"t{i}", input=f"do {word} now", target=Answer(word))
    for i, word in enumerate(["cook", "clean", "cook", "clean"])
]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("cascades")
    return Run.load(execute_plan(write_plan(folder, PLAN), folder / "run").root)


def test_a_system_that_only_hands_on_has_no_tune_records_to_fix_thresholds_on(first: Run) -> None:
    with pytest.raises(PlanError, match="was asked no tune question") as caught:
        first.rethreshold("votes", max_risk=0.1)
    assert (caught.value.code, "abstain" in caught.value.hint) == ("A104", True)


@pytest.mark.slow
@pytest.mark.parametrize("which", [0.3, 0.7])
def test_the_policy_file_decides_what_the_records_said_it_would(
    first: Run, tmp_path: Path, which: float
) -> None:
    """The second run asks the same systems again: the same answers in the same order of asking."""
    [sweep] = first.cascades()
    option = sweep.options[int(which * len(sweep.options))]
    assert 0.0 < option.escalated.value < 1.0
    (tmp_path / "policy.json").write_bytes(pretty(policy_facts(sweep, option, first.manifest)))
    again = Run.load(execute_plan(write_plan(tmp_path, AGAIN, "again.yaml"), tmp_path / "run").root)
    # Limits draw by the plan's name: only questions of both runs can be compared one by one.
    chain = again.results.cases["toy.errands"].tables["chain"]
    raw = first.results.cases["toy.errands"].raw
    common = [s for s in chain.samples if s in set(raw["votes"].samples)]
    assert len(common) > 20
    stage = option.policy.stages[0]
    votes = raw["votes"].only(common)
    doubted = votes.above(dict(stage.at_least)).outcome
    last = raw["last-word"].only(common).outcome
    declined = votes.outcome != doubted
    got = chain.only(common).outcome
    stands = option.policy.declines.value == "stand"
    for row in range(2):
        for i in range(len(common)):
            own, other = doubted[row, i], last[0, i]
            gave_up = declined[row, i] or (own in DECLINES and not stands)
            assert got[row, i] == (other if gave_up or own == FAILED else own)


def test_the_systems_of_a_cascade_are_asked_the_calibration_questions(first: Run) -> None:
    assert set(first.results.cases["toy.errands"].calibration) == {"votes", "last-word"}
    [sweep] = first.cascades()
    assert sweep.picked is not None
    assert "picked on calibration records" in sweep.why


def policy(first: Run, folder: Path) -> tuple[Path, dict]:
    [sweep] = first.cascades()
    facts = policy_facts(sweep, sweep.options[5], first.manifest)
    path = folder / "policy.json"
    path.write_bytes(pretty(facts))
    return path, json.loads(path.read_text())


def test_a_policy_of_a_system_that_has_changed_is_refused(first: Run, tmp_path: Path) -> None:
    path, facts = policy(first, tmp_path)
    PolicyRecipe(file=path).loads()
    facts["stages"][0]["digest"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(facts))
    with pytest.raises(PlanError, match="not the system that this policy was made for") as caught:
        PolicyRecipe(file=path).loads()
    assert caught.value.code == "A104"


def test_a_seed_without_a_threshold_is_refused(first: Run, tmp_path: Path) -> None:
    path, _ = policy(first, tmp_path)
    with pytest.raises(PlanError, match="no threshold of votes for seed 7"):
        PolicyRecipe(file=path).build(TRAIN, (), seed=7, workdir=tmp_path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "A100"),
        ("{", "A100"),
        ("[]", "A102"),
        ("{}", "A102"),
        ('{"schema": "assay.policy/2", "stages": []}', "A102"),
        ('{"schema": "assay.policy/1", "stages": [], "more": 1}', "A102"),
        ("[" * 100_000, "A100"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_policy(path)
    assert caught.value.code == code
    assert str(path) in caught.value.where


def test_a_missing_policy_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read") as caught:
        read_policy(tmp_path / "none.json")
    assert "assay cascade" in caught.value.hint
